//! Credentials that expire while files are sent: everything waits for one sign-in, asked for once, and goes on.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use tokio::sync::watch;
use ts_rs::TS;

use super::change::Change;
use super::{Driving, Ingest};
use crate::changes::Changes;
use crate::connection::credentials;
use crate::{Code, Error};

/// Without a word from anyone it is tried again this often: the sign-in may have happened elsewhere.
const TRY_EVERY: Duration = Duration::from_secs(30);

/// How long before the end of the credentials a person is told.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// What to tell of credentials that end at this time, if it is time to tell it.
fn foreseen(ends: SystemTime, now: SystemTime) -> Option<Error> {
    let left = ends.duration_since(now).unwrap_or_default();
    (left <= AHEAD).then(|| {
        let minutes = left.as_secs().div_ceil(60);
        let when = if minutes == 1 { "in a minute".to_owned() } else { format!("in {minutes} minutes") };
        Error::new(Code::SignIn, format!("The sign-in ends {when}."), "Sign in again now, and no upload has to wait.")
    })
}

impl Ingest {
    /// What someone has to sign in for, at this moment.
    #[must_use]
    pub fn sign_in_need(&self) -> SignInNeed {
        self.0.sign_in.need()
    }

    /// Tells of an end of the credentials before it comes, once each, until [`Ingest::stop`].
    pub async fn watch_credential_expiry(&self) {
        let mut told = None;
        loop {
            let ends = credentials::ends(&self.0.pipeline.workspace.connection);
            let soon = ends.and_then(|ends| foreseen(ends, SystemTime::now()));
            let now = ends.filter(|_| soon.is_some());
            if std::mem::replace(&mut told, now) != now {
                self.0.sign_in.end_soon(soon);
            }
            tokio::select! {
                () = tokio::time::sleep(TRY_EVERY) => {}
                () = self.0.runs.stop.cancelled() => return,
            }
        }
    }
}

/// What someone has to sign in for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
pub struct SignInNeed {
    /// AWS does not accept the credentials: all sending waits.
    pub now: Option<Error>,
    /// They end soon.
    pub soon: Option<Error>,
}

/// The one gate of all journeys.
pub(super) struct SignIn {
    changes: Changes<Change>,
    driving: Driving,
    need: watch::Sender<SignInNeed>,
}

impl SignIn {
    pub fn new(changes: Changes<Change>, driving: Driving) -> Self {
        Self { changes, driving, need: watch::Sender::default() }
    }

    pub fn need(&self) -> SignInNeed {
        self.need.borrow().clone()
    }

    fn end_soon(&self, error: Option<Error>) {
        self.need.send_modify(|need| need.soon.clone_from(&error));
        self.changes.tell(Change::SignInEnds { error });
    }

    /// Whether a sign-in is worth waiting for: someone can be asked, or the credentials were good before. A command
    /// line whose credentials never were should say so and end.
    pub fn is_awaited(&self, was_up: bool) -> bool {
        self.driving.waits() || was_up
    }

    /// Waits for a sign-in, which is asked for once however many wait, or for the time to try by oneself.
    pub async fn wait(&self, error: Error) {
        let mut need = self.need.subscribe();
        let is_first = self.need.send_if_modified(|need| {
            let is_first = need.now.is_none();
            need.now.get_or_insert_with(|| error.clone());
            is_first
        });
        if is_first {
            self.changes.tell(Change::SignIn { error: Some(error) });
        }
        tokio::select! {
            result = need.wait_for(|need| need.now.is_none()) => drop(result),
            () = tokio::time::sleep(TRY_EVERY) => {}
        }
    }

    /// AWS accepted the credentials, or someone says that it will: all go on.
    pub fn accepted(&self) {
        if self.need.send_if_modified(|need| need.now.take().is_some()) {
            self.changes.tell(Change::SignIn { error: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_time_and_not_before() {
        let now = SystemTime::now();
        assert_eq!(foreseen(now + Duration::from_secs(301), now), None);
        assert!(foreseen(now + Duration::from_secs(299), now).unwrap().message.contains("in 5 minutes"));
        assert!(foreseen(now + Duration::from_secs(59), now).unwrap().message.contains("in a minute"));
        assert!(foreseen(now, now + Duration::from_secs(9)).unwrap().message.contains("in 0 minutes"));
    }

    #[tokio::test]
    async fn many_wait_one_is_asked_all_go_on() {
        let changes = Changes::into(|_| ());
        let mut told = changes.subscribe();
        let gate = SignIn::new(changes, Driving::Window);
        let expired = || Error::new(Code::SignIn, "AWS did not accept the credentials.", "Sign in again.");
        let waiting = futures::future::join_all((0..20).map(|_| gate.wait(expired())));
        let sign_in = async {
            tokio::task::yield_now().await;
            gate.accepted();
        };
        tokio::join!(waiting, sign_in);
        assert!(matches!(told.recv().await, Ok(Change::SignIn { error: Some(_) })));
        assert!(matches!(told.recv().await, Ok(Change::SignIn { error: None })));
        assert!(told.try_recv().is_err(), "asked once");
    }

    #[test]
    fn a_command_line_whose_credentials_never_were_does_not_wait() {
        let gate = SignIn::new(Changes::into(|_| ()), Driving::Command);
        assert!(!gate.is_awaited(false) && gate.is_awaited(true));
    }
}
