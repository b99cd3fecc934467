//! What is worth a notice of the system: a batch that ended, and what needs someone; gathered, never one a file.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::event::{Event, RunSubject, WorkspaceEvent};
use crate::ingest::{BatchSummary, Journey, Stage};
use crate::workspace::SANDBOX;

/// What comes within this time is one notice.
const GATHER: Duration = Duration::from_secs(3);
/// What watch folders take is told this often at most.
const GATHER_WATCHED: Duration = Duration::from_secs(60);

/// A notice of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One line.
    pub title: String,
    /// More.
    pub body: String,
    /// The workspace that a click leads to.
    pub workspace: String,
    /// And the row in it.
    pub journey: Option<String>,
}

impl Notice {
    fn of_run(workspace: &str, subject: RunSubject, of: usize, done: usize, failed: usize) -> Self {
        let left = of - done - failed;
        let rest = [(failed, "failed"), (left, "not tried")].into_iter().filter(|(count, _)| *count > 0);
        let rest = rest.map(|(count, words)| format!("{count} {words}")).collect::<Vec<_>>().join(", ");
        let body = if rest.is_empty() { "Nothing failed.".to_owned() } else { rest };
        let subject = match subject {
            RunSubject::Viewers => "viewers",
            RunSubject::Videos => "videos",
        };
        let title = format!("{}: {done} of {of} {subject} done", name(workspace));
        Self { title, body, workspace: workspace.to_owned(), journey: None }
    }
}

/// What people call a workspace.
fn name(workspace: &str) -> &str {
    if workspace == SANDBOX { "Sandbox" } else { workspace }
}

/// Tells notices until the events end: one of each workspace at a time.
pub async fn gather(mut events: Receiver<WorkspaceEvent>, tell: impl Fn(Notice)) {
    let mut news = AllNews::default();
    // What watch folders do is told less often: nobody waits for it.
    let mut quiet_until = Instant::now();
    loop {
        let tells_later = async {
            if news.is_only_watched() {
                tokio::time::sleep_until(quiet_until).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            heard = events.recv() => match heard {
                Ok(WorkspaceEvent { workspace, event: Event::RunEnded { subject, of, done, failed } }) => {
                    tell(Notice::of_run(&workspace, subject, of, done, failed));
                }
                Ok(heard) => news.hear(&heard),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            () = tells_later => {}
        }
        if news.is_empty() || news.is_only_watched() && Instant::now() < quiet_until {
            continue;
        }
        let until = Instant::now() + GATHER;
        while let Ok(heard) = tokio::time::timeout_at(until, events.recv()).await {
            match heard {
                Ok(WorkspaceEvent { workspace, event: Event::RunEnded { subject, of, done, failed } }) => {
                    tell(Notice::of_run(&workspace, subject, of, done, failed));
                }
                Ok(heard) => news.hear(&heard),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break,
            }
        }
        for notice in news.take() {
            tell(notice);
            quiet_until = Instant::now() + GATHER_WATCHED;
        }
    }
}

/// What has happened since the last notice, by workspace.
#[derive(Default)]
struct AllNews(BTreeMap<Arc<str>, News>);

impl AllNews {
    fn hear(&mut self, heard: &WorkspaceEvent) {
        self.0.entry(heard.workspace.clone()).or_default().hear(&heard.event);
    }

    fn is_empty(&self) -> bool {
        self.0.values().all(News::is_empty)
    }

    /// Whether all of it comes from watch folders.
    fn is_only_watched(&self) -> bool {
        !self.is_empty() && self.0.values().all(|news| news.is_empty() || news.is_only_watched())
    }

    fn take(&mut self) -> Vec<Notice> {
        self.0.iter_mut().filter_map(|(workspace, news)| news.take(workspace)).collect()
    }
}

/// What has happened in one workspace.
#[derive(Default)]
struct News {
    /// What needs someone, and whether that was told.
    needs: BTreeMap<String, (Journey, bool)>,
    ended: Vec<BatchSummary>,
    /// All waits for a sign-in.
    sign_in: bool,
}

impl News {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Journey { journey } if journey.stage == Stage::NeedsYou => {
                self.needs.entry(journey.id.clone()).or_insert_with(|| ((**journey).clone(), false));
            }
            Event::Journey { journey } => drop(self.needs.remove(&journey.id)),
            Event::SignIn { error } => self.sign_in = error.is_some(),
            Event::BatchEnded { summary } => self.ended.push(summary.clone()),
            _ => {}
        }
    }

    fn is_empty(&self) -> bool {
        !self.sign_in && self.ended.is_empty() && self.needs.values().all(|(_, told)| *told)
    }

    /// Whether all of it comes from watch folders.
    fn is_only_watched(&self) -> bool {
        let new = |(journey, told): &&(Journey, bool)| !told && journey.watch_folder.is_none();
        !self.is_empty()
            && !self.sign_in
            && self.ended.iter().all(|batch| batch.watch_folder.is_some())
            && self.needs.values().find(new).is_none()
    }

    fn take(&mut self, workspace: &str) -> Option<Notice> {
        let ended = std::mem::take(&mut self.ended);
        let mut needs = Vec::new();
        for (journey, told) in self.needs.values_mut().filter(|(_, told)| !told) {
            *told = true;
            needs.push(journey.clone());
        }
        let playable: usize = ended.iter().map(|batch| batch.playable).sum();
        let skipped: usize = ended.iter().map(|batch| batch.skipped).sum();
        let mut lines = Vec::new();
        let sign_in = std::mem::take(&mut self.sign_in);
        if sign_in {
            lines.push("Its uploads wait for you to sign in to AWS again.".to_owned());
        }
        if let [only] = &needs[..] {
            lines.push(match &only.error {
                Some(error) => error.message.clone(),
                None => format!("\"{}\" needs you.", only.title),
            });
        } else if !needs.is_empty() {
            lines.push(format!("{} videos need you.", needs.len()));
        }
        match (&ended[..], playable) {
            (_, 0) => {}
            ([BatchSummary { title: Some(title), .. }], _) => lines.push(format!("\"{title}\" is playable.")),
            (_, 1) => lines.push("1 video is playable.".to_owned()),
            (_, many) => lines.push(format!("{many} videos are playable.")),
        }
        if skipped > 0 {
            lines.push(format!("{skipped} skipped: in the library already."));
        }
        if lines.is_empty() {
            return None;
        }
        let is_good = needs.is_empty() && !sign_in;
        let title =
            if is_good { format!("{}: done", name(workspace)) } else { format!("{} needs you", name(workspace)) };
        let journey = needs.first().map(|journey| journey.id.clone());
        Some(Notice { title, body: lines.join(" "), workspace: workspace.to_owned(), journey })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(title: Option<&str>, playable: usize, skipped: usize) -> Event {
        let title = title.map(str::to_owned);
        let summary = BatchSummary {
            batch: 1,
            watch_folder: None,
            title,
            files: playable + skipped,
            bytes: 0,
            seconds: 0,
            playable,
            skipped,
            needs_you: 0,
            canceled: 0,
        };
        Event::BatchEnded { summary }
    }

    fn body(events: &[Event]) -> Option<String> {
        let mut news = News::default();
        events.iter().for_each(|event| news.hear(event));
        news.take("production").map(|notice| notice.body)
    }

    #[test]
    fn a_run_says_what_is_left() {
        let notice = Notice::of_run("production", RunSubject::Viewers, 5000, 50, 2);
        assert_eq!(
            (notice.title.as_str(), notice.body.as_str()),
            ("production: 50 of 5000 viewers done", "2 failed, 4948 not tried")
        );
        assert_eq!(Notice::of_run("production", RunSubject::Videos, 40, 40, 0).body, "Nothing failed.");
    }

    #[test]
    fn watch_folders_are_quiet() {
        let mut news = News::default();
        for _ in 0..600 {
            let Event::BatchEnded { mut summary } = ended(None, 1, 0) else { unreachable!() };
            summary.watch_folder = Some("id".to_owned());
            news.hear(&Event::BatchEnded { summary });
        }
        assert!(news.is_only_watched(), "it may wait");
        news.hear(&ended(Some("Dune"), 1, 0));
        assert!(!news.is_only_watched(), "someone waits for this one");
        assert_eq!(news.take("production").map(|notice| notice.body).as_deref(), Some("601 videos are playable."));
    }

    #[test]
    fn many_ends_are_one_notice() {
        assert_eq!(body(&[ended(Some("Dune"), 1, 0)]).as_deref(), Some("\"Dune\" is playable."));
        let two = [ended(None, 40, 2), ended(Some("Dune"), 1, 0)];
        assert_eq!(body(&two).as_deref(), Some("41 videos are playable. 2 skipped: in the library already."));
        assert_eq!(body(&[ended(None, 0, 0)]), None, "all canceled: whoever did it knows");
    }

    #[test]
    fn each_workspace_has_its_own_notice() {
        let mut news = AllNews::default();
        for (workspace, event) in [
            ("sandbox", ended(Some("Dune"), 1, 0)),
            ("production", Event::SignIn { error: Some(crate::Error::internal("ended")) }),
            ("production", ended(None, 3, 0)),
        ] {
            news.hear(&WorkspaceEvent { workspace: workspace.into(), event });
        }
        let told: Vec<_> = news.take().into_iter().map(|notice| (notice.title, notice.body)).collect();
        let expected = [
            ("production needs you", "Its uploads wait for you to sign in to AWS again. 3 videos are playable."),
            ("Sandbox: done", "\"Dune\" is playable."),
        ];
        assert_eq!(told, expected.map(|(title, body)| (title.to_owned(), body.to_owned())));
        assert!(news.take().is_empty(), "each once");
    }
}
