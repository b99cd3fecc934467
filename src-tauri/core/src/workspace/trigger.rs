//! What starts the pipeline, as the source bucket has it. Source: Amazon S3 API Reference,
//! `GetBucketNotificationConfiguration`.

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::types::{Event, FilterRuleName, NotificationConfigurationFilter};

/// What the bucket tells of new objects.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notified {
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
    let Notified::Endings(endings) = notified(configuration) else { return None };
    let is_video = |ending: &String| {
        let ending = ending.rsplit('.').next().unwrap_or(ending).to_lowercase();
        VIDEOS.contains(&ending.as_str())
    };
    let decides = configuration.event_bridge_configuration().is_none() && !endings.iter().any(String::is_empty);
    (decides && endings.iter().any(is_video)).then_some(endings)
}

pub(crate) fn notified(configuration: &GetBucketNotificationConfigurationOutput) -> Notified {
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
        (false, _) => Notified::Endings(endings),
        (true, Some(_)) => Notified::EventBridge,
        (true, None) => Notified::Nobody,
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
