//! What starts the pipeline. Source: Amazon S3 API Reference, `GetBucketNotificationConfiguration`.

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::types::{Event, FilterRuleName, NotificationConfigurationFilter};

use super::super::{IngestMode, Trigger, policy};
use super::{Area, Checker, Finding, Outcome, finding};
use crate::aws::explain;
use crate::{Code, Error};

/// What the bucket tells of new objects.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// Nobody.
    Nobody,
    /// EventBridge, whose rules decide.
    EventBridge,
    /// Someone, for keys with these endings; an empty one is every key.
    Endings(Vec<String>),
}

/// The endings of the videos that the newest pipeline takes. Source: "Video on Demand on AWS" 6.1.
pub(crate) const VIDEOS: [&str; 12] =
    ["mpg", "mp4", "m4v", "mov", "m2ts", "wmv", "mxf", "mkv", "m3u8", "mpeg", "webm", "h264"];

/// The endings of keys that start the pipeline, as the bucket has them. None where that is not known for sure: EventBridge
/// decides, every file does, or what the bucket tells of is no videos, but someone else's files.
pub(crate) fn starting(configuration: &GetBucketNotificationConfigurationOutput) -> Option<Vec<String>> {
    let Told::Endings(endings) = told(configuration) else { return None };
    let is_video = |ending: &String| {
        let ending = ending.rsplit('.').next().unwrap_or(ending).to_lowercase();
        VIDEOS.contains(&ending.as_str())
    };
    let decides = configuration.event_bridge_configuration().is_none() && !endings.iter().any(String::is_empty);
    (decides && endings.iter().any(is_video)).then_some(endings)
}

impl Checker<'_> {
    pub async fn trigger(&self) -> Vec<Finding> {
        let bucket = &self.workspace.source_bucket;
        let answer = self.aws.s3.get_bucket_notification_configuration().bucket(bucket).send().await;
        let outcome = match answer {
            Ok(configuration) => judge(&self.workspace.mode, &told(&configuration)),
            Err(error) => {
                let error = explain("The notifications of the source bucket could not be read", error);
                self.failed(policy::GET_NOTIFICATION, &error)
            }
        };
        vec![finding(Area::Pipeline, "What starts it", outcome)]
    }
}

fn told(configuration: &GetBucketNotificationConfigurationOutput) -> Told {
    let mut endings = Vec::new();
    let mut note = |events: &[Event], filter: Option<&NotificationConfigurationFilter>| {
        if events.iter().any(|event| event.as_str().starts_with("s3:ObjectCreated")) {
            endings.push(ending(filter));
        }
    };
    for one in configuration.lambda_function_configurations() {
        note(one.events(), one.filter());
    }
    for one in configuration.queue_configurations() {
        note(one.events(), one.filter());
    }
    for one in configuration.topic_configurations() {
        note(one.events(), one.filter());
    }
    endings.sort();
    endings.dedup();
    match (endings.is_empty(), configuration.event_bridge_configuration()) {
        (false, _) => Told::Endings(endings),
        (true, Some(_)) => Told::EventBridge,
        (true, None) => Told::Nobody,
    }
}

fn ending(filter: Option<&NotificationConfigurationFilter>) -> String {
    let rules = filter.and_then(|filter| filter.key()).map(|key| key.filter_rules()).unwrap_or_default();
    // S3 answers with the name's first letter in upper case.
    let suffix = rules.iter().find(|rule| {
        rule.name().is_some_and(|name| name.as_str().eq_ignore_ascii_case(FilterRuleName::Suffix.as_str()))
    });
    suffix.and_then(|rule| rule.value()).unwrap_or_default().to_owned()
}

fn judge(mode: &IngestMode, told: &Told) -> Outcome {
    let IngestMode::Pipeline { trigger, .. } = mode;
    let wrong = |message: &str, remedy: &str| Outcome::Wrong { error: Error::new(Code::Invalid, message, remedy) };
    let endings = match told {
        Told::Nobody => {
            return wrong(
                "Nothing listens to new files in the source bucket, so nothing would be encoded.",
                "Check the source bucket of the workspace, or ask the engineer to deploy the pipeline again.",
            );
        }
        Told::EventBridge => {
            return Outcome::works("The bucket tells EventBridge; which files start the pipeline is decided there.");
        }
        Told::Endings(endings) => endings,
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
    fn the_endings_that_start_a_pipeline_are_those_of_its_bucket() {
        use aws_sdk_s3::types::{FilterRule, LambdaFunctionConfiguration, S3KeyFilter};
        let one = |ending: Option<&str>| {
            let rule = |value| FilterRule::builder().name(FilterRuleName::Suffix).value(value).build();
            let filter = ending.map(|ending| {
                let key = S3KeyFilter::builder().filter_rules(rule(ending)).build();
                NotificationConfigurationFilter::builder().key(key).build()
            });
            let lambda =
                LambdaFunctionConfiguration::builder().lambda_function_arn("arn").events(Event::S3ObjectCreated);
            lambda.set_filter(filter).build().unwrap()
        };
        let of = |all: &[Option<&str>]| {
            let all = all.iter().map(|ending| one(*ending)).collect();
            let built =
                GetBucketNotificationConfigurationOutput::builder().set_lambda_function_configurations(Some(all));
            starting(&built.build())
        };
        assert_eq!(of(&[Some(".mp4"), Some(".MOV")]), Some(vec![".MOV".to_owned(), ".mp4".to_owned()]));
        assert_eq!(of(&[Some("media.mp4")]), Some(vec!["media.mp4".to_owned()]));
        assert_eq!(of(&[Some(".csv")]), None, "someone else's files");
        assert_eq!(of(&[Some("json")]), None, "the check of the workspace says so");
        assert_eq!(of(&[Some(".mp4"), None]), None, "every file");
        assert_eq!(of(&[]), None, "nobody, as far as the bucket tells");
    }

    #[test]
    fn the_mode_and_the_bucket_must_agree() {
        let endings = |all: &[&str]| Told::Endings(all.iter().map(|&one| one.to_owned()).collect());
        let videos = endings(&[".MP4", ".mov", ".mp4"]);
        assert_eq!(judge(&by(Trigger::VideoFile), &videos), Outcome::works(".mov .mp4"));
        assert!(judge(&by(Trigger::MetadataFile), &videos).is_bad());
        assert!(judge(&by(Trigger::VideoFile), &endings(&["json"])).is_bad());
        assert_eq!(judge(&by(Trigger::MetadataFile), &endings(&["json"])), Outcome::works("json"));
        assert_eq!(judge(&by(Trigger::VideoFile), &endings(&[""])), Outcome::works("every file"));
        assert!(judge(&by(Trigger::VideoFile), &Told::Nobody).is_bad());
        assert!(!judge(&by(Trigger::VideoFile), &Told::EventBridge).is_bad());
    }
}
