//! What becomes of a file that is still: whether it is complete, and whether it is new.

use std::collections::HashSet;
use std::path::PathBuf;

use super::ledger::{Ending, Entry};
use super::names::BESIDE_UNFINISHED;
use super::scan::Scanner;
use super::stamp::Stamp;
use super::tracker::{State, Tracker};
use crate::files::{Identity, unreadable};
use crate::ingest::Stage;

/// A file that is still.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    pub path: String,
    pub stamp: Stamp,
    /// Someone wants it taken as it is.
    pub insisted: bool,
}

/// Those that no program writes and of which nothing is missing; of the others the tracker is told.
pub(super) fn complete(settled: Vec<Settled>, tracker: &mut Tracker, scanner: &Scanner) -> Vec<Settled> {
    if settled.is_empty() {
        return settled;
    }
    let paths: Vec<PathBuf> = settled.iter().map(|one| scanner.root.join(&one.path)).collect();
    let held = crate::files::held(&paths);
    settled
        .into_iter()
        .zip(paths)
        .filter(|(one, path)| one.insisted || is_complete(&one.path, path, &held, tracker))
        .map(|(one, _)| one)
        .collect()
}

fn is_complete(relative: &str, path: &PathBuf, held: &HashSet<PathBuf>, tracker: &mut Tracker) -> bool {
    let beside = |ending: &&'static str| {
        let mut name = path.clone().into_os_string();
        name.push(".");
        name.push(ending);
        PathBuf::from(name).exists()
    };
    let state = if held.contains(path) || BESIDE_UNFINISHED.iter().any(beside) {
        State::Held
    } else {
        match crate::files::missing(path) {
            Ok(None) => return true,
            Ok(Some(missing)) => State::Incomplete(missing),
            Err(error) => State::Unreadable(unreadable(path, &error)),
        }
    };
    tracker.set(relative, state);
    false
}

/// What becomes of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is sent.
    New,
    /// It is the one that was entered, back or under another number.
    Known,
    /// It is another one than the one of its path that was sent.
    Version,
    /// This journey could not send it as it was.
    Again(String),
    /// What it was before is still being sent.
    Later,
}

/// Decides by what its path held before, and by how far that has come.
///
/// What has its path, its size and its time is the same file, whatever number its disk gives it now: a disk that was away,
/// was copied to a larger one or numbers its files anew makes nothing new.
/// `takes_away` says whether the rule moves or deletes what can be watched.
pub(super) fn decide(before: Option<&Entry>, now: &Identity, stage: Option<Stage>, takes_away: bool) -> Decision {
    let Some(before) = before else { return Decision::New };
    // Who puts a canceled file back wants it; so does who puts one back that the rule took away.
    let was_taken_away = takes_away && matches!(before.ending, Some(Ending::Playable | Ending::Skipped));
    let is_wanted = before.gone && (was_taken_away || before.ending == Some(Ending::Canceled));
    if before.identity.is_likely(now) && !is_wanted {
        return Decision::Known;
    }
    if before.gone {
        return Decision::New;
    }
    match (&before.journey, stage) {
        (Some(journey), Some(Stage::NeedsYou)) => Decision::Again(journey.clone()),
        (_, Some(stage)) if stage.is_being_sent() || stage == Stage::Paused => Decision::Later,
        (_, Some(Stage::Canceled)) => Decision::New,
        (_, Some(_)) => Decision::Version,
        (_, None) => match before.ending {
            Some(Ending::Playable | Ending::Skipped | Ending::LeftOut) => Decision::Version,
            Some(Ending::Canceled | Ending::Before) | None => Decision::New,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_past_has_its_future() {
        let before = |journey: Option<&str>, ending: Option<Ending>, gone: bool| Entry {
            path: "a.mp4".into(),
            identity: Identity { size: 1, modified_ns: 1, file_id: String::new() },
            journey: journey.map(str::to_owned),
            ending,
            gone,
            sidecars: Vec::new(),
            taken_at: 0,
        };
        let open = before(Some("1"), None, false);
        let (same, changed) = (open.identity.clone(), Identity { modified_ns: 2, ..open.identity.clone() });
        let decide = |before: Option<&Entry>, stage| decide(before, &changed, stage, false);
        assert_eq!(decide(None, None), Decision::New);
        assert_eq!(decide(Some(&open), Some(Stage::Sending)), Decision::Later);
        assert_eq!(decide(Some(&open), Some(Stage::Paused)), Decision::Later);
        assert_eq!(decide(Some(&open), Some(Stage::NeedsYou)), Decision::Again("1".into()));
        assert_eq!(decide(Some(&open), Some(Stage::Encoding)), Decision::Version);
        assert_eq!(decide(Some(&open), Some(Stage::Canceled)), Decision::New);
        for (ending, decision) in [
            (Ending::Playable, Decision::Version),
            (Ending::Skipped, Decision::Version),
            (Ending::LeftOut, Decision::Version),
            (Ending::Canceled, Decision::New),
            (Ending::Before, Decision::New),
        ] {
            let (there, gone) = (before(Some("1"), Some(ending), false), before(Some("1"), Some(ending), true));
            assert_eq!(decide(Some(&there), None), decision);
            assert_eq!(decide(Some(&gone), None), Decision::New, "another file");
            // The same file, back from wherever it was, under whatever number.
            let back = Identity { file_id: "inode 7".into(), ..same.clone() };
            assert_eq!(super::decide(Some(&there), &back, None, true), Decision::Known);
            let of_gone = if ending == Ending::Canceled { Decision::New } else { Decision::Known };
            assert_eq!(super::decide(Some(&gone), &back, None, false), of_gone);
            let was_taken_away = matches!(ending, Ending::Playable | Ending::Skipped);
            let of_taken = if was_taken_away { Decision::New } else { of_gone };
            assert_eq!(super::decide(Some(&gone), &back, None, true), of_taken);
        }
    }
}
