//! Whether what starts the pipeline is what the workspace says.

use super::{Area, Checker, Finding, Outcome, finding};
use crate::explain::explain;
use crate::workspace::trigger::{Notified, notified};
use crate::workspace::{IngestMode, Trigger, policy};
use crate::{Code, Error};

impl Checker<'_> {
    pub async fn trigger(&self) -> Vec<Finding> {
        let bucket = &self.workspace.source_bucket;
        let answer = self.aws.s3.get_bucket_notification_configuration().bucket(bucket).send().await;
        let outcome = match answer {
            Ok(configuration) => judge(&self.workspace.mode, &notified(&configuration)),
            Err(error) => {
                let error = explain("The notifications of the source bucket could not be read", error);
                self.failed(policy::GET_NOTIFICATION, &error)
            }
        };
        vec![finding(Area::Pipeline, "What starts it", outcome)]
    }
}

fn judge(mode: &IngestMode, notified: &Notified) -> Outcome {
    let IngestMode::Pipeline { trigger, .. } = mode;
    let wrong = |message: &str, remedy: &str| Outcome::Wrong { error: Error::new(Code::Invalid, message, remedy) };
    let endings = match notified {
        Notified::Nobody => {
            return wrong(
                "Nothing listens to new files in the source bucket, so nothing would be encoded.",
                "Check the source bucket of the workspace, or ask the engineer to deploy the pipeline again.",
            );
        }
        Notified::EventBridge => {
            return Outcome::works("The bucket tells EventBridge; which files start the pipeline is decided there.");
        }
        Notified::Endings(endings) => endings,
    };
    let of_metadata = |ending: &String| ending.trim_start_matches('.').eq_ignore_ascii_case("json");
    let by_metadata = endings.iter().all(of_metadata);
    let by_video = endings.iter().any(|ending| !of_metadata(ending));
    match trigger {
        Trigger::VideoFile if by_metadata => wrong(
            "The pipeline starts on metadata files (.json), the workspace expects it to start on videos.",
            "Set \"Started by\" of the workspace to metadata files.",
        ),
        Trigger::MetadataFile if by_video && !endings.iter().any(of_metadata) => wrong(
            "The pipeline starts on videos, the workspace expects it to start on metadata files (.json).",
            "Set \"Started by\" of the workspace to videos.",
        ),
        _ if endings.iter().any(String::is_empty) => Outcome::works("every file"),
        _ => {
            // Keys are written in lower case; the others are no news.
            let shown: Vec<_> =
                endings.iter().filter(|ending| !ending.chars().any(|c| c.is_ascii_uppercase())).cloned().collect();
            Outcome::works(shown.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Acceleration;

    fn by(trigger: Trigger) -> IngestMode {
        IngestMode::Pipeline { trigger, frame_capture: false, acceleration: Acceleration::Preferred }
    }

    #[test]
    fn the_mode_and_the_bucket_must_agree() {
        let endings = |all: &[&str]| Notified::Endings(all.iter().map(|&one| one.to_owned()).collect());
        let videos = endings(&[".MP4", ".mov", ".mp4"]);
        assert_eq!(judge(&by(Trigger::VideoFile), &videos), Outcome::works(".mov .mp4"));
        assert!(judge(&by(Trigger::MetadataFile), &videos).is_bad());
        assert!(judge(&by(Trigger::VideoFile), &endings(&["json"])).is_bad());
        assert_eq!(judge(&by(Trigger::MetadataFile), &endings(&["json"])), Outcome::works("json"));
        assert_eq!(judge(&by(Trigger::VideoFile), &endings(&[""])), Outcome::works("every file"));
        assert!(judge(&by(Trigger::VideoFile), &Notified::Nobody).is_bad());
        assert!(!judge(&by(Trigger::VideoFile), &Notified::EventBridge).is_bad());
    }
}
