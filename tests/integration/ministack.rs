//! The same core against an emulator that we did not write: S3 and DynamoDB of MiniStack.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use reeldesk_tests::{Emulator, Reelctl, film, s3};

pub(crate) fn dynamodb(endpoint: &str, keys: (&str, &str)) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .region(aws_sdk_dynamodb::config::Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(aws_credential_types::Credentials::from_keys(keys.0, keys.1, None))
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

pub(crate) async fn make_table(client: &aws_sdk_dynamodb::Client) {
    let attribute = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let index = GlobalSecondaryIndex::builder()
        .index_name("srcBucket-startTime-index")
        .key_schema(key("srcBucket", KeyType::Hash))
        .key_schema(key("startTime", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .unwrap();
    client
        .create_table()
        .table_name("vod")
        .attribute_definitions(attribute("guid"))
        .attribute_definitions(attribute("srcBucket"))
        .attribute_definitions(attribute("startTime"))
        .key_schema(key("guid", KeyType::Hash))
        .global_secondary_indexes(index)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_profile_and_names_are_enough() {
    let ministack = Emulator::ministack().await.unwrap();
    let keys = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(keys.path(), "[media]\naws_access_key_id = test\naws_secret_access_key = test\n").unwrap();
    let reelctl = Reelctl::new()
        .unwrap()
        .with("AWS_SHARED_CREDENTIALS_FILE", keys.path().to_string_lossy())
        .with("AWS_CONFIG_FILE", "/nonexistent");
    let workspace = format!(
        "version = 1\n[[workspace]]\nname = \"mini\"\nregion = \"us-east-1\"\nendpoint = \"{}\"\nsourceBucket = \"vod-source\"\ndestinationBucket = \"vod-destination\"\ntable = \"vod\"\ncdn = \"http://127.0.0.1:9\"\ncredentials = {{ kind = \"profile\", name = \"media\" }}\nmode = {{ kind = \"pipeline\" }}\n",
        ministack.endpoint
    );
    std::fs::write(reelctl.data.path().join("settings.toml"), workspace).unwrap();

    // A bucket that is not there has its sentence.
    let (well, lines) = reelctl.run(&["--workspace", "mini", "ingest", film().to_str().unwrap()]).unwrap();
    assert!(!well);
    assert_eq!(lines.last().unwrap()["code"], "not-found", "{lines:#?}");

    let s3 = s3(&ministack.endpoint, "test", "test");
    s3.create_bucket().bucket("vod-source").send().await.unwrap();
    let (well, lines) = reelctl.run(&["--workspace", "mini", "ingest", film().to_str().unwrap()]).unwrap();
    let last = lines.last().unwrap();
    assert!(well && last["state"] == "uploaded", "{last:#}");
    let object = s3.get_object().bucket("vod-source").key(last["key"].as_str().unwrap()).send().await.unwrap();
    assert!(object.metadata().unwrap().get("reeldesk-name").unwrap().starts_with("bigbuckbunny"));
    assert_eq!(object.body.collect().await.unwrap().to_vec(), std::fs::read(film()).unwrap());

    let table = dynamodb(&ministack.endpoint, ("test", "test"));
    make_table(&table).await;
    for number in 0..120 {
        table
            .put_item()
            .table_name("vod")
            .item("guid", AttributeValue::S(format!("guid-{number:03}")))
            .item("srcBucket", AttributeValue::S("vod-source".into()))
            .item("startTime", AttributeValue::S(format!("2026-01-15T10:{:02}:{:02}.000Z", number / 60, number % 60)))
            .item("workflowStatus", AttributeValue::S("Complete".into()))
            .item("srcVideo", AttributeValue::S(format!("a/movie {number}.mp4")))
            .send()
            .await
            .unwrap();
    }
    let (well, videos) = reelctl.run(&["--workspace", "mini", "videos", "list"]).unwrap();
    assert!(well);
    assert_eq!(videos.len(), 120);
    assert_eq!((&videos[0]["guid"], &videos[119]["guid"]), (&"guid-119".into(), &"guid-000".into()));
    let (well, lines) = reelctl.run(&["--workspace", "nope", "videos", "list"]).unwrap();
    assert!(!well);
    assert!(lines[0]["remedy"].as_str().unwrap().contains("mini, sandbox"));
}
