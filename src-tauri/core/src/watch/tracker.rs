//! What a folder holds that is not taken yet, and when to look at which file again. It knows no disk and no clock of
//! its own: both come in as values.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::names::{self, Kind};
use super::stamp::Stamp;
use crate::Error;
use crate::files::Identity;
use crate::files::Incomplete;

/// Files that are watched closely at the same time; the others wait.
const CLOSELY: usize = 1024;
/// What grows is looked at this often, so that the screen sees it grow.
const GROWS: Duration = Duration::from_millis(250);
/// What settles is looked at this often where nobody tells of changes.
const LOOKS_AGAIN: Duration = Duration::from_secs(1);
/// What waits for something is looked at this often at least, should nobody tell.
const WAITS: Duration = Duration::from_secs(2);

/// How far a file has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    /// Others are looked at first.
    Unseen,
    /// It was another one a moment ago.
    Growing,
    /// It is still, for not long enough yet.
    Settling,
    /// It is still and complete, and will be taken.
    Settled,
    /// A program holds it open for writing.
    Held,
    /// It is still, and not complete.
    Incomplete(Incomplete),
    /// It changed while what it was before is being sent.
    Sending,
    Unreadable(Error),
}

/// One file that is not taken yet.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub state: State,
    pub stamp: Option<Stamp>,
    /// Since when the stamp has been what it is.
    pub since: Instant,
    pub next_look: Instant,
    /// Someone wants it taken as it is.
    pub insisted: bool,
}

/// What is left aside, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aside {
    /// It has a name that it will lose.
    Temporary,
    /// A symbolic link.
    Link,
    /// Its name is not readable text.
    Unnamed,
    /// A folder that may not be read.
    Closed,
}

struct Known {
    identity: Identity,
    round: u32,
}

/// All of a folder.
pub(super) struct Tracker {
    settle: Duration,
    /// Nobody tells of changes: what settles is looked at on the way.
    pub is_deaf: bool,
    known: HashMap<Box<str>, Known>,
    close: BTreeMap<Box<str>, Candidate>,
    /// Not looked at yet.
    waiting: BTreeSet<Box<str>>,
    pub aside: BTreeMap<Box<str>, (Aside, u32)>,
    /// Folders that were found in which files are put aside while they are compared.
    pub put_aside: Vec<PathBuf>,
    /// Folders whose content could not be listed in this round; the root is the empty path.
    unlisted: Vec<Box<str>>,
    sidecars: BTreeSet<Box<str>>,
    /// Metadata files, by the video that they name.
    named: BTreeMap<Box<str>, Box<str>>,
    round: u32,
}

impl Tracker {
    pub fn new(settle: Duration, known: HashMap<Box<str>, Identity>) -> Self {
        let known = known.into_iter().map(|(path, identity)| (path, Known { identity, round: 0 })).collect();
        Self {
            settle,
            is_deaf: false,
            known,
            close: BTreeMap::new(),
            waiting: BTreeSet::new(),
            aside: BTreeMap::new(),
            put_aside: Vec::new(),
            unlisted: Vec::new(),
            sidecars: BTreeSet::new(),
            named: BTreeMap::new(),
            round: 1,
        }
    }

    /// Begins a look at all of the folder: what is not found until its end is gone.
    pub fn begin_round(&mut self) {
        self.round += 1;
        self.unlisted.clear();
    }

    /// The content of a folder could not be listed: nothing is known of what is in it.
    pub fn unlisted(&mut self, folder: &str) {
        self.unlisted.push(folder.into());
    }

    /// A file is there, and nothing more can be told of it.
    pub fn is_there(&mut self, path: &str) {
        if let Some(known) = self.known.get_mut(path) {
            known.round = self.round;
        }
    }

    /// Ends it: the files that were known and are gone.
    pub fn end_round(&mut self) -> Vec<String> {
        let round = self.round;
        self.aside.retain(|_, (_, seen)| *seen == round);
        let is_in = |path: &str, folder: &str| {
            folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        };
        let is_listed = |path: &str| !self.unlisted.iter().any(|folder| is_in(path, folder));
        let unseen = self.known.iter().filter(|(_, known)| known.round != round).map(|(path, _)| path);
        let gone: Vec<Box<str>> = unseen.filter(|path| is_listed(path)).cloned().collect();
        for path in &gone {
            self.known.remove(path);
        }
        // Candidates show at their next look whether they are there.
        gone.into_iter().map(String::from).collect()
    }

    /// A video is there; answers whether that is news.
    pub fn found(&mut self, path: &str, identity: &Identity, now: Instant) -> bool {
        if let Some(known) = self.known.get_mut(path) {
            known.round = self.round;
            if known.identity.is_same(identity) {
                // Back to what it was.
                return self.close.remove(path).is_some();
            }
        }
        if let Some(candidate) = self.close.get_mut(path) {
            let is_new = candidate.stamp.as_ref().is_some_and(|stamp| !stamp.identity.is_same(identity));
            if is_new {
                candidate.next_look = candidate.next_look.min(now);
            }
            return is_new;
        }
        self.waiting.insert(path.into())
    }

    /// Something that goes with a video is there; `names` is the video that a metadata file names.
    pub fn found_sidecar(&mut self, path: &str, names: Option<String>) {
        if !self.sidecars.insert(path.into()) {
            self.named.retain(|_, sidecar| **sidecar != *path);
        }
        if let Some(video) = names {
            self.named.insert(video.into_boxed_str(), path.into());
        }
    }

    /// Whether something that goes with a video was found before.
    pub fn knows_sidecar(&self, path: &str) -> bool {
        self.sidecars.contains(path)
    }

    /// Something is left aside.
    pub fn found_aside(&mut self, path: &str, why: Aside) {
        self.aside.insert(path.into(), (why, self.round));
    }

    /// Someone says that a file changed: it is looked at soon, but not at every word.
    pub fn touched(&mut self, path: &str, kind: Kind, now: Instant) {
        let touch = |candidate: &mut Candidate| {
            candidate.next_look = candidate.next_look.min(now + GROWS);
        };
        if kind == Kind::Sidecar {
            let (folder, name) = split(path);
            for (video, candidate) in &mut self.close {
                let (of, video) = split(video);
                if of == folder && names::belongs(name, video) {
                    touch(candidate);
                }
            }
        } else if let Some(candidate) = self.close.get_mut(path) {
            touch(candidate);
        }
    }

    /// A path is gone, and all that was in it; answers the known files of them.
    pub fn gone(&mut self, path: &str) -> Vec<String> {
        let inside = format!("{path}/");
        let is_gone = |other: &str| other == path || other.starts_with(&inside);
        self.close.retain(|other, _| !is_gone(other));
        self.waiting.retain(|other| !is_gone(other));
        self.aside.retain(|other, _| !is_gone(other));
        self.sidecars.retain(|other| !is_gone(other));
        self.named.retain(|_, sidecar| !is_gone(sidecar));
        if self.known.remove(path).is_some() {
            return vec![path.to_owned()];
        }
        let gone: Vec<Box<str>> = self.known.keys().filter(|other| is_gone(other)).cloned().collect();
        for path in &gone {
            self.known.remove(path);
        }
        gone.into_iter().map(String::from).collect()
    }

    /// Takes waiting files into the closer look as far as there is room, and answers those to look at now.
    pub fn due(&mut self, now: Instant) -> Vec<Box<str>> {
        let moving = |candidate: &&Candidate| {
            matches!(candidate.state, State::Unseen | State::Growing | State::Settling | State::Settled)
        };
        let mut room = CLOSELY.saturating_sub(self.close.values().filter(moving).count());
        while room > 0
            && let Some(path) = self.waiting.pop_first()
        {
            let candidate =
                Candidate { state: State::Unseen, stamp: None, since: now, next_look: now, insisted: false };
            self.close.insert(path, candidate);
            room -= 1;
        }
        self.close.iter().filter(|(_, one)| one.next_look <= now).map(|(path, _)| path.clone()).collect()
    }

    /// When the next look is due.
    pub fn next_look(&self) -> Option<Instant> {
        self.close.values().map(|candidate| candidate.next_look).min()
    }

    /// What goes with a video, as far as it was found.
    pub fn sidecars_of(&self, video: &str) -> Vec<Box<str>> {
        let (folder, name) = split(video);
        let stem = video.rsplit_once('.').map_or(video, |(stem, _)| stem);
        let near = self.sidecars.range::<str, _>((std::ops::Bound::Included(stem), std::ops::Bound::Unbounded));
        let mut own: Vec<_> = near
            .take_while(|path| path.starts_with(stem))
            .filter(|path| {
                let (of, sidecar) = split(path);
                of == folder && names::belongs(sidecar, name)
            })
            .cloned()
            .collect();
        own.extend(self.named.get(video).filter(|named| !own.contains(named)).cloned());
        own
    }

    /// Takes in what a look saw; answers whether the file has been still for long enough.
    pub fn looked(&mut self, path: &str, seen: crate::Result<Stamp>, now: Instant) -> bool {
        let (settle, is_deaf) = (self.settle, self.is_deaf);
        let stamp = match seen {
            Ok(stamp) => stamp,
            Err(error) if error.code == crate::Code::FileMissing => {
                self.close.remove(path);
                return false;
            }
            Err(error) => {
                if let Some(candidate) = self.close.get_mut(path) {
                    (candidate.state, candidate.next_look) = (State::Unreadable(error), now + WAITS);
                }
                return false;
            }
        };
        if self.known.get(path).is_some_and(|known| known.identity.is_same(&stamp.identity)) {
            self.close.remove(path);
            return false;
        }
        let Some(candidate) = self.close.get_mut(path) else { return false };
        if candidate.stamp.as_ref() != Some(&stamp) {
            // What is seen for the first time may have been still for long; the next look tells.
            candidate.state = if candidate.stamp.is_none() { State::Settling } else { State::Growing };
            (candidate.stamp, candidate.since) = (Some(stamp), now);
            // Soon once more, to tell what grows from what was written.
            candidate.next_look = now + settle.min(LOOKS_AGAIN);
            return false;
        }
        if now < candidate.since + settle {
            candidate.state = State::Settling;
            candidate.next_look = candidate.since + settle;
            if is_deaf {
                candidate.next_look = candidate.next_look.min(now + LOOKS_AGAIN);
            }
            return false;
        }
        // Until it is said what becomes of it.
        candidate.next_look = now + WAITS;
        true
    }

    /// What became of a file that is still.
    pub fn set(&mut self, path: &str, state: State) {
        if let Some(candidate) = self.close.get_mut(path) {
            candidate.state = state;
        }
    }

    /// Someone wants a file taken as it is; answers whether it is one that waits.
    pub fn insist(&mut self, path: &str, now: Instant) -> bool {
        let Some(candidate) = self.close.get_mut(path) else { return false };
        (candidate.insisted, candidate.next_look) = (true, now);
        true
    }

    /// A file is entered in the ledger.
    pub fn entered(&mut self, path: &str, identity: Identity) {
        self.close.remove(path);
        self.waiting.remove(path);
        self.known.insert(path.into(), Known { identity, round: self.round });
    }

    /// A file of the ledger is forgotten.
    pub fn forget(&mut self, path: &str) {
        self.known.remove(path);
    }

    pub fn candidate(&self, path: &str) -> Option<&Candidate> {
        self.close.get(path)
    }

    /// What is watched closely, in order.
    pub fn candidates(&self) -> impl Iterator<Item = (&str, &Candidate)> {
        self.close.iter().map(|(path, candidate)| (&**path, candidate))
    }

    /// The first of those that are not looked at yet, and how many there are.
    pub fn unseen(&self) -> (impl Iterator<Item = &str>, usize) {
        (self.waiting.iter().map(|path| &**path), self.waiting.len())
    }

    /// All that is found and not entered yet, without a closer look.
    pub fn take_waiting(&mut self) -> BTreeSet<Box<str>> {
        std::mem::take(&mut self.waiting)
    }
}

/// A path's folder and name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(5);

    fn identity(size: u64) -> Identity {
        Identity { size, modified_ns: 1, file_id: "inode 1".into() }
    }

    /// Stamps of a file with these contents, one after another.
    fn stamp(contents: &str) -> Stamp {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.mp4"), contents).unwrap();
        let mut stamp = Stamp::of(folder.path(), "a.mp4", &[]).unwrap();
        stamp.identity = identity(contents.len() as u64);
        stamp
    }

    #[test]
    fn a_file_settles_from_its_last_change_on() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut tracker = Tracker::new(SETTLE, HashMap::new());
        assert!(tracker.found("a.mp4", &identity(1), at(0)));
        assert_eq!(tracker.due(at(0)), [Box::from("a.mp4")]);
        assert!(!tracker.looked("a.mp4", Ok(stamp("1")), at(0)));
        assert_eq!(tracker.next_look(), Some(at(1)));
        assert!(!tracker.looked("a.mp4", Ok(stamp("1")), at(1)));
        assert_eq!(tracker.next_look(), Some(at(5)), "still since the first look");
        tracker.touched("a.mp4", Kind::Video, at(2));
        assert_eq!(tracker.next_look(), Some(at(2) + GROWS));
        assert!(!tracker.looked("a.mp4", Ok(stamp("12")), at(3)));
        assert_eq!(tracker.candidate("a.mp4").unwrap().state, State::Growing);
        assert!(!tracker.looked("a.mp4", Ok(stamp("12")), at(7)));
        assert_eq!(tracker.candidate("a.mp4").unwrap().state, State::Settling);
        assert_eq!(tracker.next_look(), Some(at(8)));
        assert!(tracker.looked("a.mp4", Ok(stamp("12")), at(8)));
        tracker.entered("a.mp4", identity(2));
        assert!(!tracker.found("a.mp4", &identity(2), at(9)) && tracker.next_look().is_none());
        assert!(tracker.found("a.mp4", &identity(3), at(9)), "it changed");
    }

    #[test]
    fn what_is_not_found_any_more_is_gone() {
        let now = Instant::now();
        let known = [("a.mp4", 1), ("b/c.mp4", 2), ("b/d.mp4", 3)];
        let known = known.into_iter().map(|(path, size)| (path.into(), identity(size))).collect();
        let mut tracker = Tracker::new(SETTLE, known);
        tracker.begin_round();
        tracker.found("a.mp4", &identity(1), now);
        tracker.found("b/c.mp4", &identity(2), now);
        assert_eq!(tracker.end_round(), ["b/d.mp4"]);
        assert_eq!(tracker.gone("b"), ["b/c.mp4"]);
        assert_eq!(tracker.known.len(), 1);
    }

    #[test]
    fn only_so_many_are_looked_at_closely() {
        let now = Instant::now();
        let mut tracker = Tracker::new(SETTLE, HashMap::new());
        for number in 0..5000 {
            tracker.found(&format!("{number:05}.mp4"), &identity(1), now);
        }
        assert_eq!(tracker.due(now).len(), CLOSELY);
        // What waits for something makes room for others.
        for number in 0..CLOSELY {
            tracker.set(&format!("{number:05}.mp4"), State::Held);
        }
        tracker.due(now);
        assert_eq!(tracker.unseen().1, 5000 - 2 * CLOSELY);
    }

    #[test]
    fn sidecars_go_with_their_video() {
        let mut tracker = Tracker::new(SETTLE, HashMap::new());
        for path in ["a/film.srt", "a/film.en.vtt", "a/film2.srt", "b/film.srt", "a/film.mov.srt"] {
            tracker.found_sidecar(path, None);
        }
        tracker.found_sidecar("a/order.json", Some("a/film.mp4".to_owned()));
        let own: Vec<_> = tracker.sidecars_of("a/film.mp4").into_iter().map(String::from).collect();
        assert_eq!(own, ["a/film.en.vtt", "a/film.srt", "a/order.json"]);
    }
}
