//! The one memory budget of all uploads: chunks that come back when the connection is done with them.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Error, Result};

/// Bytes of a chunk.
pub(super) const CHUNK: usize = 256 * 1024;
/// Chunks in memory at once, over all uploads: the one memory budget. More than there are parts on their way, so that
/// none of them waits for memory while it could send. Of small files more go at once: what was sent gives its memory back
/// while the answer is waited for.
pub(super) const CHUNKS: usize = 32;
/// Chunks that are handed over at once while there is memory: it wakes the other side, which costs more than it takes.
const MOST_AT_ONCE: usize = 4;
/// Chunks whose memory is kept while nothing is sent: a workspace that rests holds no megabytes.
const KEPT: usize = 4;
/// Where the memory of a chunk begins: where a page does. Large allocations begin 16 bytes behind one, and to there AMD
/// Zen 3 copies out of the file cache four times slower.
const ALIGNMENT: usize = 4096;

/// Bytes that are looked at at once, and not kept.
const GLANCE: usize = 64 * 1024;

/// Memory to look at a file through. It is small enough for the stack: many files are looked at at once.
#[repr(align(4096))]
pub(super) struct Glance(pub [u8; GLANCE]);

impl Glance {
    pub fn new() -> Self {
        Self([0; GLANCE])
    }
}

/// The memory of a chunk.
pub(super) struct Memory {
    bytes: Vec<u8>,
    start: usize,
}

impl Memory {
    /// What is left when it was given back.
    const NONE: Self = Self { bytes: Vec::new(), start: 0 };

    pub fn new() -> Self {
        let bytes = vec![0; CHUNK + ALIGNMENT];
        let start = bytes.as_ptr().align_offset(ALIGNMENT);
        // An offset that cannot be told is larger than any memory.
        Self { start: if start < ALIGNMENT { start } else { 0 }, bytes }
    }

    pub fn first(&self, length: usize) -> &[u8] {
        &self.bytes[self.start..self.start + length]
    }

    pub fn first_mut(&mut self, length: usize) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + length]
    }
}

/// Where chunks come from and go back to; cheap to clone.
#[derive(Clone)]
pub(super) struct Budget {
    permits: Arc<Semaphore>,
    spare: Arc<Mutex<Vec<Memory>>>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(CHUNKS)), spare: Arc::default() }
    }
}

impl Budget {
    /// Waits for a chunk's memory, on a thread that may wait.
    pub fn take(&self, runtime: &Handle) -> io::Result<Chunk> {
        let permit = runtime.block_on(self.permits.clone().acquire_owned()).map_err(io::Error::other)?;
        Ok(self.chunk(permit))
    }

    /// Waits for the memory of so many bytes, all at once: nobody holds some of what another waits for.
    pub async fn take_many(&self, bytes: u64) -> Result<Vec<Chunk>> {
        let count = u32::try_from(bytes.div_ceil(CHUNK as u64)).map_err(Error::internal)?;
        let permits = self.permits.clone().acquire_many_owned(count).await;
        let mut permits = permits.map_err(Error::internal)?;
        Ok((0..count).filter_map(|_| permits.split(1)).map(|permit| self.chunk(permit)).collect())
    }

    /// A chunk's memory, if some is free at this moment.
    pub fn try_take(&self) -> Option<Chunk> {
        self.permits.clone().try_acquire_owned().ok().map(|permit| self.chunk(permit))
    }

    /// How many chunks one part may hand over at once, so that the others have theirs.
    pub fn share(&self) -> usize {
        (self.permits.available_permits() / 6).clamp(1, MOST_AT_ONCE)
    }

    fn chunk(&self, permit: OwnedSemaphorePermit) -> Chunk {
        let memory = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let memory = memory.unwrap_or_else(Memory::new);
        Chunk { memory, length: 0, spare: self.spare.clone(), permit }
    }
}

/// Memory that goes back to the budget when the connection is done with it.
pub(super) struct Chunk {
    pub memory: Memory,
    pub length: usize,
    spare: Arc<Mutex<Vec<Memory>>>,
    permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self.memory.first(self.length)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let is_last = self.permit.semaphore().available_permits() + 1 == CHUNKS;
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(std::mem::replace(&mut self.memory, Memory::NONE));
        if is_last {
            spare.truncate(KEPT);
            spare.shrink_to_fit();
        }
    }
}

impl Budget {
    /// Whether all memory has come back, and no more than that is kept.
    #[cfg(test)]
    pub async fn has_all(&self) -> bool {
        let Ok(all) = u32::try_from(CHUNKS) else { return false };
        let _all = self.permits.acquire_many(all).await;
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).len() <= CHUNKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_rests_keeps_little() {
        let budget = Budget::default();
        let all = budget.take_many((CHUNKS * CHUNK) as u64).await.unwrap();
        drop(all);
        assert_eq!(budget.spare.lock().unwrap().len(), KEPT);
    }

    #[test]
    fn memory_begins_with_a_page() {
        let mut memory = Memory::new();
        assert_eq!(memory.first(CHUNK).as_ptr().align_offset(ALIGNMENT), 0);
        assert_eq!(memory.first_mut(CHUNK).len(), CHUNK);
    }
}
