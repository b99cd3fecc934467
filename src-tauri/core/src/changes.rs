//! How a room tells what changed of its own, without knowing who wants to hear of it.

use std::sync::Arc;

use tokio::sync::broadcast;

/// Changes that a subscriber may be behind before it misses some.
const BEHIND: usize = 1024;

/// Tells the changes of one room; cheap to clone.
pub struct Changes<T> {
    subscribers: broadcast::Sender<T>,
    sink: Arc<dyn Fn(T) + Send + Sync>,
}

impl<T> Clone for Changes<T> {
    fn clone(&self) -> Self {
        Self { subscribers: self.subscribers.clone(), sink: self.sink.clone() }
    }
}

impl<T: Clone> Changes<T> {
    /// Changes that go into this sink.
    pub fn into(sink: impl Fn(T) + Send + Sync + 'static) -> Self {
        Self { subscribers: broadcast::Sender::new(BEHIND), sink: Arc::new(sink) }
    }

    /// Tells the sink and all who have subscribed; nobody may.
    pub fn tell(&self, change: T) {
        if self.subscribers.receiver_count() > 0 {
            self.subscribers.send(change.clone()).ok();
        }
        (self.sink)(change);
    }

    /// All that is told from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<T> {
        self.subscribers.subscribe()
    }
}
