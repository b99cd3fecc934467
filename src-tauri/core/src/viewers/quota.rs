//! Within the pool's quotas: so many requests a second, and a rest for all when Cognito asks to slow down.
//! Source: Developer Guide, "Quotas in Amazon Cognito"; the quotas are shared by all programs of an account.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::{Code, Result};

/// How long all wait when Cognito asks to slow down; twice as long each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const TRIES: u32 = 8;

/// When the next request may be made.
pub(super) struct Quota {
    next: Mutex<Instant>,
    beat: Duration,
}

impl Quota {
    /// Accounts made: 20 a second of 50 (UserCreation).
    pub fn of_invitations() -> Self {
        Self::of(20)
    }

    /// Accounts changed: 10 a second of 25 (UserUpdate).
    pub fn of_acts() -> Self {
        Self::of(10)
    }

    /// Accounts asked for: 60 a second of 120 (UserRead).
    pub fn of_reads() -> Self {
        Self::of(60)
    }

    /// Pages read: 15 a second of 30 (UserList).
    pub fn of_lists() -> Self {
        Self::of(15)
    }

    fn of(a_second: u32) -> Self {
        Self { next: Mutex::new(Instant::now()), beat: Duration::from_secs(1) / a_second }
    }

    async fn wait(&self) {
        let at = {
            let mut next = self.next.lock().await;
            let at = (*next).max(Instant::now());
            *next = at + self.beat;
            at
        };
        tokio::time::sleep_until(at).await;
    }

    async fn hold(&self, wait: Duration) {
        let mut next = self.next.lock().await;
        *next = (*next).max(Instant::now() + wait);
    }

    /// Does something in its turn, again where Cognito asks to slow down or the network fails.
    pub async fn insist<T, F: Future<Output = Result<T>>>(&self, work: impl Fn() -> F) -> Result<T> {
        self.again(work, |code| matches!(code, Code::Throttled | Code::Network)).await
    }

    /// The same for what must not be done twice: where an answer may have been lost, that is told.
    pub async fn insist_once<T, F: Future<Output = Result<T>>>(&self, work: impl Fn() -> F) -> Result<T> {
        self.again(work, |code| code == Code::Throttled).await
    }

    async fn again<T, F: Future<Output = Result<T>>>(
        &self,
        work: impl Fn() -> F,
        is_worth_it: impl Fn(Code) -> bool,
    ) -> Result<T> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            self.wait().await;
            match work().await {
                Err(error) if is_worth_it(error.code) => {
                    self.hold(wait.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
                    wait *= 2;
                }
                done => return done,
            }
        }
        self.wait().await;
        work().await
    }
}
