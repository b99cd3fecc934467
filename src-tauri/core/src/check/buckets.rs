//! The two buckets.

use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::operation::head_bucket::HeadBucketError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketAccelerateStatus, ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
    ExpirationStatus, LifecycleRule,
};
use uuid::Uuid;

use super::{Area, Checker, FOLDER, Finding, Outcome, finding};
use crate::explain::explain;
use crate::upload::Checksum;
use crate::workspace::policy;
use crate::{Code, Error, Result};

const TINY: &[u8] = b"reeldesk";

impl Checker<'_> {
    pub async fn source_bucket(&self) -> Vec<Finding> {
        let bucket = self.bucket(&self.workspace.source_bucket, "source").await;
        let goes_on = !matches!(bucket, Outcome::Wrong { .. });
        let mut findings = vec![finding(Area::Upload, "Source bucket", bucket)];
        if goes_on {
            let (object, multipart, acceleration, lifecycle) =
                tokio::join!(self.object(), self.multipart(), self.acceleration(), self.lifecycle());
            findings.extend(object);
            findings.extend(multipart);
            findings.extend(acceleration);
            findings.push(lifecycle);
        }
        findings
    }

    /// Whether the bucket is there, in this region, and of this account.
    async fn bucket(&self, bucket: &str, which: &str) -> Outcome {
        let head =
            |owner: Option<String>| self.aws.s3.head_bucket().bucket(bucket).set_expected_bucket_owner(owner).send();
        let connection = &self.workspace.connection;
        let wrong =
            |message: String, remedy: String| Outcome::Wrong { error: Error::new(Code::Invalid, message, remedy) };
        match head(self.workspace.account.clone()).await {
            Ok(answer) => match answer.bucket_region().filter(|region| *region != connection.region) {
                Some(region) => wrong(
                    format!("The {which} bucket \"{bucket}\" is in {region}, the workspace in {}.", connection.region),
                    format!("Set the region of the workspace to {region}, or choose the bucket of this one."),
                ),
                None => Outcome::works(bucket),
            },
            Err(error) => match (status(&error), region_told(&error)) {
                (301 | 400, Some(region)) if region != connection.region => wrong(
                    format!("The {which} bucket \"{bucket}\" is in {region}, the workspace in {}.", connection.region),
                    format!("Set the region of the workspace to {region}."),
                ),
                (404, _) => Outcome::Wrong {
                    error: Error::new(
                        Code::NotFound,
                        format!("There is no bucket \"{bucket}\"."),
                        format!("Correct the {which} bucket of the workspace."),
                    )
                    .with_details(explain("HeadBucket", error).details),
                },
                (403, _) if self.workspace.account.is_some() && head(None).await.is_ok() => wrong(
                    format!("The {which} bucket \"{bucket}\" belongs to another account."),
                    format!("Correct the {which} bucket of the workspace; nothing was sent to this one."),
                ),
                _ => {
                    let error = explain(&format!("The {which} bucket \"{bucket}\" could not be looked at"), error);
                    self.failed(policy::LIST_BUCKET, &error)
                }
            },
        }
    }

    /// Sends a tiny object, looks at it, and removes it.
    async fn object(&self) -> Vec<Finding> {
        let (s3, bucket) = (&self.aws.s3, &self.workspace.source_bucket);
        let (key, encryption) = (format!("{FOLDER}/{}", Uuid::new_v4()), self.workspace.encryption());
        // Buckets with Object Lock want a checksum.
        let sum = Checksum::of_bytes(TINY).to_string();
        let send = s3.put_object().bucket(bucket).key(&key).checksum_crc64_nvme(sum);
        let send = send.body(ByteStream::from_static(TINY)).set_ssekms_key_id(encryption.key());
        let send = send.set_server_side_encryption(encryption.algorithm());
        let send = send.send().await.map_err(|error| explain("A tiny object could not be sent", error));
        let note = send.as_ref().ok().and_then(|sent| sent.ssekms_key_id()).map(|key| format!("encrypted with {key}"));
        let sent = self.outcome(policy::PUT_OBJECT, &send, note.unwrap_or_default());
        let mut findings = vec![finding(Area::Upload, "Send a file", sent)];
        let Ok(sent) = send else { return findings };

        let look = s3.head_object().bucket(bucket).key(&key).send().await;
        let look = look.map_err(|error| explain("The tiny object that was sent could not be looked at", error));
        findings.push(finding(Area::Upload, "Verify a file", self.outcome(policy::GET_OBJECT, &look, "")));

        let action = if sent.version_id.is_some() { policy::DELETE_VERSION } else { policy::DELETE_OBJECT };
        let remove = s3.delete_object().bucket(bucket).key(&key).set_version_id(sent.version_id).send().await;
        let remove = remove
            .map_err(|error| explain(&format!("The tiny object \"{key}\" was sent and could not be removed"), error));
        let removed = match &remove {
            Err(error) if error.details.contains("object lock") => Outcome::Advice {
                message: format!(
                    "The bucket keeps every object for a time (Object Lock), also the two tiny objects of each check, in {FOLDER}."
                ),
                remedy:
                    "Nothing is to be done. What you cancel after it was sent stays as a version, and costs money, \
                         until that time is over."
                        .into(),
            },
            remove => self.outcome(action, remove, ""),
        };
        findings.push(finding(Area::Upload, "Remove it again", removed));
        findings
    }

    /// Begins an upload in parts, lists it, and gives it up.
    async fn multipart(&self) -> Vec<Finding> {
        let (s3, bucket) = (&self.aws.s3, &self.workspace.source_bucket);
        let list = s3.list_multipart_uploads().bucket(bucket).prefix(FOLDER).max_uploads(1).send().await;
        let list = list.map_err(|error| explain("The unfinished uploads could not be listed", error));
        let listed = self.outcome(policy::LIST_UPLOADS, &list, "");
        let mut findings = vec![finding(Area::Upload, "Find unfinished uploads", listed)];

        let key = format!("{FOLDER}/{}", Uuid::new_v4());
        let encryption = self.workspace.encryption();
        let begin = s3.create_multipart_upload().bucket(bucket).key(&key).set_ssekms_key_id(encryption.key());
        let begun = begin.set_server_side_encryption(encryption.algorithm()).send().await;
        // Whether it may be begun, PutObject tells.
        let Some(upload) = begun.ok().and_then(|begun| begun.upload_id) else { return findings };
        let parts = s3.list_parts().bucket(bucket).key(&key).upload_id(&upload).send().await;
        let parts = parts.map_err(|error| explain("The parts of an upload could not be listed", error));
        findings.push(finding(Area::Upload, "Resume an upload", self.outcome(policy::LIST_PARTS, &parts, "")));
        let abort = s3.abort_multipart_upload().bucket(bucket).key(&key).upload_id(&upload).send().await;
        let abort = abort.map_err(|error| explain("An upload could not be given up", error));
        findings.push(finding(Area::Upload, "Cancel an upload", self.outcome(policy::ABORT_UPLOAD, &abort, "")));
        let whole = self.whole_upload().await;
        findings.push(finding(Area::Upload, "Send a file in parts", self.outcome(policy::PUT_OBJECT, &whole, "")));
        findings
    }

    /// Sends a tiny object as large ones are sent: a part, its completion, a look at its checksum. A key that the bucket is
    /// encrypted with is used for the first time here.
    async fn whole_upload(&self) -> Result<()> {
        let (s3, bucket, key) = (&self.aws.s3, &self.workspace.source_bucket, format!("{FOLDER}/{}", Uuid::new_v4()));
        let doing = "A tiny object could not be sent in parts";
        let begin = s3.create_multipart_upload().bucket(bucket).key(&key);
        let begin = begin.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).checksum_type(ChecksumType::FullObject);
        let encryption = self.workspace.encryption();
        let begin = begin.set_server_side_encryption(encryption.algorithm()).set_ssekms_key_id(encryption.key());
        let begun = begin.send().await.map_err(|error| explain(doing, error))?;
        let upload = begun.upload_id.ok_or_else(|| Error::internal("S3 gave no upload id"))?;
        let sum = Checksum::of_bytes(TINY).to_string();
        let sent = async {
            let part = s3.upload_part().bucket(bucket).key(&key).upload_id(&upload).part_number(1);
            let part = part.checksum_crc64_nvme(&sum).body(ByteStream::from_static(TINY)).send().await;
            let part = part.map_err(|error| explain(doing, error))?;
            let part = CompletedPart::builder().part_number(1).set_e_tag(part.e_tag).checksum_crc64_nvme(&sum).build();
            let parts = CompletedMultipartUpload::builder().parts(part).build();
            let complete = s3.complete_multipart_upload().bucket(bucket).key(&key).upload_id(&upload);
            let complete = complete.checksum_type(ChecksumType::FullObject).checksum_crc64_nvme(&sum);
            complete.multipart_upload(parts).send().await.map_err(|error| explain(doing, error))
        };
        let version = match sent.await {
            Ok(completed) => completed.version_id,
            Err(error) => {
                s3.abort_multipart_upload().bucket(bucket).key(&key).upload_id(&upload).send().await.ok();
                // Its answer alone may have been lost.
                s3.delete_object().bucket(bucket).key(&key).send().await.ok();
                return Err(error);
            }
        };
        let head = s3.head_object().bucket(bucket).key(&key).checksum_mode(ChecksumMode::Enabled).send().await;
        // Whether it may be removed, "Remove it again" tells.
        s3.delete_object().bucket(bucket).key(&key).set_version_id(version).send().await.ok();
        // Whether it may be looked at, "Verify a file" tells.
        match head.ok().and_then(|head| head.checksum_crc64_nvme) {
            Some(told) if told != sum => Err(Error::new(
                Code::Integrity,
                "S3 reports another checksum for a tiny object than the one that was sent.",
                "A proxy or VPN on the way changes the data; ask whoever runs it.",
            )),
            _ => Ok(()),
        }
    }

    /// Whether what the workspace wants of Transfer Acceleration is what the bucket has. Nothing where neither knows of it.
    async fn acceleration(&self) -> Option<Finding> {
        let bucket = &self.workspace.source_bucket;
        let connection = &self.workspace.connection;
        let answer = self.aws.s3.get_bucket_accelerate_configuration().bucket(bucket).send().await;
        let status = answer.map(|configuration| configuration.status == Some(BucketAccelerateStatus::Enabled));
        let outcome = match (connection.transfer_acceleration, status) {
            (true, Ok(true)) => Outcome::works("on"),
            (false, Ok(true)) if !connection.is_elsewhere() => Outcome::Advice {
                message: "The source bucket has it, and this workspace does not use it.".into(),
                remedy: "Compare sends 64 MiB both ways, and says which is faster from here.".into(),
            },
            (true, Ok(false)) => Outcome::Wrong {
                error: Error::new(
                    Code::Invalid,
                    "The workspace uploads through Transfer Acceleration, and the source bucket does not have it.",
                    "Turn it off in the workspace (Edit, More), or ask the engineer to enable it on the bucket.",
                ),
            },
            // Other servers than AWS's own do not know it, and regions of AWS without it say so.
            (false, Ok(_)) => return None,
            (true, Err(error)) => {
                let error = explain("Whether the source bucket has Transfer Acceleration could not be asked", error);
                self.failed(policy::GET_ACCELERATE, &error)
            }
            (false, Err(error)) if error.code() == Some("AccessDenied") => {
                let action = policy::GET_ACCELERATE.name;
                Outcome::skipped(format!("The workspace does not use it, and may not ask for it ({action})."))
            }
            (false, Err(_)) => return None,
        };
        Some(finding(Area::Upload, "Transfer Acceleration", outcome))
    }

    async fn lifecycle(&self) -> Finding {
        let answer =
            self.aws.s3.get_bucket_lifecycle_configuration().bucket(&self.workspace.source_bucket).send().await;
        let days = match answer {
            Ok(lifecycle) => Ok(lifecycle.rules.unwrap_or_default().iter().find_map(days_unfinished)),
            Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => Ok(None),
            Err(error) => Err(explain("The lifecycle rules could not be read", error)),
        };
        let outcome = match days {
            Ok(Some(days)) => Outcome::works(format!("S3 removes them after {days} days")),
            Ok(None) => Outcome::Advice {
                message: "No lifecycle rule removes uploads that nobody finishes; they cost money unseen.".into(),
                remedy: "Ask the engineer for a rule AbortIncompleteMultipartUpload of 7 days on the source bucket."
                    .into(),
            },
            Err(error) => self.failed(policy::GET_LIFECYCLE, &error),
        };
        finding(Area::Upload, "Clean-up of unfinished uploads", outcome)
    }

    pub async fn destination_bucket(&self) -> Vec<Finding> {
        let answer = self.aws.s3.get_bucket_cors().bucket(&self.workspace.destination_bucket).send().await;
        let readable = match answer {
            Ok(cors) => Ok(cors.cors_rules().iter().any(|rule| rule.allowed_methods().iter().any(|m| m == "GET"))),
            Err(error) if error.code() == Some("NoSuchCORSConfiguration") => Ok(false),
            Err(error) => Err(explain("The cross-origin rules of the destination bucket could not be read", error)),
        };
        let outcome = match readable {
            Ok(true) => Outcome::works(""),
            Ok(false) => Outcome::Advice {
                message: "Players on web pages may not read the streams: the destination bucket has no cross-origin \
                          rule (CORS) for GET. Reeldesk itself plays them."
                    .into(),
                remedy: "Ask the engineer for one that allows GET and HEAD from the sites that play the videos.".into(),
            },
            Err(error) => self.failed(policy::GET_CORS, &error),
        };
        vec![finding(Area::Playback, "Cross-origin rules", outcome)]
    }
}

/// The days after which a rule removes unfinished uploads of the whole bucket.
fn days_unfinished(rule: &LifecycleRule) -> Option<i32> {
    let of_all = rule.filter().is_none_or(|filter| {
        filter.prefix().is_none_or(str::is_empty) && filter.tag().is_none() && filter.and().is_none()
    });
    let rule = Some(rule).filter(|rule| *rule.status() == ExpirationStatus::Enabled && of_all)?;
    rule.abort_incomplete_multipart_upload()?.days_after_initiation()
}

fn status(error: &SdkError<HeadBucketError>) -> u16 {
    error.raw_response().map_or(0, |response| response.status().as_u16())
}

fn region_told(error: &SdkError<HeadBucketError>) -> Option<String> {
    error.raw_response()?.headers().get("x-amz-bucket-region").map(str::to_owned)
}
