//! Whose turn it is to be sent: a few files at a time, in the order of the list. The line itself limits the parts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::journeys::Journeys;

struct State {
    free: usize,
    waiting: Vec<(String, oneshot::Sender<Slot>)>,
}

/// The queue; cheap to clone.
#[derive(Clone)]
pub(super) struct Queue {
    journeys: Journeys,
    state: Arc<Mutex<State>>,
}

impl Queue {
    pub fn new(places: usize, journeys: Journeys) -> Self {
        Self { journeys, state: Arc::new(Mutex::new(State { free: places, waiting: Vec::new() })) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place; which journey is next is decided when one becomes free, so that an order that changes
    /// meanwhile holds.
    pub async fn place(&self, id: &str) -> Slot {
        let receiver = {
            let mut state = self.state();
            let (give, receiver) = oneshot::channel();
            state.waiting.push((id.to_owned(), give));
            self.give(&mut state);
            receiver
        };
        match receiver.await {
            Ok(place) => place,
            // The sender lives in the list until it gives the place.
            Err(_) => std::future::pending().await,
        }
    }

    fn give(&self, state: &mut State) {
        while state.free > 0 {
            let next = (0..state.waiting.len()).min_by_key(|&index| self.journeys.turn_of(&state.waiting[index].0));
            let Some(index) = next else { return };
            let (_, give) = state.waiting.swap_remove(index);
            if give.is_closed() {
                continue;
            }
            state.free -= 1;
            if let Err(mut unused) = give.send(Slot { queue: Some(self.clone()) }) {
                unused.queue = None;
                state.free += 1;
            }
        }
    }
}

/// A place among those that are sent; dropping it gives it to the next.
pub(super) struct Slot {
    queue: Option<Queue>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.take() {
            let mut state = queue.state();
            state.free += 1;
            queue.give(&mut state);
        }
    }
}
