//! Whether a container is complete, without decoding it: what is cut off, or waits for its index, is not taken.
//!
//! Sources: ISO/IEC 14496-12 4.2 (boxes), RFC 8794 and RFC 9559 (EBML, Matroska), SMPTE ST 377-1 (MXF partitions and
//! the random index pack).

mod tables;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a file that is still is not complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Incomplete {
    /// Nothing is in it.
    Empty,
    /// What is written last is missing: `moov` of MP4 and MOV, the footer of MXF.
    NoIndex {
        /// Its name.
        index: String,
    },
    /// Its end is empty: room that was made for a copy which has not come that far.
    Zeros {
        /// Bytes before it, about.
        #[ts(type = "number")]
        has: u64,
        /// Bytes of the file.
        #[ts(type = "number")]
        size: u64,
    },
    /// It ends before its own end.
    CutOff {
        /// Bytes that are there.
        #[ts(type = "number")]
        has: u64,
        /// Bytes that it says it has, at least.
        #[ts(type = "number")]
        wants: u64,
    },
}

/// Boxes that may begin an ISO base media or QuickTime file.
const FIRST_BOXES: [&[u8; 4]; 9] = [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"uuid"];
/// More boxes at the top than any file has: each fragment brings two.
const MOST_BOXES: u32 = 2_000_000;
const EBML: [u8; 4] = [0x1A, 0x45, 0xDF, 0xA3];
const SEGMENT: u64 = 0x1853_8067;
/// An element that only takes room.
const VOID: u64 = 0xEC;
/// Bytes that are looked at where an element should be.
const EMPTY: usize = 4096;
/// The first 11 bytes of every partition pack; then its place and its status.
const PARTITION: [u8; 13] = [0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0D, 0x01, 0x02, 0x01, 0x01];
const HEADER: u8 = 0x02;
const CLOSED: [u8; 2] = [0x02, 0x04];
const RANDOM_INDEX: u8 = 0x11;
const FOOTER: u8 = 0x04;
/// The first byte of each packet (ISO/IEC 13818-1, 2.4.3.2), and the first pack header (2.5.3.4).
const TRANSPORT_STREAM: u8 = 0x47;
const PROGRAM_STREAM: [u8; 4] = [0x00, 0x00, 0x01, 0xBA];
/// Boxes that stand at the top level. Source: ISO/IEC 14496-12, table 1; `wide` of the `QuickTime` File Format.
const TOP_LEVEL: [&[u8; 4]; 17] = [
    b"ftyp", b"styp", b"pdin", b"moov", b"moof", b"mfra", b"mdat", b"idat", b"free", b"skip", b"wide", b"udta",
    b"meta", b"uuid", b"sidx", b"prft", b"emsg",
];
/// Bytes of a block that is looked at for zeros.
const BLOCK: u64 = 64 * 1024;
/// Zeros behind the last fragment that may be padding, at most.
const PADDING: u64 = 1024 * 1024;
/// Silence that is not compressed may be zeros, for so long at most.
const SILENCE: u64 = 2 * 1024 * 1024;

/// What is missing of the file, if anything is. What is of a kind that does not tell counts as complete.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn missing(path: &Path) -> io::Result<Option<Incomplete>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if size == 0 {
        return Ok(Some(Incomplete::Empty));
    }
    let mut start = [0; 16];
    let read = read_up_to(&mut file, 0, &mut start)?;
    let start = &start[..read];
    if start.get(4..8).is_some_and(|name| FIRST_BOXES.iter().any(|first| &first[..] == name)) {
        return of_boxes(&mut file, size);
    }
    if start.starts_with(&EBML) {
        return of_matroska(&mut file, size);
    }
    if start.starts_with(&PARTITION) && start.get(13) == Some(&HEADER) {
        return of_mxf(&mut file, size, start.get(14).copied().unwrap_or_default());
    }
    if start.first() == Some(&TRANSPORT_STREAM) || start.starts_with(&PROGRAM_STREAM) {
        return of_stream(&mut file, size);
    }
    Ok(None)
}

/// Whether the bytes from a place on are all zeros, as far as the file goes.
fn is_zero(file: &mut File, at: u64, length: usize) -> io::Result<bool> {
    let mut bytes = vec![0; length];
    let read = read_up_to(file, at, &mut bytes)?;
    Ok(read > 0 && bytes[..read].iter().all(|byte| *byte == 0))
}

/// Where the zeros begin that a file ends in, if it ends in a block of them: found by halves.
fn zeros_from(file: &mut File, size: u64) -> io::Result<Option<u64>> {
    let step = |blocks: u64| size.saturating_sub(blocks * BLOCK);
    if size < 2 * BLOCK || !is_zero(file, step(1), BLOCK as usize)? {
        return Ok(None);
    }
    let (mut from, mut to) = (1, size / BLOCK);
    while from < to {
        let middle = (from + to).div_ceil(2);
        if is_zero(file, step(middle), BLOCK as usize)? { from = middle } else { to = middle - 1 }
    }
    Ok(Some(step(from)))
}

/// An MPEG stream has no table of itself; a block of zeros at its end is none that a program wrote.
fn of_stream(file: &mut File, size: u64) -> io::Result<Option<Incomplete>> {
    Ok(zeros_from(file, size)?.map(|has| Incomplete::Zeros { has, size }))
}

fn read_up_to(file: &mut File, at: u64, into: &mut [u8]) -> io::Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    let mut read = 0;
    while read < into.len() {
        match file.read(&mut into[read..])? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

fn of_boxes(file: &mut File, size: u64) -> io::Result<Option<Incomplete>> {
    let (mut at, mut index, mut has_media, mut is_fragmented) = (0_u64, None, false, false);
    for _ in 0..MOST_BOXES {
        let mut head = [0; 16];
        let read = read_up_to(file, at, &mut head)?;
        if read == 0 {
            break;
        }
        let is_media = read >= 8 && (&head[4..8] == b"mdat" || &head[4..8] == b"moof");
        let is_box = read >= 8 && TOP_LEVEL.iter().any(|name| head[4..8] == **name);
        let runs_out = || at + u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]])) > size;
        if index.is_some() && has_media && !is_box && (read < 8 || runs_out()) {
            // Something behind the last box that is none: a tag of another program. The tables tell.
            break;
        }
        has_media |= is_media;
        if read < 8 {
            return Ok(Some(Incomplete::CutOff { has: size, wants: at + 8 }));
        }
        let word = |from: usize| u32::from_be_bytes([head[from], head[from + 1], head[from + 2], head[from + 3]]);
        // In fragments a copy that has not come so far leaves zeros where the next box should be.
        if is_fragmented && head[..8] == [0; 8] && size - at > BLOCK.max((size / 50).min(PADDING)) {
            return Ok(Some(Incomplete::Zeros { has: at, size }));
        }
        is_fragmented |= &head[4..8] == b"moof";
        let is_index = &head[4..8] == b"moov";
        let length = match word(0) {
            // To the end of the file.
            0 => size - at,
            1 if read == 16 => u64::from(word(8)) << 32 | u64::from(word(12)),
            1 => return Ok(Some(Incomplete::CutOff { has: size, wants: at + 16 })),
            length => u64::from(length),
        };
        if length < 8 {
            // Padding behind the last box; players do not mind it.
            break;
        }
        at = at.saturating_add(length);
        if at > size {
            // Its index comes behind what is missing, if it is not there yet.
            return Ok(Some(Incomplete::CutOff { has: size, wants: at }));
        }
        if is_index {
            index = Some((at - length + 8, at));
        }
    }
    match index {
        Some(index) => tables::missing(file, index, size),
        None => Ok(Some(Incomplete::NoIndex { index: "moov".to_owned() })),
    }
}

fn of_matroska(file: &mut File, size: u64) -> io::Result<Option<Incomplete>> {
    let mut at = 0;
    loop {
        let mut head = [0; 12];
        let read = read_up_to(file, at, &mut head)?;
        let Some((id, id_length)) = number(&head[..read], false) else { return Ok(None) };
        let Some((length, length_length)) = number(&head[id_length..read], true) else { return Ok(None) };
        let content = at + (id_length + length_length) as u64;
        // All ones: not known. It is so while it is written, and stays so in what was streamed.
        let is_unknown = length == (1_u64 << (7 * length_length)) - 1;
        if is_unknown {
            return of_stream(file, size);
        }
        let end = content.saturating_add(length);
        if end > size {
            return Ok(Some(Incomplete::CutOff { has: size, wants: end }));
        }
        if id == SEGMENT {
            return of_segment(file, content, end, size);
        }
        if end == size {
            return Ok(None);
        }
        at = end;
    }
}

/// Goes from element to element of a segment: where the next one should begin and all is zero, a copy has not come yet.
fn of_segment(file: &mut File, from: u64, to: u64, size: u64) -> io::Result<Option<Incomplete>> {
    let mut at = from;
    for _ in 0..MOST_BOXES {
        let mut head = [0; 12];
        let read = read_up_to(file, at, &mut head)?;
        let id = number(&head[..read], false);
        let length = id.and_then(|(_, id_length)| Some((id_length, number(&head[id_length..read], true)?)));
        let Some((id_length, (length, length_length))) = length else {
            // No element begins with a zero.
            let is_empty = head[0] == 0 && is_zero(file, at, EMPTY)?;
            return Ok((at < to && is_empty).then_some(Incomplete::Zeros { has: at, size }));
        };
        if length == (1_u64 << (7 * length_length)) - 1 {
            return Ok(None);
        }
        let content = at + (id_length + length_length) as u64;
        let end = content.saturating_add(length);
        // Of a cluster the end may be empty.
        // Silence may end it; nothing has this much of it in one piece.
        let tail = SILENCE.min((end - content) / 2);
        if end == to && tail >= BLOCK && is_zero(file, end - tail, tail as usize)? {
            let is_void = id.is_some_and(|(id, _)| id == VOID);
            let has = zeros_from(file, size)?.unwrap_or(content);
            return Ok((!is_void).then_some(Incomplete::Zeros { has, size }));
        }
        if end >= to {
            return Ok(None);
        }
        at = end;
    }
    Ok(None)
}

/// An EBML number and its length; `None` where there is none.
fn number(bytes: &[u8], without_marker: bool) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    if length > 8 || bytes.len() < length {
        return None;
    }
    let first = if without_marker { u64::from(first) & ((1 << (8 - length)) - 1) } else { u64::from(first) };
    Some((bytes[1..length].iter().fold(first, |value, byte| value << 8 | u64::from(*byte)), length))
}

/// A header that was closed names the place of the footer (SMPTE ST 377-1, 7.1, `FooterPartition`).
fn of_closed_mxf(file: &mut File, size: u64) -> io::Result<Option<Incomplete>> {
    let mut pack = [0; 64];
    let read = read_up_to(file, 0, &mut pack)?;
    // The length behind the key takes one byte, or as many more as its first one says.
    let content = 17 + if pack[16] & 0x80 == 0 { 0 } else { usize::from(pack[16] & 0x0F) };
    let place = pack.get(content + 24..content + 32).filter(|_| read == pack.len());
    let footer = place.map_or(0, |bytes| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)));
    if footer == 0 {
        return Ok(None);
    }
    if footer >= size {
        return Ok(Some(Incomplete::CutOff { has: size, wants: footer + 1 }));
    }
    let mut key = [0; 14];
    read_up_to(file, footer, &mut key)?;
    if key.starts_with(&PARTITION) {
        return Ok(None);
    }
    Ok(zeros_from(file, size)?.map(|has| Incomplete::Zeros { has, size }))
}

/// Whether a footer partition lies near the end: the random index pack behind it is optional.
fn has_footer(file: &mut File, size: u64) -> io::Result<bool> {
    let mut end = vec![0; 512 * 1024];
    let read = read_up_to(file, size.saturating_sub(end.len() as u64), &mut end)?;
    Ok(end[..read].windows(14).any(|key| key.starts_with(&PARTITION) && key[13] == FOOTER))
}

fn of_mxf(file: &mut File, size: u64, status: u8) -> io::Result<Option<Incomplete>> {
    if CLOSED.contains(&status) {
        return of_closed_mxf(file, size);
    }
    // The last four bytes say how long the pack is that they end.
    let mut end = [0; 4];
    let read = read_up_to(file, size.saturating_sub(4), &mut end)?;
    let length = u64::from(u32::from_be_bytes(end));
    let mut key = [0; 14];
    if read == 4 && length <= size && length >= 20 {
        read_up_to(file, size - length, &mut key)?;
    }
    let is_closed = key.starts_with(&PARTITION) && key[13] == RANDOM_INDEX || has_footer(file, size)?;
    Ok((!is_closed).then(|| Incomplete::NoIndex { index: "footer".to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Option<Incomplete> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        missing(file.path()).unwrap()
    }

    fn mp4_box(name: &[u8; 4], content: usize) -> Vec<u8> {
        let length = u32::try_from(content + 8).unwrap();
        [&length.to_be_bytes()[..], name, &vec![7; content]].concat()
    }

    #[test]
    fn mp4() {
        let (ftyp, moov, mdat) = (mp4_box(b"ftyp", 16), mp4_box(b"moov", 100), mp4_box(b"mdat", 1000));
        assert_eq!(of(&[ftyp.clone(), moov.clone(), mdat.clone()].concat()), None);
        assert_eq!(of(&[ftyp.clone(), mdat.clone(), moov.clone()].concat()), None);
        let no_index = Some(Incomplete::NoIndex { index: "moov".to_owned() });
        assert_eq!(of(&[ftyp.clone(), mdat.clone()].concat()), no_index);
        // As ffmpeg leaves it when it is killed: the media runs to the end.
        let open = [&0_u32.to_be_bytes()[..], b"mdat", &[1; 500]].concat();
        assert_eq!(of(&[ftyp.clone(), open.clone()].concat()), no_index);
        assert_eq!(of(&[ftyp.clone(), moov.clone(), open].concat()), None);
        // The index is first, and the copy broke off.
        let cut = [ftyp.clone(), moov.clone(), mdat[..600].to_vec()].concat();
        assert_eq!(of(&cut), Some(Incomplete::CutOff { has: 24 + 108 + 600, wants: 24 + 108 + 1008 }));
        assert_eq!(of(&cut[..24 + 108 + 5]), Some(Incomplete::CutOff { has: 137, wants: 140 }));
        // A box of 64 bits.
        let large = [&1_u32.to_be_bytes()[..], b"mdat", &5_000_000_000_u64.to_be_bytes(), &[1; 50]].concat();
        let wants = 24 + 5_000_000_000;
        assert_eq!(of(&[ftyp.clone(), large].concat()), Some(Incomplete::CutOff { has: 24 + 66, wants }));
        assert_eq!(of(&[ftyp, moov, mdat, vec![0; 64]].concat()), None, "padding");
    }

    #[test]
    fn matroska() {
        let head = [&EBML[..], &[0x84, 1, 2, 3, 4]].concat();
        let segment = |length: u64, content: usize| {
            let length = (length | 1 << 56).to_be_bytes();
            [&[0x18, 0x53, 0x80, 0x67][..], &length, &vec![9; content]].concat()
        };
        assert_eq!(of(&[head.clone(), segment(500, 500)].concat()), None);
        assert_eq!(
            of(&[head.clone(), segment(500, 400)].concat()),
            Some(Incomplete::CutOff { has: 9 + 12 + 400, wants: 9 + 12 + 500 })
        );
        assert_eq!(of(&[head, segment((1 << 56) - 1, 400)].concat()), None, "streamed");
    }

    #[test]
    fn mxf() {
        let head = |status: u8| [&PARTITION[..], &[HEADER, status, 0], &[0; 200]].concat();
        let index = [&PARTITION[..], &[RANDOM_INDEX, 1, 0, 8], &[0; 8], &29_u32.to_be_bytes()].concat();
        assert_eq!(of(&head(4)), None);
        assert_eq!(of(&head(1)), Some(Incomplete::NoIndex { index: "footer".to_owned() }));
        assert_eq!(of(&[head(1), index].concat()), None);
    }

    #[test]
    fn what_does_not_tell_is_complete() {
        assert_eq!(of(b"a text"), None);
        assert_eq!(of(&[0x47; 188]), None);
        assert_eq!(of(b""), Some(Incomplete::Empty));
    }
}
