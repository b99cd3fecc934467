//! A part's bytes on their way: read from the file in chunks by a thread of its own, hashed in passing, and framed
//! as `aws-chunked` with the checksum behind them, so that nothing is read or hashed twice and no part is held whole.
//! What is small enough to be held goes as it is, with its checksum before it: servers take that with less work.
//!
//! Source: S3 API Reference, "Signature calculations for the Authorization header: including trailing headers
//! (chunked upload)", with `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.

use std::collections::VecDeque;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use crc_fast::CrcAlgorithm::Crc64Nvme;
use http_body::{Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::changed;
use super::checksum::Checksum;
use super::limit::Limit;
use super::memory::{Budget, CHUNK, Memory};
use super::progress::Flight;
use crate::files::{self, unreadable};
use crate::{Error, Result};

/// Bytes that are held whole, at most.
const HELD: u64 = 4 * CHUNK as u64;
/// The name of the header that ends a part.
pub(super) const TRAILER: &str = "x-amz-checksum-crc64nvme";

/// A piece of a file.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub path: PathBuf,
    pub offset: u64,
    pub length: u64,
}

impl Piece {
    /// What it means that it could not be read.
    fn trouble(&self, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => changed(&self.path),
            _ => unreadable(&self.path, error),
        }
    }
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
    /// Whether the server wants the checksum behind the bytes, of small ones too.
    is_behind: Arc<AtomicBool>,
}

impl Reader {
    /// The body of a piece, read as it goes or, where it is small, before.
    ///
    /// # Errors
    /// When a small one cannot be read.
    pub async fn body(&self, piece: Piece, flight: Arc<Flight>) -> Result<(PartBody, Outcome)> {
        if piece.length <= HELD && !self.is_behind.load(Ordering::Relaxed) {
            self.hold(piece, flight).await
        } else {
            Ok(self.start(piece, flight))
        }
    }

    /// Remembers that the server refuses checksums that come first.
    pub fn put_behind(&self) {
        self.is_behind.store(true, Ordering::Relaxed);
    }

    /// Begins to read a piece; its bytes come out of the body, its checksum out of the outcome.
    fn start(&self, piece: Piece, flight: Arc<Flight>) -> (PartBody, Outcome) {
        let outcome = Outcome::default();
        let (chunks, received) = mpsc::channel(1);
        let length = piece.length;
        let (reader, told, runtime) = (self.clone(), outcome.clone(), Handle::current());
        tokio::task::spawn_blocking(move || match reader.read(&piece, &chunks, &runtime) {
            Ok(Some(checksum)) => {
                told.set(Ok(checksum));
                chunks.blocking_send(Ok(vec![trailer(piece.length, checksum)])).ok();
            }
            Ok(None) => {}
            Err(error) => {
                let error = piece.trouble(&error);
                told.set(Err(error.clone()));
                chunks.blocking_send(Err(error)).ok();
            }
        });
        (
            PartBody {
                length,
                checksum: None,
                left: length,
                left_of_frame: 0,
                chunks: received,
                ready: VecDeque::new(),
                flight,
            },
            outcome,
        )
    }

    /// Reads a piece of at most [`HELD`] bytes whole, so that its checksum can go before it.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn hold(&self, piece: Piece, flight: Arc<Flight>) -> Result<(PartBody, Outcome)> {
        let length = piece.length;
        let (reader, runtime) = (self.clone(), Handle::current());
        let read = move || reader.read_whole(&piece, &runtime).map_err(|error| piece.trouble(&error));
        let (ready, checksum) = tokio::task::spawn_blocking(read).await.map_err(Error::internal)??;
        let outcome = Outcome::default();
        outcome.set(Ok(checksum));
        // Nobody sends: all of it is ready.
        let (_, chunks) = mpsc::channel(1);
        let checksum = Some(checksum);
        Ok((PartBody { length, checksum, left: length, left_of_frame: length, chunks, ready, flight }, outcome))
    }

    fn read_whole(&self, piece: &Piece, runtime: &Handle) -> io::Result<(VecDeque<Bytes>, Checksum)> {
        let mut digest = crc_fast::Digest::new(Crc64Nvme);
        let mut file = files::open(&piece.path)?;
        file.seek(SeekFrom::Start(piece.offset))?;
        let mut left = usize::try_from(piece.length).map_err(io::Error::other)?;
        let count = u32::try_from(left.div_ceil(CHUNK)).map_err(io::Error::other)?;
        let mut ready = VecDeque::new();
        for mut chunk in self.budget.take_many(count, runtime)? {
            chunk.length = left.min(CHUNK);
            file.read_exact(chunk.memory.first_mut(chunk.length))?;
            digest.update(chunk.as_ref());
            left -= chunk.length;
            self.limit.wait(chunk.length, runtime);
            ready.push_back(Bytes::from_owner(chunk));
        }
        Ok((ready, Checksum::of_value(digest.finalize())))
    }

    /// The checksum, or `None` when nobody takes the bytes any more.
    fn read(
        &self,
        piece: &Piece,
        chunks: &mpsc::Sender<Result<Vec<Bytes>>>,
        runtime: &Handle,
    ) -> io::Result<Option<Checksum>> {
        let mut digest = crc_fast::Digest::new(Crc64Nvme);
        let mut file = files::open(&piece.path)?;
        file.seek(SeekFrom::Start(piece.offset))?;
        let mut left = piece.length;
        while left > 0 {
            let most = self.limit.step(CHUNK);
            // Under a limit each chunk goes as soon as it may.
            let share = if self.limit.get().is_some() { 1 } else { self.budget.share() };
            let mut batch = Vec::with_capacity(share);
            let mut next = Some(self.budget.take(runtime)?);
            while let Some(mut chunk) = next {
                chunk.length = usize::try_from(left).map_or(most, |left| left.min(most));
                file.read_exact(chunk.memory.first_mut(chunk.length))?;
                digest.update(chunk.as_ref());
                left -= chunk.length as u64;
                self.limit.wait(chunk.length, runtime);
                batch.push(Bytes::from_owner(chunk));
                next = if left > 0 && batch.len() < share { self.budget.try_take() } else { None };
            }
            if chunks.blocking_send(Ok(batch)).is_err() {
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
                let mut file = files::open(&piece.path)?;
                file.seek(SeekFrom::Start(piece.offset))?;
                let mut left = piece.length;
                let mut memory = Memory::new();
                while left > 0 {
                    let wanted = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
                    file.read_exact(memory.first_mut(wanted))?;
                    digest.update(memory.first(wanted));
                    left -= wanted as u64;
                }
                Ok(Checksum::of_value(digest.finalize()))
            };
            read().map_err(|error| piece.trouble(&error))
        })
        .await
        .map_err(Error::internal)?
    }
}

/// Bytes of the file in one chunk of the encoding, but for the last one. Servers hold a chunk until they have all of it,
/// and some copy what they hold as it grows: a part as one chunk cost Garage nearly twice the CPU.
const FRAME: u64 = CHUNK as u64;

/// What comes before a chunk of so many bytes: the end of the one before, if there is one, and its length in hexadecimal.
fn head(length: u64, is_first: bool) -> Bytes {
    let end = if is_first { "" } else { "\r\n" };
    Bytes::from(format!("{end}{length:X}\r\n"))
}

/// What comes behind the bytes: the end of the last chunk, where there was one, and the checksum.
fn trailer(length: u64, checksum: Checksum) -> Bytes {
    let end = if length == 0 { "" } else { "\r\n" };
    Bytes::from(format!("{end}0\r\n{TRAILER}:{checksum}\r\n\r\n"))
}

/// Bytes that `length` bytes are as `aws-chunked` with the trailer.
pub(super) fn encoded_length(length: u64) -> u64 {
    let (full, rest) = (length / FRAME, length % FRAME);
    let mut heads = full * head(FRAME, false).len() as u64;
    if rest > 0 {
        heads += head(rest, false).len() as u64;
    }
    // The first has none before it.
    let first = if length > 0 { 2 } else { 0 };
    length + heads - first + trailer(length, Checksum::of_value(0)).len() as u64
}

/// The body of the request. It counts what the connection takes.
pub(super) struct PartBody {
    length: u64,
    /// Where it goes before the bytes, which then are not framed.
    checksum: Option<Checksum>,
    /// Bytes of the file that are not sent yet: of all, and of the chunk that was begun.
    left: u64,
    left_of_frame: u64,
    chunks: mpsc::Receiver<Result<Vec<Bytes>>>,
    /// Handed over and not sent yet.
    ready: VecDeque<Bytes>,
    flight: Arc<Flight>,
}

impl PartBody {
    /// How many of its bytes are the file's.
    pub fn file_bytes(&self) -> u64 {
        self.length
    }

    /// Its checksum, where it goes before the bytes.
    pub fn checksum(&self) -> Option<Checksum> {
        self.checksum
    }
}

impl http_body::Body for PartBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        if self.left > 0 && self.left_of_frame == 0 {
            self.left_of_frame = self.left.min(FRAME);
            let head = head(self.left_of_frame, self.left == self.length);
            self.flight.taken(head.len() as u64);
            return Poll::Ready(Some(Ok(Frame::data(head))));
        }
        if self.ready.is_empty() {
            let polled = self.chunks.poll_recv(context);
            if polled.is_pending() {
                self.flight.hungers();
            }
            match ready!(polled) {
                None => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(batch)) => self.ready.extend(batch),
            }
        }
        let Some(mut bytes) = self.ready.pop_front() else { return Poll::Ready(None) };
        // The trailer is none of the file's bytes.
        if self.left > 0 {
            let rest = bytes.split_off(bytes.len().min(usize::try_from(self.left_of_frame).unwrap_or(usize::MAX)));
            if !rest.is_empty() {
                self.ready.push_front(rest);
            }
            let count = bytes.len() as u64;
            self.left -= count;
            self.left_of_frame -= count;
            self.flight.add(count);
        }
        self.flight.taken(bytes.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.checksum.is_some() { self.length } else { encoded_length(self.length) })
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::super::Progress;
    use super::super::memory::CHUNKS;
    use super::*;

    #[tokio::test]
    async fn a_part_goes_in_chunks_with_its_checksum_behind_them() {
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
        let mut expected = Vec::new();
        for chunk in bytes[1000..701_000].chunks(CHUNK) {
            expected.extend([format!("{:X}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        }
        expected.extend(format!("0\r\n{TRAILER}:{checksum}\r\n\r\n").as_bytes());
        assert!(sent == expected);
        assert_eq!(encoded_length(700_000), expected.len() as u64);
        for length in [0, 1, 262_143, 262_144, 262_145, 524_288] {
            let (body, _) = reader.start(Piece { path: path.clone(), offset: 0, length }, Progress::default().flight());
            assert_eq!(body.collect().await.unwrap().to_bytes().len() as u64, encoded_length(length), "{length}");
        }
    }

    #[tokio::test]
    async fn a_small_piece_goes_as_it_is_with_its_checksum_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("poster.jpg");
        let bytes: Vec<u8> = (0..HELD as u32 + 10).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let reader = Reader::default();
        for length in [0, 1, CHUNK as u64, CHUNK as u64 + 1, HELD] {
            let piece = Piece { path: path.clone(), offset: 10, length };
            let (body, outcome) = reader.hold(piece, Progress::default().flight()).await.unwrap();
            let expected = &bytes[10..10 + length as usize];
            assert_eq!(body.checksum(), Some(Checksum::of_bytes(expected)));
            assert_eq!(outcome.get().unwrap().unwrap(), Checksum::of_bytes(expected));
            assert_eq!(http_body::Body::size_hint(&body).exact(), Some(length));
            assert!(body.collect().await.unwrap().to_bytes() == expected);
        }
        let beyond = Piece { path, offset: 11, length: HELD };
        let refused = reader.hold(beyond, Progress::default().flight()).await;
        assert_eq!(refused.err().map(|error| error.code), Some(crate::Code::FileChanged));
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
        std::fs::write(&path, vec![7; CHUNK * 3]).unwrap();
        let reader = Reader::default();
        for _ in 0..CHUNKS {
            let piece = Piece { path: path.clone(), offset: 0, length: (CHUNK * 3) as u64 };
            // Dropped in the middle, as a connection that breaks does.
            let (mut body, _) = reader.start(piece.clone(), Progress::default().flight());
            body.frame().await.unwrap().unwrap();
            body.frame().await.unwrap().unwrap();
        }
        assert!(reader.budget.has_all().await);
    }
}
