//! A part's bytes on their way: read from the file in chunks by a thread of its own, hashed in passing, and framed
//! as `aws-chunked` with the checksum behind them, so that nothing is read or hashed twice and no part is held whole.
//!
//! Source: S3 API Reference, "Signature calculations for the Authorization header: including trailing headers
//! (chunked upload)", with `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use crc_fast::CrcAlgorithm::Crc64Nvme;
use http_body::{Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::checksum::Checksum;
use super::limit::Limit;
use super::progress::Flight;
use super::source::{changed, unreadable};
use crate::{Error, Result};

/// Memory is given out in units of so many bytes.
const UNIT: usize = 256 * 1024;
/// Units at once, over all uploads: the one memory budget. More than there are parts on their way, so that none of
/// them waits for memory while it could send.
const UNITS: usize = 40;
/// Units of a chunk, at most: large chunks cost less handing over.
const MOST_UNITS: usize = 4;
/// Chunks of one part that may wait to be sent.
const READ_AHEAD: usize = 2;
/// The name of the header that ends a part.
pub(super) const TRAILER: &str = "x-amz-checksum-crc64nvme";

/// Where the memory of a chunk begins: where a page does. Large allocations begin 16 bytes behind one, and to there AMD
/// Zen 3 copies out of the file cache four times slower.
const ALIGNMENT: usize = 4096;

/// The memory of a chunk.
struct Memory {
    bytes: Vec<u8>,
    start: usize,
}

impl Memory {
    /// What is left when it was given back.
    const NONE: Self = Self { bytes: Vec::new(), start: 0 };

    fn new() -> Self {
        let bytes = vec![0; MOST_UNITS * UNIT + ALIGNMENT];
        let start = bytes.as_ptr().align_offset(ALIGNMENT);
        // An offset that cannot be told is larger than any memory.
        Self { start: if start < ALIGNMENT { start } else { 0 }, bytes }
    }

    fn first(&self, length: usize) -> &[u8] {
        &self.bytes[self.start..self.start + length]
    }

    fn first_mut(&mut self, length: usize) -> &mut [u8] {
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
        Self { permits: Arc::new(Semaphore::new(UNITS)), spare: Arc::default() }
    }
}

impl Budget {
    /// Waits for a chunk's memory, on a thread that may wait: for as much as `wanted` while there is plenty, for less
    /// while many share it.
    fn take(&self, wanted: usize, runtime: &Handle) -> io::Result<Chunk> {
        let share = (self.permits.available_permits() / 6).clamp(1, MOST_UNITS);
        let units = share.min(wanted.div_ceil(UNIT));
        let permits = u32::try_from(units).map_err(io::Error::other)?;
        let permit = runtime.block_on(self.permits.clone().acquire_many_owned(permits)).map_err(io::Error::other)?;
        let memory = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let memory = memory.unwrap_or_else(Memory::new);
        Ok(Chunk { memory, length: wanted.min(units * UNIT), spare: self.spare.clone(), _permit: permit })
    }
}

/// Memory that goes back to the budget when the connection is done with it.
struct Chunk {
    memory: Memory,
    length: usize,
    spare: Arc<Mutex<Vec<Memory>>>,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self.memory.first(self.length)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(std::mem::replace(&mut self.memory, Memory::NONE));
    }
}

/// A piece of a file.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub path: PathBuf,
    pub offset: u64,
    pub length: u64,
}

/// What became of the reading of a piece: its checksum once all of it was read, or why it could not be.
#[derive(Clone, Default)]
pub(super) struct Outcome(Arc<OnceLock<Result<Checksum>>>);

impl Outcome {
    /// The checksum of what was sent; an error where the file could not be read; `None` where the connection ended
    /// before the file did.
    pub fn get(&self) -> Option<Result<Checksum>> {
        self.0.get().cloned()
    }

    fn set(&self, result: Result<Checksum>) {
        self.0.set(result).ok();
    }
}

/// Reads pieces; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Reader {
    pub limit: Limit,
    budget: Budget,
}

impl Reader {
    /// Begins to read a piece; its bytes come out of the body, its checksum out of the outcome.
    pub fn start(&self, piece: Piece, flight: Arc<Flight>) -> (PartBody, Outcome) {
        let outcome = Outcome::default();
        let (chunks, received) = mpsc::channel(READ_AHEAD);
        let length = piece.length;
        let (reader, told, runtime) = (self.clone(), outcome.clone(), Handle::current());
        tokio::task::spawn_blocking(move || match reader.read(&piece, &chunks, &runtime) {
            Ok(Some(checksum)) => {
                told.set(Ok(checksum));
                chunks.blocking_send(Ok(trailer(piece.length, checksum))).ok();
            }
            Ok(None) => {}
            Err(error) => {
                let error = match error.kind() {
                    io::ErrorKind::UnexpectedEof => changed(&piece.path),
                    _ => unreadable(&piece.path, &error),
                };
                told.set(Err(error.clone()));
                chunks.blocking_send(Err(error)).ok();
            }
        });
        (PartBody { length, head: Some(head(length)), left: length, chunks: received, flight }, outcome)
    }

    /// The checksum, or `None` when nobody takes the bytes any more.
    fn read(
        &self,
        piece: &Piece,
        chunks: &mpsc::Sender<Result<Bytes>>,
        runtime: &Handle,
    ) -> io::Result<Option<Checksum>> {
        let mut digest = crc_fast::Digest::new(Crc64Nvme);
        let mut file = File::open(&piece.path)?;
        file.seek(SeekFrom::Start(piece.offset))?;
        let mut left = piece.length;
        while left > 0 {
            let most = self.limit.step(MOST_UNITS * UNIT);
            let wanted = usize::try_from(left).map_or(most, |left| left.min(most));
            let mut chunk = self.budget.take(wanted, runtime)?;
            let length = chunk.length;
            file.read_exact(chunk.memory.first_mut(length))?;
            digest.update(chunk.as_ref());
            left -= length as u64;
            self.limit.wait(length, runtime);
            if chunks.blocking_send(Ok(Bytes::from_owner(chunk))).is_err() {
                return Ok(None);
            }
        }
        Ok(Some(Checksum::of_value(digest.finalize())))
    }

    /// The checksum of a piece that is not to be sent.
    pub async fn checksum(&self, piece: Piece) -> Result<Checksum> {
        tokio::task::spawn_blocking(move || {
            let read = || -> io::Result<Checksum> {
                let mut digest = crc_fast::Digest::new(Crc64Nvme);
                let mut file = File::open(&piece.path)?;
                file.seek(SeekFrom::Start(piece.offset))?;
                let mut left = piece.length;
                let mut memory = Memory::new();
                while left > 0 {
                    let wanted = UNIT.min(usize::try_from(left).unwrap_or(UNIT));
                    file.read_exact(memory.first_mut(wanted))?;
                    digest.update(memory.first(wanted));
                    left -= wanted as u64;
                }
                Ok(Checksum::of_value(digest.finalize()))
            };
            read().map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => changed(&piece.path),
                _ => unreadable(&piece.path, &error),
            })
        })
        .await
        .map_err(Error::internal)?
    }
}

/// The one chunk's header: its length in hexadecimal.
fn head(length: u64) -> Bytes {
    Bytes::from(if length == 0 { String::new() } else { format!("{length:X}\r\n") })
}

/// What comes behind the bytes: the end of their chunk, where there was one, and the checksum.
fn trailer(length: u64, checksum: Checksum) -> Bytes {
    let end = if length == 0 { "" } else { "\r\n" };
    Bytes::from(format!("{end}0\r\n{TRAILER}:{checksum}\r\n\r\n"))
}

/// Bytes that `length` bytes are as `aws-chunked` with the trailer.
pub(super) fn encoded_length(length: u64) -> u64 {
    (head(length).len() + trailer(length, Checksum::of_value(0)).len()) as u64 + length
}

/// The body of the request. It counts what the connection takes.
pub(super) struct PartBody {
    length: u64,
    head: Option<Bytes>,
    left: u64,
    chunks: mpsc::Receiver<Result<Bytes>>,
    flight: Arc<Flight>,
}

impl PartBody {
    /// How many of its bytes are the file's.
    pub fn file_bytes(&self) -> u64 {
        self.length
    }
}

impl http_body::Body for PartBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        if let Some(head) = self.head.take().filter(|head| !head.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(head))));
        }
        match ready!(self.chunks.poll_recv(context)) {
            None => Poll::Ready(None),
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            Some(Ok(bytes)) => {
                // The trailer is none of the file's bytes.
                let count = self.left.min(bytes.len() as u64);
                self.left -= count;
                self.flight.add(count);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(encoded_length(self.length))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::super::Progress;
    use super::*;

    #[test]
    fn memory_begins_with_a_page() {
        let mut memory = Memory::new();
        assert_eq!(memory.first(UNIT).as_ptr().align_offset(ALIGNMENT), 0);
        assert_eq!(memory.first_mut(MOST_UNITS * UNIT).len(), MOST_UNITS * UNIT);
    }

    #[tokio::test]
    async fn a_part_is_one_chunk_with_its_checksum_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.mov");
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let reader = Reader::default();
        let piece = Piece { path: path.clone(), offset: 1000, length: 700_000 };
        let (body, outcome) = reader.start(piece.clone(), Progress::default().flight());
        let sent = body.collect().await.unwrap().to_bytes();
        let checksum = outcome.get().unwrap().unwrap();
        assert_eq!(checksum, Checksum::of_bytes(&bytes[1000..701_000]));
        assert_eq!(checksum, reader.checksum(piece).await.unwrap());
        let expected =
            [b"AAE60\r\n", &bytes[1000..701_000], format!("\r\n0\r\n{TRAILER}:{checksum}\r\n\r\n").as_bytes()].concat();
        assert!(sent == expected);
        assert_eq!(encoded_length(700_000), expected.len() as u64);
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_is_a_changed_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.mov");
        std::fs::write(&path, "short").unwrap();
        let piece = Piece { path, offset: 0, length: 6 };
        let (body, outcome) = Reader::default().start(piece, Progress::default().flight());
        assert_eq!(body.collect().await.unwrap_err().code, crate::Code::FileChanged);
        assert_eq!(outcome.get().unwrap().unwrap_err().code, crate::Code::FileChanged);
    }

    #[tokio::test]
    async fn memory_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.mov");
        std::fs::write(&path, vec![7; UNIT * 3]).unwrap();
        let reader = Reader::default();
        for _ in 0..UNITS {
            let piece = Piece { path: path.clone(), offset: 0, length: (UNIT * 3) as u64 };
            // Dropped in the middle, as a connection that breaks does.
            let (mut body, _) = reader.start(piece.clone(), Progress::default().flight());
            body.frame().await.unwrap().unwrap();
            body.frame().await.unwrap().unwrap();
        }
        let all = reader.budget.permits.acquire_many(u32::try_from(UNITS).unwrap()).await.unwrap();
        assert!(reader.budget.spare.lock().unwrap().len() <= UNITS);
        drop(all);
    }
}
