//! Reading pieces of files: in chunks by a thread of its own, and hashed in passing, so that no part is held whole. The
//! checksum of a piece goes before its bytes, which every server takes with less work: what is small is held whole for it,
//! what is larger was read before ([`super::readahead`]), and is compared with what it was then. Of a piece that is read only
//! once the checksum goes behind the bytes.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use crc_fast::CrcAlgorithm::Crc64Nvme;
use crc_fast::Digest;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::body::{PartBody, trailer};
use super::changed;
use super::checksum::Checksum;
use super::limit::Limit;
use super::memory::{Budget, CHUNK, Chunk, Glance};
use super::progress::Flight;
use super::readahead::{Readahead, SlowFolders};
use crate::files::{self, unreadable};
use crate::{Error, Result};

/// Bytes that are held whole, at most.
pub(super) const HELD: u64 = 4 * CHUNK as u64;

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

/// What came of reading a piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub checksum: Checksum,
    /// How long the file took to give its bytes.
    pub took: Duration,
}

/// How a piece is read, and where its checksum goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Once, and held whole; in a header.
    Held,
    /// For its checksum, and again as it goes; in a header.
    Twice,
    /// Once, as it goes; in a trailer.
    Once,
}

/// Where a checksum goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Header,
    Trailer,
}

impl Way {
    fn position(self) -> Position {
        match self {
            Self::Held | Self::Twice => Position::Header,
            Self::Once => Position::Trailer,
        }
    }
}

/// What became of the reading of a piece that goes: what it was once all of it was read, or why it could not be.
#[derive(Clone, Default)]
pub(super) struct Outcome(Arc<OnceLock<Result<Reading>>>);

impl Outcome {
    /// What was sent; an error where the file could not be read; `None` where the connection ended before the file did.
    pub fn get(&self) -> Option<Result<Reading>> {
        self.0.get().cloned()
    }

    fn set(&self, result: Result<Reading>) {
        self.0.set(result).ok();
    }
}

/// Reads pieces; cheap to clone.
#[derive(Clone)]
pub(super) struct Reader {
    pub limit: Limit,
    /// Bytes of a piece that is held whole, at most.
    pub held: u64,
    budget: Budget,
    slow: SlowFolders,
    /// Where the server wants checksums, once it has refused one that came otherwise and taken the same bytes so.
    wanted: Arc<OnceLock<Position>>,
}

impl Reader {
    /// A reader under this bandwidth limit.
    pub fn under(limit: Limit) -> Self {
        let (budget, slow) = (Budget::default(), SlowFolders::default());
        Self { limit, held: HELD, budget, slow, wanted: Arc::default() }
    }

    /// The readahead of the upload of a file.
    pub fn readahead(&self, path: &Path) -> Readahead {
        Readahead::new(path, self.slow.clone())
    }

    /// How a piece of so many bytes is to be read.
    pub fn way(&self, length: u64, readahead: &Readahead) -> Way {
        match self.wanted.get() {
            Some(Position::Trailer) => Way::Once,
            _ if length <= self.held => Way::Held,
            Some(Position::Header) => Way::Twice,
            None if readahead.serves(length) => Way::Twice,
            None => Way::Once,
        }
    }

    /// The way to try where the server refuses this one.
    pub fn other(&self, way: Way, length: u64) -> Way {
        match way.position() {
            Position::Header => Way::Once,
            Position::Trailer if length <= self.held => Way::Held,
            Position::Trailer => Way::Twice,
        }
    }

    /// Remembers that the server takes checksums in this way only.
    pub fn wants(&self, way: Way) {
        self.wanted.set(way.position()).ok();
    }

    /// The body of a piece that goes in this way; one that was read before goes as it was then, or not at all.
    ///
    /// # Errors
    /// When one that is held cannot be read.
    pub async fn body(
        &self,
        piece: Piece,
        way: Way,
        before: Option<Reading>,
        flight: Arc<Flight>,
    ) -> Result<(PartBody, Outcome)> {
        match way {
            Way::Held => self.hold(piece, flight).await,
            Way::Twice => Ok(self.start(piece, before.map(|before| before.checksum), flight)),
            Way::Once => Ok(self.start(piece, None, flight)),
        }
    }

    /// Begins to read a piece; its bytes come out of the body, what it was out of the outcome.
    fn start(&self, piece: Piece, before: Option<Checksum>, flight: Arc<Flight>) -> (PartBody, Outcome) {
        let outcome = Outcome::default();
        let (chunks, received) = mpsc::channel(1);
        let body = PartBody::reading(piece.length, before, received, flight);
        let (reader, told, runtime) = (self.clone(), outcome.clone(), Handle::current());
        tokio::task::spawn_blocking(move || match reader.read(&piece, before, &told, &chunks, &runtime) {
            Ok(Some(read)) if before.is_none() => {
                chunks.blocking_send(Ok(vec![trailer(piece.length, read.checksum)])).ok();
            }
            Ok(_) => {}
            Err(error) => {
                let error = piece.trouble(&error);
                told.set(Err(error.clone()));
                chunks.blocking_send(Err(error)).ok();
            }
        });
        (body, outcome)
    }

    /// Reads a piece of at most [`HELD`] bytes whole, so that its checksum can go before it.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn hold(&self, piece: Piece, flight: Arc<Flight>) -> Result<(PartBody, Outcome)> {
        let length = piece.length;
        // Waited for without a thread: of small files more go at once than there is memory for.
        let memory = self.budget.take_many(length).await?;
        let (reader, runtime) = (self.clone(), Handle::current());
        let read = move || reader.read_whole(&piece, memory, &runtime).map_err(|error| piece.trouble(&error));
        let (held, read) = tokio::task::spawn_blocking(read).await.map_err(Error::internal)??;
        let outcome = Outcome::default();
        outcome.set(Ok(read));
        Ok((PartBody::held(length, read.checksum, held, flight), outcome))
    }

    fn read_whole(
        &self,
        piece: &Piece,
        memory: Vec<Chunk>,
        runtime: &Handle,
    ) -> io::Result<(VecDeque<Bytes>, Reading)> {
        let mut source = Source::open(piece)?;
        let mut left = usize::try_from(piece.length).map_err(io::Error::other)?;
        let mut held = VecDeque::new();
        for mut chunk in memory {
            chunk.length = left.min(CHUNK);
            source.fill(chunk.memory.first_mut(chunk.length))?;
            left -= chunk.length;
            self.limit.wait(chunk.length, runtime);
            held.push_back(Bytes::from_owner(chunk));
        }
        Ok((held, source.end()))
    }

    /// What was read, or `None` when nobody takes the bytes any more. It is told before the last of the bytes go. Where they are
    /// not those that were read before, the file is another one.
    fn read(
        &self,
        piece: &Piece,
        before: Option<Checksum>,
        told: &Outcome,
        chunks: &mpsc::Sender<Result<Vec<Bytes>>>,
        runtime: &Handle,
    ) -> io::Result<Option<Reading>> {
        let mut source = Source::open(piece)?;
        let mut left = piece.length;
        loop {
            let most = self.limit.step(CHUNK);
            // Under a limit each chunk goes as soon as it may.
            let share = if self.limit.get().is_some() { 1 } else { self.budget.share() };
            let mut batch = Vec::with_capacity(share);
            let mut next = if left > 0 { Some(self.budget.take(runtime)?) } else { None };
            while let Some(mut chunk) = next {
                chunk.length = usize::try_from(left).map_or(most, |left| left.min(most));
                source.fill(chunk.memory.first_mut(chunk.length))?;
                left -= chunk.length as u64;
                self.limit.wait(chunk.length, runtime);
                batch.push(Bytes::from_owner(chunk));
                next = if left > 0 && batch.len() < share { self.budget.try_take() } else { None };
            }
            if left > 0 {
                if chunks.blocking_send(Ok(batch)).is_err() {
                    return Ok(None);
                }
                continue;
            }
            let read = source.end();
            if before.is_some_and(|before| before != read.checksum) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            told.set(Ok(read));
            let is_taken = batch.is_empty() || chunks.blocking_send(Ok(batch)).is_ok();
            return Ok(is_taken.then_some(read));
        }
    }

    /// Reads a piece that does not go now. A share that hangs is left to itself by whoever cancels.
    ///
    /// # Errors
    /// When it cannot be read, or is canceled.
    pub async fn look(&self, piece: Piece, canceled: &CancellationToken) -> Result<Reading> {
        let canceled = canceled.clone();
        tokio::task::spawn_blocking(move || {
            let read = || -> io::Result<Reading> {
                let (mut source, mut glance) = (Source::open(&piece)?, Glance::new());
                let mut left = piece.length;
                while left > 0 {
                    if canceled.is_cancelled() {
                        return Err(io::ErrorKind::Interrupted.into());
                    }
                    let most = glance.0.len();
                    let next = &mut glance.0[..usize::try_from(left).map_or(most, |left| left.min(most))];
                    source.fill(next)?;
                    left -= next.len() as u64;
                }
                Ok(source.end())
            };
            read().map_err(|error| match error.kind() {
                io::ErrorKind::Interrupted => super::canceled(),
                _ => piece.trouble(&error),
            })
        })
        .await
        .map_err(Error::internal)?
    }
}

/// A file that is hashed as it is read.
struct Source {
    file: File,
    digest: Digest,
    took: Duration,
}

impl Source {
    fn open(piece: &Piece) -> io::Result<Self> {
        let began = Instant::now();
        let mut file = files::open(&piece.path)?;
        file.seek(SeekFrom::Start(piece.offset))?;
        Ok(Self { file, digest: Digest::new(Crc64Nvme), took: began.elapsed() })
    }

    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        let began = Instant::now();
        self.file.read_exact(bytes)?;
        self.took += began.elapsed();
        self.digest.update(bytes);
        Ok(())
    }

    fn end(self) -> Reading {
        Reading { checksum: Checksum::of_value(self.digest.finalize()), took: self.took }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::super::Progress;
    use super::super::body::{TRAILER, encoded_length};
    use super::super::memory::CHUNKS;
    use super::super::progress::Meter;
    use super::*;

    #[tokio::test]
    async fn a_part_goes_in_chunks_with_its_checksum_behind_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.mov");
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let reader = Reader::under(Limit::default());
        let piece = Piece { path: path.clone(), offset: 1000, length: 700_000 };
        let (body, outcome) = reader.start(piece.clone(), None, Progress::default().flight(Meter::default()));
        let sent = body.collect().await.unwrap().to_bytes();
        let checksum = outcome.get().unwrap().unwrap().checksum;
        assert_eq!(checksum, Checksum::of_bytes(&bytes[1000..701_000]));
        assert_eq!(checksum, reader.look(piece, &CancellationToken::new()).await.unwrap().checksum);
        let mut expected = Vec::new();
        for chunk in bytes[1000..701_000].chunks(CHUNK) {
            expected.extend([format!("{:X}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        }
        expected.extend(format!("0\r\n{TRAILER}:{checksum}\r\n\r\n").as_bytes());
        assert!(sent == expected);
        assert_eq!(encoded_length(700_000), expected.len() as u64);
        for length in [0, 1, 262_143, 262_144, 262_145, 524_288] {
            let (body, _) = reader.start(
                Piece { path: path.clone(), offset: 0, length },
                None,
                Progress::default().flight(Meter::default()),
            );
            assert_eq!(body.collect().await.unwrap().to_bytes().len() as u64, encoded_length(length), "{length}");
        }
    }

    #[tokio::test]
    async fn a_small_piece_goes_as_it_is_with_its_checksum_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("poster.jpg");
        let bytes: Vec<u8> = (0..HELD as u32 + 10).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let reader = Reader::under(Limit::default());
        for length in [0, 1, CHUNK as u64, CHUNK as u64 + 1, HELD] {
            let piece = Piece { path: path.clone(), offset: 10, length };
            let (body, outcome) = reader.hold(piece, Progress::default().flight(Meter::default())).await.unwrap();
            let expected = &bytes[10..10 + length as usize];
            assert_eq!(body.checksum(), Some(Checksum::of_bytes(expected)));
            assert_eq!(outcome.get().unwrap().unwrap().checksum, Checksum::of_bytes(expected));
            assert_eq!(http_body::Body::size_hint(&body).exact(), Some(length));
            assert!(body.collect().await.unwrap().to_bytes() == expected);
        }
        let beyond = Piece { path, offset: 11, length: HELD };
        let refused = reader.hold(beyond, Progress::default().flight(Meter::default())).await;
        assert_eq!(refused.err().map(|error| error.code), Some(crate::Code::FileChanged));
    }

    #[tokio::test]
    async fn a_piece_that_was_read_before_goes_as_it_was_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.mov");
        let mut bytes: Vec<u8> = (0..HELD as u32 * 3).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let reader = Reader::under(Limit::default());
        let piece = Piece { path: path.clone(), offset: 7, length: HELD * 2 };
        let before = reader.look(piece.clone(), &CancellationToken::new()).await.unwrap().checksum;
        let (body, outcome) = reader.start(piece.clone(), Some(before), Progress::default().flight(Meter::default()));
        assert_eq!((body.checksum(), http_body::Body::size_hint(&body).exact()), (Some(before), Some(piece.length)));
        assert!(body.collect().await.unwrap().to_bytes() == bytes[7..7 + piece.length as usize]);
        assert_eq!(outcome.get().unwrap().unwrap().checksum, before);

        // Its last byte is another one now: the body ends before it.
        bytes[6 + piece.length as usize] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let (mut body, outcome) =
            reader.start(piece.clone(), Some(before), Progress::default().flight(Meter::default()));
        let (mut sent, mut refused) = (0, None);
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => sent += frame.into_data().unwrap().len() as u64,
                Err(error) => refused = Some(error.code),
            }
        }
        assert!(sent < piece.length, "{sent}");
        assert_eq!(refused, Some(crate::Code::FileChanged));
        assert_eq!(outcome.get().unwrap().unwrap_err().code, crate::Code::FileChanged);
    }

    #[test]
    fn a_way_that_the_server_refuses_is_left_for_the_other() {
        let reader = Reader::under(Limit::default());
        let readahead = reader.readahead(Path::new("/masters/master.mov"));
        assert_eq!(reader.way(HELD, &readahead), Way::Held);
        assert_eq!(reader.way(HELD + 1, &readahead), Way::Twice);
        assert_eq!(reader.way(1 << 40, &readahead), Way::Once);
        assert_eq!(reader.other(Way::Once, 1 << 40), Way::Twice);
        reader.wants(Way::Twice);
        assert_eq!(reader.way(1 << 40, &readahead), Way::Twice);

        let reader = Reader::under(Limit::default());
        assert_eq!((reader.other(Way::Held, 1), reader.other(Way::Twice, HELD + 1)), (Way::Once, Way::Once));
        reader.wants(Way::Once);
        assert_eq!(reader.way(1, &readahead), Way::Once);
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_is_a_changed_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.mov");
        std::fs::write(&path, "short").unwrap();
        let piece = Piece { path, offset: 0, length: 6 };
        let (body, outcome) =
            Reader::under(Limit::default()).start(piece, None, Progress::default().flight(Meter::default()));
        assert_eq!(body.collect().await.unwrap_err().code, crate::Code::FileChanged);
        assert_eq!(outcome.get().unwrap().unwrap_err().code, crate::Code::FileChanged);
    }

    #[tokio::test]
    async fn memory_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.mov");
        std::fs::write(&path, vec![7; CHUNK * 3]).unwrap();
        let reader = Reader::under(Limit::default());
        for _ in 0..CHUNKS {
            let piece = Piece { path: path.clone(), offset: 0, length: (CHUNK * 3) as u64 };
            // Dropped in the middle, as a connection that breaks does.
            let (mut body, _) = reader.start(piece.clone(), None, Progress::default().flight(Meter::default()));
            body.frame().await.unwrap().unwrap();
            body.frame().await.unwrap().unwrap();
        }
        assert!(reader.budget.has_all().await);
    }
}
