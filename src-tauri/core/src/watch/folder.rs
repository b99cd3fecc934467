//! One watch folder at work: it hears, looks, waits until files are settled, and hands them over. The disk is the
//! truth, the ledger the memory; a kill at any moment loses neither.

mod taking;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::afterwards;
use super::fs_events::FsEvents;
use super::ledger::{Ending, Entry, Ledger};
use super::pattern::Pattern;
use super::rules::{Afterwards, WatchFolder};
use super::scan::{Change, Scanner};
use super::settled::{self, Settled};
use super::tracker::Tracker;
use super::view::{Condition, Contents, View};
use crate::files::{self, Root};
use crate::ingest::{Ingest, Journey, Stage};
use crate::{Code, Error, Result};

/// How often it is looked whether the folder is there, and is the one that it was.
const ROOT_EVERY: Duration = Duration::from_secs(2);
/// All of a folder is looked at this often, where the system tells of changes; and never for more than a small share of
/// the time.
const SLOW_BEAT: Duration = Duration::from_secs(60);
const SLOW_SHARE: u32 = 400;
/// The same where it does not.
const POLL_BEAT: Duration = Duration::from_secs(2);
const POLL_SHARE: u32 = 40;
/// A new folder is looked at once more after this: what came into it before the system listened there.
const SECOND_LOOK: Duration = Duration::from_secs(1);
/// Looks that found what was not heard of, before the system counts as deaf there.
const DEAF_AFTER: u32 = 2;
/// Files of one folder that are on their way at the same time; the others wait in the folder.
const ROOM: usize = 512;
/// What is shown is put together this often at most.
const SHOW_EVERY: Duration = Duration::from_millis(200);
/// Ended files that are shown.
const SHOWN: usize = 50;

/// What others tell a folder.
#[derive(Debug)]
pub(super) enum FolderMessage {
    /// A journey of its own has come to another stage.
    Journey(Box<Journey>),
    /// Some of that was missed.
    Recheck,
    /// Take this file as it is.
    Insist(String),
}

/// A watch folder at work.
pub(super) struct Folder {
    rule: WatchFolder,
    /// The folder itself as it was at the beginning.
    root: Root,
    pattern: Option<Pattern>,
    scanner: Scanner,
    ledger: Ledger,
    ingest: Ingest,
    view: View,
    tracker: Tracker,
    fs_events: Option<FsEvents>,
    /// Why there are none.
    events_error: Option<Error>,
    /// Looks, one after another, that found what was not heard of.
    missed_events: u32,
    /// The system's queue of events ran over.
    overflowed: bool,
    /// What is under way, by its journey.
    open: HashMap<String, Entry>,
    /// What could not be moved or deleted, by its journey.
    stuck: HashMap<String, Error>,
    ended: VecDeque<Entry>,
    /// Files that were taken, and files that were there before.
    counts: (usize, usize),
    again: Vec<(Instant, PathBuf)>,
    next_scan: Instant,
}

impl Folder {
    /// Works until `stop`; what goes wrong with the store is tried again.
    pub async fn watch(
        rule: WatchFolder,
        barred: Vec<PathBuf>,
        ledger: Ledger,
        ingest: Ingest,
        view: View,
        mut orders: mpsc::UnboundedReceiver<FolderMessage>,
        stop: CancellationToken,
    ) {
        // Stopped between two steps, never in the middle of one: between a transaction and what follows from it lies work
        // that the next start would not do.
        while !stop.is_cancelled() {
            let mut condition = Condition::Paused;
            if !rule.paused {
                let begun = Self::begin(&rule, &barred, &ledger, &ingest, &view).await;
                let error = match begun {
                    Ok(mut folder) => folder.work(&mut orders, &stop).await,
                    Err(error) => Err(error),
                };
                condition = match error {
                    Ok(()) => continue,
                    Err(error) => Condition::Trouble { error },
                };
            }
            view.put(&rule, condition);
            let wait = tokio::time::sleep(ROOT_EVERY);
            tokio::pin!(wait);
            // What is missed meanwhile is looked at anew at the next beginning.
            while let Some(_missed) = tokio::select! {
                order = orders.recv() => order,
                () = &mut wait => None,
                () = stop.cancelled() => None,
            } {}
        }
    }

    /// Listens, looks at all of it, and takes up what the last run left.
    async fn begin(
        rule: &WatchFolder,
        barred: &[PathBuf],
        ledger: &Ledger,
        ingest: &Ingest,
        view: &View,
    ) -> Result<Self> {
        let root = files::ask(&rule.path, Root::of).await?;
        match ledger.volume().await? {
            Some(volume) if !root.is_on(&volume) => return Err(other_disk(rule)),
            Some(_) => {}
            None => ledger.set_volume(root.volume.clone()).await?,
        }
        let scanner = Scanner::of(rule, barred.to_vec()).await?;
        let tracker = Tracker::new(Duration::from_secs(rule.settle_seconds.into()), ledger.identities().await?);
        let open = ledger.open().await?.into_iter().filter_map(|entry| Some((entry.journey.clone()?, entry)));
        let mut folder = Self {
            root,
            pattern: rule.pattern(),
            scanner,
            ledger: ledger.clone(),
            ingest: ingest.clone(),
            view: view.clone(),
            tracker,
            fs_events: None,
            events_error: None,
            missed_events: 0,
            overflowed: false,
            open: open.collect(),
            stuck: HashMap::new(),
            ended: ledger.ended(SHOWN).await?.into(),
            counts: ledger.counts().await?,
            again: Vec::new(),
            next_scan: Instant::now(),
            rule: rule.clone(),
        };
        folder.listen().await?;
        folder.scan().await?;
        folder.recheck().await?;
        Ok(folder)
    }

    async fn listen(&mut self) -> Result<()> {
        let (root, recursive) = (self.scanner.root.clone(), self.rule.recursive);
        let opened = tokio::task::spawn_blocking(move || FsEvents::open(&root, recursive)).await;
        match opened.map_err(Error::internal)? {
            Ok(fs_events) => self.fs_events = Some(fs_events),
            Err(error) => {
                tracing::warn!(folder = %self.rule.path.display(), message = error.message, "polled instead");
                self.events_error = Some(error);
            }
        }
        self.tracker.is_deaf = self.polls();
        Ok(())
    }

    fn polls(&self) -> bool {
        self.fs_events.is_none() || self.scanner.disk.is_remote || self.missed_events >= DEAF_AFTER
    }

    /// Works until the folder is no longer the one that it was, or until `stop`.
    async fn work(
        &mut self,
        orders: &mut mpsc::UnboundedReceiver<FolderMessage>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let mut next_root = Instant::now() + ROOT_EVERY;
        // What is shown is out of date from the first step after it was shown.
        let (mut shown, mut next_show) = (Instant::now(), Some(Instant::now()));
        loop {
            if next_show.is_some_and(|at| at <= Instant::now()) {
                self.show();
                (shown, next_show) = (Instant::now(), None);
            }
            let looks = self.tracker.next_look().map(Instant::from_std);
            let again = self.again.iter().map(|(at, _)| *at).min();
            let work =
                [Some(self.next_scan), looks, again].into_iter().flatten().min().unwrap_or(next_root).min(next_root);
            let heard = async {
                match &self.fs_events {
                    Some(fs_events) => fs_events.wait().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = heard => self.hear().await?,
                Some(order) = orders.recv() => self.handle(order).await?,
                () = tokio::time::sleep_until(work) => {}
                () = tokio::time::sleep_until(next_show.unwrap_or(work)) => continue,
                () = stop.cancelled() => return Ok(()),
            }
            next_show.get_or_insert(shown + SHOW_EVERY);
            let now = Instant::now();
            if now >= next_root {
                if files::ask(&self.rule.path, Root::of).await? != self.root {
                    // Another disk is there, or none.
                    return Ok(());
                }
                next_root = now + ROOT_EVERY;
            }
            let (due, later): (Vec<_>, _) = std::mem::take(&mut self.again).into_iter().partition(|(at, _)| *at <= now);
            self.again = later;
            for (_, folder) in due {
                self.scan_inner(folder).await?;
            }
            if now >= self.next_scan {
                self.beat().await?;
            }
            self.look().await?;
        }
    }

    /// Works with the tracker off the async threads.
    async fn off<T, F>(&mut self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tracker, &Scanner) -> T + Send + 'static,
    {
        let mut tracker = std::mem::replace(&mut self.tracker, Tracker::new(Duration::ZERO, HashMap::new()));
        let scanner = self.scanner.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&mut tracker, &scanner);
            (tracker, done)
        });
        let (tracker, done) = done.await.map_err(Error::internal)?;
        self.tracker = tracker;
        Ok(done)
    }

    /// Looks at all of it; answers how many files are news.
    async fn scan(&mut self) -> Result<usize> {
        let began = Instant::now();
        let (path, root) = (self.rule.path.clone(), self.root.clone());
        let scanned = self
            .off(move |tracker, scanner| {
                tracker.begin_round();
                let news = scanner.scan(&scanner.root, tracker)?;
                // What a kill left in the middle of a comparison; here nothing else is compared meanwhile.
                std::mem::take(&mut tracker.put_aside).iter().for_each(|folder| files::recover(folder));
                // A disk that went away meanwhile leaves an empty folder behind: nothing of it is gone.
                let is_still_there = Root::of(&path)? == root;
                Ok::<_, Error>((news, if is_still_there { tracker.end_round() } else { Vec::new() }))
            })
            .await?;
        let (news, gone) = scanned?;
        self.mark_gone(gone).await?;
        let (beat, share) = if self.polls() { (POLL_BEAT, POLL_SHARE) } else { (SLOW_BEAT, SLOW_SHARE) };
        self.next_scan = Instant::now() + beat.max(began.elapsed() * share);
        Ok(news)
    }

    /// The regular look: it finds what nobody told of, and tries again what could not be done.
    async fn beat(&mut self) -> Result<()> {
        // What is on its way to us is heard, not missed.
        self.hear().await?;
        // After a queue that ran over there is news, and nobody is deaf.
        let overflowed = std::mem::take(&mut self.overflowed);
        let news = self.scan().await?;
        if !self.polls() && !overflowed {
            self.missed_events = if news > 0 && !self.has_heard() { self.missed_events + 1 } else { 0 };
            self.tracker.is_deaf = self.polls();
        }
        for journey in std::mem::take(&mut self.stuck).into_keys() {
            if let Ok(journey) = self.ingest.journey(&journey) {
                self.journey(&journey).await?;
            }
        }
        self.ingest.keep_newest(2000).await
    }

    fn has_heard(&self) -> bool {
        self.fs_events.as_ref().is_some_and(FsEvents::has_heard)
    }

    async fn scan_inner(&mut self, folder: PathBuf) -> Result<()> {
        // One that cannot be read is told by the next look at all.
        self.off(move |tracker, scanner| scanner.scan(&folder, tracker).ok()).await.map(drop)
    }

    async fn hear(&mut self) -> Result<()> {
        let Some(fs_events) = &self.fs_events else { return Ok(()) };
        let hints = fs_events.take();
        if hints.all {
            self.overflowed = true;
            self.next_scan = Instant::now();
        }
        let looked = move |tracker: &mut Tracker, scanner: &Scanner| {
            let now = std::time::Instant::now();
            let (mut folders, mut gone) = (Vec::new(), Vec::new());
            for path in hints.paths.iter().filter(|path| **path != scanner.root) {
                match scanner.look(path, tracker, now) {
                    Change::Nothing => {}
                    Change::Folder => {
                        scanner.scan(path, tracker).ok();
                        folders.push(path.clone());
                    }
                    Change::Gone(paths) => gone.extend(paths),
                }
            }
            (folders, gone)
        };
        let (folders, gone) = self.off(looked).await?;
        let at = Instant::now() + SECOND_LOOK;
        let known: HashSet<PathBuf> = self.again.iter().map(|(_, folder)| folder.clone()).collect();
        self.again.extend(folders.into_iter().filter(|folder| !known.contains(folder)).map(|folder| (at, folder)));
        self.mark_gone(gone).await
    }

    /// Enters that files are gone, if the folder is still the one that they were in.
    async fn mark_gone(&mut self, gone: Vec<String>) -> Result<()> {
        if gone.is_empty() {
            return Ok(());
        }
        if files::ask(&self.rule.path, Root::of).await? != self.root {
            // All is looked at anew at the next beginning.
            self.next_scan = Instant::now();
            return Ok(());
        }
        self.ledger.gone(gone).await
    }

    async fn handle(&mut self, order: FolderMessage) -> Result<()> {
        match order {
            FolderMessage::Journey(journey) => self.journey(&journey).await,
            FolderMessage::Recheck => self.recheck().await,
            FolderMessage::Insist(path) => {
                self.tracker.insist(&path, std::time::Instant::now());
                Ok(())
            }
        }
    }

    /// Looks at the files that are due, and takes those that are settled.
    async fn look(&mut self) -> Result<()> {
        let now = std::time::Instant::now();
        let looked = move |tracker: &mut Tracker, scanner: &Scanner| {
            let mut settled = Vec::new();
            for path in tracker.due(now) {
                let seen = scanner.stamp(&path, &tracker.sidecars_of(&path));
                let insisted = tracker.candidate(&path).is_some_and(|candidate| candidate.insisted);
                let is_still = tracker.looked(&path, seen, std::time::Instant::now());
                if (is_still || insisted)
                    && let Some(stamp) = tracker.candidate(&path).and_then(|candidate| candidate.stamp.clone())
                {
                    settled.push(Settled { path: path.into(), stamp, insisted });
                }
            }
            settled::complete(settled, tracker, scanner)
        };
        let settled = self.off(looked).await?;
        if settled.is_empty() { Ok(()) } else { self.take(settled).await }
    }

    /// Looks at everything that is under way.
    async fn recheck(&mut self) -> Result<()> {
        let open: Vec<String> = self.open.keys().cloned().collect();
        for id in open {
            match self.ingest.journey(&id) {
                Ok(journey) => self.journey(&journey).await?,
                // Someone took it off the list.
                Err(_) => self.end(&id, Ending::Canceled).await?,
            }
        }
        Ok(())
    }

    /// Takes in what a journey has come to.
    async fn journey(&mut self, journey: &Journey) -> Result<()> {
        if !self.open.contains_key(&journey.id) {
            // Retried by someone after it had ended.
            if !journey.stage.is_open() {
                return Ok(());
            }
            let Some(entry) = self.ledger.of_journey(&journey.id).await? else { return Ok(()) };
            self.ended.retain(|other| other.path != entry.path);
            self.open.insert(journey.id.clone(), Entry { ending: None, ..entry });
        }
        let same_content = journey.conflict.as_ref().is_some_and(|conflict| conflict.same_content);
        match journey.stage {
            Stage::Playable if journey.verified_at.is_some() => self.finish(&journey.id, Ending::Playable).await,
            // It ends with its twin.
            Stage::Skipped if same_content && journey.hls_url.is_none() => Ok(()),
            Stage::Skipped if same_content => self.finish(&journey.id, Ending::Skipped).await,
            Stage::Skipped => self.end(&journey.id, Ending::LeftOut).await,
            Stage::Canceled => self.end(&journey.id, Ending::Canceled).await,
            _ => Ok(()),
        }
    }

    /// Its content can be watched: the file goes where the rule wants it.
    async fn finish(&mut self, id: &str, ending: Ending) -> Result<()> {
        let Some(entry) = self.open.get(id).cloned() else { return Ok(()) };
        let done = match self.rule.afterwards {
            Afterwards::Leave => Ok(()),
            _ => self.apply(id, entry).await,
        };
        match done {
            Ok(()) => self.end(id, ending).await,
            Err(error) => {
                tracing::warn!(message = error.message, details = error.details, "a file stays where it is");
                self.stuck.insert(id.to_owned(), error);
                Ok(())
            }
        }
    }

    /// Moves or deletes a file, after AWS said that it has all of it.
    async fn apply(&self, id: &str, entry: Entry) -> Result<()> {
        let confirmed = self.ingest.confirmed(id).await?;
        let (root, rule, scanner) = (self.scanner.root.clone(), self.rule.afterwards, self.scanner.clone());
        let apply = move || afterwards::apply(&root, rule, &entry, &confirmed, |is| scanner.identity(is));
        tokio::task::spawn_blocking(apply).await.map_err(Error::internal)?
    }

    async fn end(&mut self, id: &str, ending: Ending) -> Result<()> {
        let Some(entry) = self.open.get(id).cloned() else { return Ok(()) };
        let path = self.scanner.root.join(&entry.path);
        let gone = tokio::task::spawn_blocking(move || files::regular(&path).is_err());
        let entry = Entry { ending: Some(ending), gone: gone.await.map_err(Error::internal)?, ..entry };
        if entry.gone {
            self.tracker.forget(&entry.path);
        }
        self.ledger.enter(vec![entry.clone()]).await?;
        let has_ended_well = matches!(ending, Ending::Playable | Ending::Skipped);
        if entry.gone && has_ended_well && self.rule.afterwards != Afterwards::Leave {
            self.view.moved_away(&self.scanner.root.join(&entry.path), self.rule.afterwards);
        }
        self.open.remove(id);
        self.stuck.remove(id);
        self.show_ended(entry);
        Ok(())
    }

    fn show_ended(&mut self, entry: Entry) {
        self.ended.retain(|other| other.path != entry.path);
        self.ended.push_front(entry);
        self.ended.truncate(SHOWN);
    }

    fn show(&self) {
        let condition =
            if self.polls() { Condition::Polling { why: self.events_error.clone() } } else { Condition::Watching };
        let (taken, left_out) = self.counts;
        let Self { tracker, open, stuck, ended, .. } = self;
        self.view.show(&self.rule, condition, &Contents { tracker, open, stuck, ended, taken, left_out });
    }
}

/// Says that a rule's folder is on another disk now.
fn other_disk(rule: &WatchFolder) -> Error {
    Error::new(
        Code::OtherDisk,
        format!("The disk that \"{}\" was on is not there, or another one has taken its place.", rule.name()),
        "Connect that disk again. If this one replaces it, choose \"Use this disk\", or run reelctl watch accept.",
    )
}
