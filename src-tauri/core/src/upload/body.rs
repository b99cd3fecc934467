//! A part's bytes on their way: as they are, with their checksum before them in a header, or framed as `aws-chunked` with
//! the checksum behind them.
//!
//! Source: S3 API Reference, "Signature calculations for the Authorization header: including trailing headers
//! (chunked upload)", with `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;

use super::checksum::Checksum;
use super::memory::CHUNK;
use super::progress::Flight;
use crate::{Error, Result};

/// The name of the header that ends a part.
pub(super) const TRAILER: &str = "x-amz-checksum-crc64nvme";

/// Bytes of the file in one chunk of the encoding, but for the last one. Servers hold a chunk until they have all of it,
/// and some copy what they hold as it grows: a part as one chunk cost Garage nearly twice the CPU.
const FRAME: u64 = CHUNK as u64;

/// What comes before a chunk of so many bytes: the end of the one before, if there is one, and its length in hexadecimal.
fn head(length: u64, is_first: bool) -> Bytes {
    let end = if is_first { "" } else { "\r\n" };
    Bytes::from(format!("{end}{length:X}\r\n"))
}

/// What comes behind the bytes: the end of the last chunk, where there was one, and the checksum.
pub(super) fn trailer(length: u64, checksum: Checksum) -> Bytes {
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
    /// One whose bytes come as they are read, framed unless its checksum is known.
    pub fn reading(
        length: u64,
        checksum: Option<Checksum>,
        chunks: mpsc::Receiver<Result<Vec<Bytes>>>,
        flight: Arc<Flight>,
    ) -> Self {
        let left_of_frame = checksum.map_or(0, |_| length);
        Self { length, checksum, left: length, left_of_frame, chunks, ready: VecDeque::new(), flight }
    }

    /// One whose bytes are all there.
    pub fn held(length: u64, checksum: Checksum, ready: VecDeque<Bytes>, flight: Arc<Flight>) -> Self {
        // Nobody sends.
        let (_, chunks) = mpsc::channel(1);
        Self { length, checksum: Some(checksum), left: length, left_of_frame: length, chunks, ready, flight }
    }

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
