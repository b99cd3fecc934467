//! Proof that a file of a watch folder is not needed any more, asked of AWS after it was taken: its video can be watched,
//! and its object is the file.

use std::path::PathBuf;

use super::{Ingest, Journey, Stage, sidecars};
use crate::catalog::{Status, Video};
use crate::upload::Checksum;
use crate::{Code, Error, Result};

/// What AWS has of a file and of what goes with it.
#[derive(Clone, Debug)]
pub(crate) struct Confirmed {
    /// Of the file.
    pub checksum: Checksum,
    /// Of what was sent with it; what is not here was not sent.
    pub sidecars: Vec<(PathBuf, Checksum)>,
}

impl Ingest {
    /// Asks AWS what it has of a file whose journey has ended. What goes with one that was in the library already is sent
    /// to its twin first.
    ///
    /// # Errors
    /// When AWS cannot be asked, or does not have all of it: then the file is still needed.
    pub(crate) async fn confirmed(&self, id: &str) -> Result<Confirmed> {
        let journey = self.journey(id)?;
        let own = || journey.checksum.as_deref().and_then(Checksum::parse);
        let (Some(guid), Some(checksum), Some(key)) = (&journey.guid, own(), object_of(&journey)) else {
            return Err(unproved(&journey, "its video or its checksum is not known"));
        };
        let video = self.0.pipeline.catalog.video(guid).await?;
        if video.status != Status::Complete {
            return Err(unproved(&journey, "the catalog does not say that its video is complete"));
        }
        if self
            .0
            .sending
            .uploader
            .checksum_of_object(&self.0.pipeline.workspace.source_bucket, &key, journey.size)
            .await?
            != Some(checksum)
        {
            return Err(unproved(&journey, "its object in S3 is gone or is another one"));
        }
        if journey.stage == Stage::Skipped {
            self.add_to_twin(&journey, &key, &video).await?;
        }
        let sent = self.journey(id)?.sent_sidecars;
        let sent =
            sent.iter().filter_map(|(path, sum)| Some((crate::files::path_text::path(path), Checksum::parse(sum)?)));
        Ok(Confirmed { checksum, sidecars: sent.collect() })
    }

    /// Sends what goes with a file that was left out to where its twin is.
    async fn add_to_twin(&self, journey: &Journey, key: &str, video: &Video) -> Result<()> {
        if journey.sidecars.is_empty() {
            return Ok(());
        }
        let beside = Journey { key: Some(key.to_owned()), ..journey.clone() };
        let mut sent = Vec::new();
        for (number, (path, key)) in sidecars::keys(&beside).into_iter().enumerate() {
            // One try: it is asked again at the next look.
            self.send_sidecar(&beside, number, false, &self.0.runs.stop).await?;
            if !self.is_announced(&path) {
                sent.push(key);
            }
        }
        self.0.pipeline.catalog.add_sidecars(&video.guid, &sent).await
    }
}

/// The object that has a file's content: its own, or its twin's.
fn object_of(journey: &Journey) -> Option<String> {
    match (&journey.conflict, journey.stage) {
        (Some(conflict), Stage::Skipped) => Some(conflict.key.clone()),
        _ => journey.key.clone(),
    }
}

fn unproved(journey: &Journey, why: &str) -> Error {
    Error::new(
        Code::Integrity,
        format!("\"{}\" stays where it is: {why}.", crate::shown(&journey.path)),
        "Look at its video in the library; it is asked again by itself.",
    )
}
