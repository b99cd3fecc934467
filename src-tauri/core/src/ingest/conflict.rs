//! A file that is in the library already, or whose name is: it is sent only if someone wants both.

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

use super::known::{self, Sent};
use super::{Ingest, Journey, Stage};
use crate::catalog::Guid;
use crate::upload::Checksum;
use crate::{Code, Error, Result};

/// What is there already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// Whether it has the same content, byte for byte; otherwise it has only the same name.
    pub same_content: bool,
    /// The key of its source.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Bytes of its source.
    #[ts(type = "number")]
    pub size: u64,
    /// When it was verified in S3, in milliseconds since the epoch; none while it is on its way.
    #[ts(type = "number | null")]
    pub sent_at: Option<i64>,
    /// Its video, once the catalog has one.
    pub guid: Option<Guid>,
    /// The address of its stream.
    pub hls_url: Option<String>,
}

impl Conflict {
    /// The question, as the error of a journey that waits for its answer.
    pub(super) fn error(&self, title: &str) -> Error {
        let place = if self.guid.is_some() { "in the library already" } else { "on its way already" };
        if self.same_content {
            let twin = if self.title == title { String::new() } else { format!(" as \"{}\"", self.title) };
            return Error::new(
                Code::Duplicate,
                format!("\"{title}\" is {place}{twin}: the files are the same, byte for byte."),
                "Skip it, or keep both.",
            );
        }
        Error::new(
            Code::Duplicate,
            format!("\"{}\" is {place}: its file has the same name and other content.", self.title),
            "Keep both, or skip this one. Nothing is replaced.",
        )
    }
}

/// What a comparison with all that is known came to.
pub(super) enum Compared {
    /// Nothing like it is there.
    New,
    /// It is there, or its name is.
    There(Box<Conflict>),
    /// The files of these journeys have to be read first.
    Wanted(Vec<String>),
}

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Resolution {
    /// Do not send it.
    Skip,
    /// Send it too.
    KeepBoth,
}

/// The answers for one file; what is open is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Resolutions {
    /// Where the content is there already.
    pub same_content: Option<Resolution>,
    /// Where only the name is.
    pub same_name: Option<Resolution>,
}

impl Resolutions {
    pub(super) fn to(self, conflict: &Conflict) -> Option<Resolution> {
        if conflict.same_content { self.same_content } else { self.same_name }
    }

    fn set(&mut self, same_content: bool, answer: Resolution) {
        let which = if same_content { &mut self.same_content } else { &mut self.same_name };
        *which = Some(answer);
    }
}

impl Ingest {
    /// Answers the question of a journey, and with `remaining` that of all of its batch that ask the same or will.
    ///
    /// # Errors
    /// When there is no such question, or the store cannot be written.
    pub async fn answer(&self, id: &str, answer: Resolution, remaining: bool) -> Result<()> {
        let asked = self.journey(id)?;
        let Some(conflict) = asked.conflict else {
            return Err(Error::new(
                Code::Invalid,
                "This question has been answered already.",
                "Look at the list again.",
            ));
        };
        let same_content = conflict.same_content;
        let concerned = self.list().into_iter().filter(|journey| {
            let another = remaining && journey.batch == asked.batch && journey.stage != Stage::Paused;
            journey.id == id
                || another && journey.stage <= Stage::Checking
                || another && journey.conflict.as_ref().is_some_and(|other| other.same_content == same_content)
        });
        for journey in concerned.collect::<Vec<_>>() {
            self.0.journeys.edit(&journey.id, |journey| journey.answers.set(same_content, answer)).await?;
            match (journey.conflict, answer) {
                (Some(conflict), Resolution::Skip) if journey.stage == Stage::NeedsYou => {
                    self.skip(&journey.id, conflict).await?;
                }
                (Some(_), Resolution::KeepBoth) => self.retry(&journey.id).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Leaves a file out.
    pub(super) async fn skip(&self, id: &str, conflict: Conflict) -> Result<()> {
        let key = conflict.key.clone();
        let skip = |journey: &mut Journey| {
            journey.error = None;
            (journey.guid, journey.hls_url) = (conflict.guid.clone(), conflict.hls_url.clone());
            journey.conflict = Some(conflict);
        };
        self.0.journeys.enter(id, Stage::Skipped, skip).await?;
        self.propagate_from(&key).await;
        Ok(())
    }

    /// The twin may have come to its end while it was compared: it is looked at once more.
    pub(super) async fn propagate_from(&self, key: &str) {
        if let Some(twin) = self.0.journeys.sent_as(key) {
            Box::pin(self.propagate_outcome(&twin)).await;
        }
    }

    /// What a journey has come to holds for those that were left out because of it, and for those that ask; where it
    /// fails, they go on themselves. What goes wrong with them is none of its own.
    pub(super) async fn propagate_outcome(&self, twin: &Journey) {
        if twin.stage == Stage::Playable
            && let Err(error) = self.0.checking.known.remember(twin).await
        {
            tracing::warn!(id = twin.id, %error, "what was sent could not be remembered");
        }
        let Some(key) = &twin.key else { return };
        for one in self.0.journeys.waiting_for(key) {
            if let Err(error) = self.apply_outcome(&one, twin).await {
                tracing::warn!(id = one.id, %error, "a copy does not know what became of its twin");
            }
        }
    }

    async fn apply_outcome(&self, one: &Journey, twin: &Journey) -> Result<()> {
        match (twin.stage, one.stage) {
            (Stage::NeedsYou | Stage::Canceled, _) => self.begin_again(&one.id, |_| {}).await,
            (_, Stage::NeedsYou) => {
                let know = |one: &mut Journey| {
                    let Some(conflict) = &mut one.conflict else { return };
                    (conflict.guid, conflict.hls_url) = (twin.guid.clone(), twin.hls_url.clone());
                    conflict.sent_at = twin.verified_at;
                    one.error = Some(conflict.error(&one.title));
                };
                self.0.journeys.edit(&one.id, know).await
            }
            _ => {
                let follow = |one: &mut Journey| {
                    (one.guid, one.hls_url) = (twin.guid.clone(), twin.hls_url.clone());
                    one.verified_at = twin.verified_at;
                };
                self.0.journeys.edit(&one.id, follow).await
            }
        }
    }

    /// What is there already of this file: first the same content, then the same name.
    pub(super) async fn conflict(&self, journey: &Journey) -> Result<Compared> {
        let known = self.0.checking.known.like(journey).await?;
        let elsewhere = self.sent_elsewhere(journey.size, &known).await;
        let known = known.into_iter().chain(elsewhere).map(|sent| (sent, None));
        let on_the_way = self.0.journeys.on_the_way(journey).into_iter().map(|other| (Sent::of(&other), Some(other)));
        let there: Vec<_> = known.chain(on_the_way).collect();
        let sum = |journey: &Journey| journey.checksum.as_deref().and_then(Checksum::parse);
        let alike: Vec<_> = there.iter().filter(|(sent, _)| sent.size == journey.size).collect();
        if !alike.is_empty() {
            let others = alike.iter().filter_map(|(_, holder)| holder.as_ref());
            let unread = std::iter::once(journey).chain(others).filter(|one| sum(one).is_none() && !one.unreadable);
            let wanted: Vec<String> = unread.map(|one| one.id.clone()).collect();
            if !wanted.is_empty() {
                return Ok(Compared::Wanted(wanted));
            }
        }
        for (sent, holder) in alike {
            let theirs = holder.as_ref().map_or(sent.checksum, sum);
            if theirs.is_some() && theirs == sum(journey) && self.is_still_there(sent).await? {
                let mut conflict = sent.conflict(true);
                if let (None, Some(guid)) = (&conflict.hls_url, &conflict.guid) {
                    conflict.hls_url = self.0.pipeline.catalog.video(guid).await?.hls_url;
                }
                return Ok(Compared::There(Box::new(conflict)));
            }
        }
        let name = known::name(&journey.path);
        for (sent, _) in there.iter().filter(|(sent, _)| sent.name == name) {
            if self.is_still_there(sent).await? {
                return Ok(Compared::There(Box::new(sent.conflict(false))));
            }
        }
        Ok(Compared::New)
    }

    /// What other computers sent that has so many bytes, as far as the mirror knows; where it cannot be asked, nothing.
    async fn sent_elsewhere(&self, size: u64, known: &[Sent]) -> Vec<Sent> {
        let videos = match self.0.live.of_source_size(size).await {
            Ok(videos) => videos,
            Err(error) => {
                tracing::warn!(%error, "the mirror was not asked for what other computers sent");
                return Vec::new();
            }
        };
        let sent = videos.into_iter().filter_map(Sent::elsewhere);
        sent.filter(|sent| known.iter().all(|one| one.key != sent.key)).collect()
    }

    /// Reads the files of journeys for their checksums; `id` is the one that is compared. Another one that cannot be read
    /// is no twin of it.
    pub(super) async fn read_for(&self, id: &str, wanted: &[String], token: &CancellationToken) -> Result<()> {
        for one in wanted {
            // Someone may have taken it off the list.
            let Ok(journey) = self.journey(one) else { continue };
            self.0.journeys.show(id, |journey| {
                journey.notice = Some("Comparing it with one of the same size".to_owned());
            });
            let read = tokio::select! {
                read = self.0.sending.uploader.checksum(&journey.path, journey.size) => read,
                () = token.cancelled() => return Err(Error::internal("stopped while comparing")),
            };
            match read {
                Ok(checksum) => self.0.journeys.show(one, |journey| journey.checksum = Some(checksum.to_string())),
                Err(error) if one == id => return Err(error),
                Err(_) => self.0.journeys.show(one, |journey| journey.unreadable = true),
            }
            self.0.journeys.show(id, |journey| journey.notice = None);
        }
        Ok(())
    }

    /// Whether the catalog still has the video.
    ///
    /// # Errors
    /// When the catalog cannot be asked: nothing follows from that.
    async fn is_still_there(&self, sent: &Sent) -> Result<bool> {
        let Some(guid) = &sent.guid else { return Ok(true) };
        match self.0.pipeline.catalog.video(guid).await {
            Err(error) if error.code == Code::NotFound => {
                self.0.checking.known.forget(&sent.key).await.ok();
                Ok(false)
            }
            found => found.map(|_| true),
        }
    }
}
