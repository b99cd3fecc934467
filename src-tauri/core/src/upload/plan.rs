//! How a file is cut into parts. Source: S3 User Guide, "Amazon S3 multipart upload limits".

use crate::{Code, Error, Result};

const MIB: u64 = 1024 * 1024;
/// The part size of files above 1 GiB that it suffices for; a file of no more goes up in one request.
pub(super) const USUAL_PART: u64 = 8 * MIB;
/// The smallest part that S3 takes, but for the last one.
const SMALL_PART: u64 = 5 * MIB;
/// Up to here parts are small. On a slow line the last ones go alone for as long as they take, which is a good part of the
/// time that a file of this size takes.
const SMALL_PARTS_UP_TO: u64 = 1024 * MIB;
const MAX_PARTS: u64 = 10_000;
const MAX_PART: u64 = 5 * 1024 * MIB;
/// 48.8 TiB (50 TB).
const MAX_OBJECT: u64 = MAX_PART * MAX_PARTS;

/// The number of a part: 1 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNumber(u16);

impl PartNumber {
    /// A number that S3 takes.
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        u16::try_from(number).ok().filter(|number| (1..=10_000).contains(number)).map(Self)
    }

    /// As S3 wants it.
    #[must_use]
    pub fn get(self) -> i32 {
        i32::from(self.0)
    }
}

/// The parts of a file of a known size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartPlan {
    size: u64,
    part_size: u64,
}

impl PartPlan {
    /// Cuts a file of `size` bytes.
    ///
    /// # Errors
    /// [`Code::TooLarge`] above what S3 takes.
    pub fn for_size(size: u64) -> Result<Self> {
        if size > MAX_OBJECT {
            return Err(Error::new(
                Code::TooLarge,
                "The file is larger than 48.8 TiB, the most that S3 takes.",
                "Split it or encode it smaller, then add it.",
            ));
        }
        let is_small = (USUAL_PART + 1..=SMALL_PARTS_UP_TO).contains(&size);
        let usual = if is_small { SMALL_PART } else { USUAL_PART };
        let part_size = usual.max(size.div_ceil(MAX_PARTS).next_multiple_of(MIB)).min(MAX_PART);
        Ok(Self { size, part_size })
    }

    /// The plan that the journal holds.
    #[must_use]
    pub fn recorded(size: u64, part_size: u64) -> Self {
        Self { size, part_size: part_size.max(1) }
    }

    /// Bytes of every part but the last.
    #[must_use]
    pub fn part_size(self) -> u64 {
        self.part_size
    }

    /// How many parts it has; an empty file is one.
    #[must_use]
    pub fn count(self) -> u64 {
        self.size.div_ceil(self.part_size).clamp(1, MAX_PARTS)
    }

    /// Whether it goes up in one request, without a multipart upload.
    #[must_use]
    pub fn is_single(self) -> bool {
        self.count() == 1
    }

    /// The parts in order: number, offset and length in bytes.
    pub fn parts(self) -> impl Iterator<Item = (PartNumber, u64, u64)> {
        (0..self.count()).filter_map(move |index| {
            let offset = index * self.part_size;
            let number = PartNumber::new(i64::try_from(index).ok()? + 1)?;
            Some((number, offset, self.part_size.min(self.size - offset)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(size: u64, count: usize, last: u64) {
        let plan = PartPlan::for_size(size).unwrap();
        let parts: Vec<_> = plan.parts().collect();
        assert_eq!(parts.len(), count);
        assert_eq!(parts.iter().map(|part| part.2).sum::<u64>(), size);
        assert_eq!(parts.last().map(|part| part.2), Some(last));
        assert!((5 * MIB..=MAX_PART).contains(&plan.part_size()));
    }

    #[test]
    fn parts_cover_the_file() {
        check(0, 1, 0);
        check(1, 1, 1);
        check(USUAL_PART, 1, USUAL_PART);
        check(USUAL_PART + 1, 2, 3 * MIB + 1);
        check(1024 * MIB, 205, 4 * MIB);
        check(1024 * MIB + 1, 129, 1);
        check(USUAL_PART * MAX_PARTS, 10_000, USUAL_PART);
        check(100 * 1024 * MIB, 9_310, 100 * 1024 * MIB - 9_309 * 11 * MIB);
        check(MAX_OBJECT, 10_000, MAX_PART);
    }

    #[test]
    fn too_large() {
        assert_eq!(PartPlan::for_size(MAX_OBJECT + 1).unwrap_err().code, Code::TooLarge);
    }
}
