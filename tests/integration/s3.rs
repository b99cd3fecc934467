//! The sandbox's S3, through the official SDK: it refuses what S3 refuses.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::RequestId as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart, ObjectAttributes, Tag,
    Tagging,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reeldesk_sandbox::{SOURCE_BUCKET as BUCKET, Sandbox};
use reeldesk_tests::s3;

use crate::server::OwnSandbox;

fn code<E: ProvideErrorMetadata, R>(error: &aws_sdk_s3::error::SdkError<E, R>) -> String
where
    aws_sdk_s3::error::SdkError<E, R>: ProvideErrorMetadata,
{
    error.code().unwrap_or("no code").to_owned()
}

fn crc64(bytes: &[u8]) -> String {
    BASE64.encode(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes).to_be_bytes())
}

async fn begin(client: &Client, key: &str) -> String {
    let created = client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key(key)
        .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
        .checksum_type(ChecksumType::FullObject)
        .send()
        .await
        .unwrap();
    created.upload_id.unwrap()
}

async fn part(client: &Client, key: &str, id: &str, number: i32, bytes: &[u8]) -> CompletedPart {
    let sent = client
        .upload_part()
        .bucket(BUCKET)
        .key(key)
        .upload_id(id)
        .part_number(number)
        .checksum_crc64_nvme(crc64(bytes))
        .body(bytes.to_vec().into())
        .send()
        .await
        .unwrap();
    assert_eq!(sent.checksum_crc64_nvme(), Some(crc64(bytes).as_str()));
    CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).checksum_crc64_nvme(crc64(bytes)).build()
}

#[tokio::test]
async fn a_wrong_checksum_is_refused_and_leaves_nothing() {
    let own = OwnSandbox::start().await;
    let client = own.s3();
    let body = || ByteStream::from_static(b"film");
    let wrong = crc64(b"other");
    let put = || client.put_object().bucket(BUCKET).key("a.txt").body(body());
    let refusals = [
        put().checksum_crc64_nvme(&wrong).send().await,
        put().checksum_crc32("AAAAAA==").send().await,
        put().checksum_crc32_c("AAAAAA==").send().await,
        put().checksum_sha1("AAAAAAAAAAAAAAAAAAAAAAAAAAA=").send().await,
        put().checksum_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").send().await,
        put().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await,
    ];
    for refusal in refusals {
        assert_eq!(code(&refusal.unwrap_err()), "BadDigest");
    }
    let id = begin(&client, "b.txt").await;
    let refusal = client
        .upload_part()
        .bucket(BUCKET)
        .key("b.txt")
        .upload_id(&id)
        .part_number(1)
        .checksum_crc64_nvme(&wrong)
        .body(body())
        .send()
        .await;
    assert_eq!(code(&refusal.unwrap_err()), "BadDigest");
    let parts = client.list_parts().bucket(BUCKET).key("b.txt").upload_id(&id).send().await.unwrap();
    assert!(parts.parts().is_empty());
    let head = client.head_object().bucket(BUCKET).key("a.txt").send().await;
    assert!(head.unwrap_err().into_service_error().is_not_found());
    own.sandbox.stop().await;
}

#[tokio::test]
async fn a_multipart_object_has_the_checksum_of_the_whole() {
    let own = OwnSandbox::start().await;
    let client = own.s3();
    let bytes: Vec<u8> = (0..11 * 1024 * 1024_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let (first, second) = bytes.split_at(6 * 1024 * 1024);
    let id = begin(&client, "x/y.bin").await;
    let parts = [part(&client, "x/y.bin", &id, 1, first).await, part(&client, "x/y.bin", &id, 2, second).await];

    let page = client.list_parts().bucket(BUCKET).key("x/y.bin").upload_id(&id).max_parts(1).send().await.unwrap();
    assert_eq!((page.is_truncated(), page.next_part_number_marker()), (Some(true), Some("1")));
    assert_eq!(page.parts()[0].e_tag(), parts[0].e_tag());
    assert_eq!(page.parts()[0].size(), Some(6 * 1024 * 1024));
    let uploads = client.list_multipart_uploads().bucket(BUCKET).prefix("x/").send().await.unwrap();
    assert_eq!(uploads.uploads()[0].upload_id(), Some(id.as_str()));

    let complete = |parts: Vec<CompletedPart>, checksum: String| {
        let request = client.complete_multipart_upload().bucket(BUCKET).key("x/y.bin").upload_id(&id);
        let upload = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        request.multipart_upload(upload).checksum_crc64_nvme(checksum).checksum_type(ChecksumType::FullObject).send()
    };
    let wrong_order = complete(vec![parts[1].clone(), parts[0].clone()], crc64(&bytes)).await;
    assert_eq!(code(&wrong_order.unwrap_err()), "InvalidPartOrder");
    let wrong_tag = CompletedPart::builder().part_number(1).e_tag("\"00000000000000000000000000000000\"").build();
    assert_eq!(code(&complete(vec![wrong_tag], crc64(&bytes)).await.unwrap_err()), "InvalidPart");
    assert_eq!(code(&complete(parts.to_vec(), crc64(b"x")).await.unwrap_err()), "BadDigest");
    let done = complete(parts.to_vec(), crc64(&bytes)).await.unwrap();
    assert_eq!(done.checksum_crc64_nvme(), Some(crc64(&bytes).as_str()));
    assert_eq!(code(&complete(parts.to_vec(), crc64(&bytes)).await.unwrap_err()), "NoSuchUpload");

    // Kept on disk: the same after a restart, with its bytes.
    own.sandbox.stop().await;
    let sandbox = Sandbox::start(own.folder.path()).await.unwrap();
    let head =
        client.head_object().bucket(BUCKET).key("x/y.bin").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(head.checksum_crc64_nvme(), Some(crc64(&bytes).as_str()));
    assert_eq!(head.checksum_type(), Some(&ChecksumType::FullObject));
    let attributes = client
        .get_object_attributes()
        .bucket(BUCKET)
        .key("x/y.bin")
        .object_attributes(ObjectAttributes::Checksum)
        .object_attributes(ObjectAttributes::ObjectParts)
        .object_attributes(ObjectAttributes::ObjectSize)
        .send()
        .await
        .unwrap();
    assert_eq!(attributes.object_size(), Some(bytes.len() as i64));
    assert_eq!(attributes.object_parts().and_then(|parts| parts.total_parts_count()), Some(2));
    let got = client.get_object().bucket(BUCKET).key("x/y.bin").range("bytes=6291450-6291459").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), bytes[6_291_450..6_291_460]);
    sandbox.stop().await;
}

#[tokio::test]
async fn tags_listings_and_what_is_not_there() {
    let own = OwnSandbox::start().await;
    let client = own.s3();
    for key in ["a/1.txt", "a/2.txt", "b+c //..%2F/é.txt", "z/"] {
        client.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"x")).send().await.unwrap();
    }
    let page = client.list_objects_v2().bucket(BUCKET).delimiter("/").max_keys(2).send().await.unwrap();
    let prefixes: Vec<_> = page.common_prefixes().iter().filter_map(|prefix| prefix.prefix()).collect();
    assert_eq!(prefixes, ["a/", "b+c /"]);
    let next = client
        .list_objects_v2()
        .bucket(BUCKET)
        .delimiter("/")
        .set_continuation_token(page.next_continuation_token)
        .send()
        .await
        .unwrap();
    assert_eq!(next.common_prefixes()[0].prefix(), Some("z/"));
    let odd = client.get_object().bucket(BUCKET).key("b+c //..%2F/é.txt").send().await.unwrap();
    assert_eq!(odd.body.collect().await.unwrap().to_vec(), b"x");

    let tag = Tag::builder().key("kind").value("master").build().unwrap();
    let tagging = Tagging::builder().tag_set(tag.clone()).build().unwrap();
    client.put_object_tagging().bucket(BUCKET).key("a/1.txt").tagging(tagging).send().await.unwrap();
    let tags = client.get_object_tagging().bucket(BUCKET).key("a/1.txt").send().await.unwrap();
    assert_eq!(tags.tag_set(), [tag]);

    let abort = client.abort_multipart_upload().bucket(BUCKET).key("a").upload_id("gone").send().await;
    assert_eq!(code(&abort.unwrap_err()), "NoSuchUpload");
    assert_eq!(code(&client.delete_bucket().bucket(BUCKET).send().await.unwrap_err()), "BucketNotEmpty");
    let missing = client.get_object().bucket(BUCKET).key("nope").send().await.unwrap_err();
    assert_eq!(code(&missing), "NoSuchKey");
    assert!(missing.request_id().is_none_or(|id| !id.is_empty()));
    own.sandbox.stop().await;
}

#[tokio::test]
async fn only_the_holder_of_the_key_and_no_web_page() {
    let own = OwnSandbox::start().await;
    let (endpoint, keys) = (&own.endpoints.api, &own.endpoints.credentials);
    let wrong = s3(endpoint, &keys.access_key_id, "wrong");
    assert_eq!(code(&wrong.list_buckets().send().await.unwrap_err()), "SignatureDoesNotMatch");
    let unknown = s3(endpoint, "AKIAOTHER", "x");
    assert_eq!(code(&unknown.list_buckets().send().await.unwrap_err()), "InvalidAccessKeyId");
    let http = reqwest::Client::new();
    assert_eq!(http.get(endpoint).send().await.unwrap().status(), 403);
    let from_a_page = http.get(endpoint).header("Origin", "https://evil.example").send().await.unwrap();
    assert_eq!(from_a_page.status(), 403);
    let jobs = http.get(format!("{endpoint}/2017-08-29/jobs")).send().await.unwrap();
    assert_eq!(jobs.status(), 403);
    own.sandbox.stop().await;
}
