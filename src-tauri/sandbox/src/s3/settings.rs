//! What a bucket is set to, as the template of "Video on Demand on AWS" sets it.

use s3s::dto::*;

use crate::options::Generation;
use crate::{ACCOUNT, DESTINATION_BUCKET, REGION, SOURCE_BUCKET, STACK};

/// The source bucket tells the workflow of new videos.
pub(super) fn notifications(bucket: &str, generation: Generation) -> GetBucketNotificationConfigurationOutput {
    let told = generation.endings().into_iter().filter(|_| bucket == SOURCE_BUCKET).map(|ending| {
        LambdaFunctionConfiguration {
            events: vec![Event::from("s3:ObjectCreated:*".to_owned())],
            filter: Some(NotificationConfigurationFilter {
                key: Some(S3KeyFilter {
                    filter_rules: Some(vec![FilterRule {
                        name: Some(FilterRuleName::from_static("Suffix")),
                        value: Some(ending),
                    }]),
                }),
            }),
            id: None,
            lambda_function_arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{STACK}-step-functions"),
        }
    });
    GetBucketNotificationConfigurationOutput {
        lambda_function_configurations: Some(told.collect()),
        ..Default::default()
    }
}

/// Players on any page may read the destination bucket.
pub(super) fn cors(bucket: &str) -> Option<GetBucketCorsOutput> {
    let rule = CORSRule {
        allowed_headers: Some(vec!["*".to_owned()]),
        allowed_methods: vec!["GET".to_owned()],
        allowed_origins: vec!["*".to_owned()],
        expose_headers: None,
        id: None,
        max_age_seconds: Some(3000),
    };
    (bucket == DESTINATION_BUCKET).then(|| GetBucketCorsOutput { cors_rules: Some(vec![rule]) })
}
