//! The sample tables of an ISO base media or QuickTime file: whether the pictures that they name are there.
//!
//! Source: ISO/IEC 14496-12, 8.4.3 (`hdlr`), 8.5.2 (`stsd`), 8.7.5 (`stco`, `co64`).

use std::fs::File;
use std::io;

use super::{Incomplete, is_zero, read_up_to};

/// Tables of more bytes are not read: three million chunks are a film of weeks.
const LARGEST_TABLE: u64 = 24 * 1024 * 1024;
/// Bytes of a chunk of pictures that are looked at. Compressed pictures have no such run of zeros.
const LOOK: usize = 2 * 1024;
/// Pictures that are not compressed are all zeros where they are black, or where nothing is seen.
const UNCOMPRESSED: [&[u8]; 14] = [
    b"raw ", b"rle ", b"yuv2", b"r210", b"R10k", b"R10g", b"b48r", b"b64a", b"b16g", b"24BG", b"BGRA", b"RGBA",
    b"ARGB", b"v308",
];

/// A box: its type, and where its content is.
struct Found {
    kind: [u8; 4],
    from: u64,
    to: u64,
}

fn children(file: &mut File, from: u64, to: u64) -> io::Result<Vec<Found>> {
    let (mut at, mut found) = (from, Vec::new());
    while at + 8 <= to && found.len() < 1024 {
        let mut head = [0; 16];
        if read_up_to(file, at, &mut head)? < 8 {
            break;
        }
        let word =
            |from: usize| u64::from(u32::from_be_bytes([head[from], head[from + 1], head[from + 2], head[from + 3]]));
        let (length, content) = match word(0) {
            0 => (to - at, 8),
            1 => (word(8) << 32 | word(12), 16),
            length => (length, 8),
        };
        if length < content {
            break;
        }
        let end = at.saturating_add(length).min(to);
        found.push(Found { kind: [head[4], head[5], head[6], head[7]], from: at + content, to: end });
        at = end;
    }
    Ok(found)
}

/// The box at a path of types below this place.
fn at_path(file: &mut File, from: u64, to: u64, path: &[&[u8; 4]]) -> io::Result<Option<Found>> {
    let Some((first, rest)) = path.split_first() else { return Ok(None) };
    let Some(found) = children(file, from, to)?.into_iter().find(|found| found.kind == **first) else {
        return Ok(None);
    };
    if rest.is_empty() { Ok(Some(found)) } else { at_path(file, found.from, found.to, rest) }
}

/// Where the chunks of pictures begin, as the tables of `moov` say; none where they do not say it.
fn chunks(file: &mut File, moov: (u64, u64)) -> io::Result<Vec<u64>> {
    for track in children(file, moov.0, moov.1)?.into_iter().filter(|found| &found.kind == b"trak") {
        let Some(handler) = at_path(file, track.from, track.to, &[b"mdia", b"hdlr"])? else { continue };
        let mut kind = [0; 12];
        read_up_to(file, handler.from, &mut kind)?;
        // Its pictures may lie in another file (8.7.2): the flag says that they are in this one.
        let Some(reference) = at_path(file, track.from, track.to, &[b"mdia", b"minf", b"dinf", b"dref"])? else {
            continue;
        };
        let mut entry = [0; 12];
        read_up_to(file, reference.from + 8, &mut entry)?;
        if entry[11] & 1 == 0 {
            continue;
        }
        let Some(table) = at_path(file, track.from, track.to, &[b"mdia", b"minf", b"stbl"])? else { continue };
        if &kind[8..12] != b"vide" {
            continue;
        }
        let tables = children(file, table.from, table.to)?;
        let of = |kind: &[u8; 4]| tables.iter().find(|found| &found.kind == kind);
        if let Some(entry) = of(b"stsd") {
            let mut codec = [0; 16];
            read_up_to(file, entry.from, &mut codec)?;
            if UNCOMPRESSED.contains(&&codec[12..16]) {
                continue;
            }
        }
        let (offsets, width) = match (of(b"stco"), of(b"co64")) {
            (Some(offsets), _) => (offsets, 4),
            (None, Some(offsets)) => (offsets, 8),
            (None, None) => continue,
        };
        let length = offsets.to.saturating_sub(offsets.from + 8);
        if length == 0 || length > LARGEST_TABLE {
            continue;
        }
        let mut bytes = vec![0; length as usize];
        let read = read_up_to(file, offsets.from + 8, &mut bytes)?;
        let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        return Ok(bytes[..read].chunks_exact(width).map(number).collect());
    }
    Ok(Vec::new())
}

/// What is missing of the pictures that the tables name.
pub(super) fn missing(file: &mut File, moov: (u64, u64), size: u64) -> io::Result<Option<Incomplete>> {
    let mut chunks = chunks(file, moov)?;
    chunks.sort_unstable();
    let Some(last) = chunks.last().copied() else { return Ok(None) };
    if last >= size {
        return Ok(Some(Incomplete::CutOff { has: size, wants: last + 1 }));
    }
    let mut zero = |at: u64| is_zero(file, at, LOOK);
    if !zero(last)? {
        return Ok(None);
    }
    // The first one that is empty, found by halves: what is copied is copied from the front.
    let (mut from, mut to) = (0, chunks.len() - 1);
    while from < to {
        let middle = (from + to) / 2;
        if zero(chunks[middle])? { to = middle } else { from = middle + 1 }
    }
    Ok(Some(Incomplete::Zeros { has: chunks[to], size }))
}
