//! A sandbox to work with.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::io::{BufRead as _, BufReader};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::Client;
use serde_json::Value;

use crate::{Ended, Reelctl, s3};

/// The sandbox's own keys.
pub const KEYS: (&str, &str) = ("REELDESKSANDBOX", "reeldesk-sandbox-local-only");

/// A sandbox of its own process, so that the tests' machines do nothing else.
pub struct Server {
    /// The process.
    pub process: Ended,
    /// Its data folder.
    pub data: Reelctl,
    /// Its endpoint.
    pub endpoint: String,
}

impl Server {
    /// On a fresh folder.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// On a fresh folder, with these options.
    #[must_use]
    pub fn with(options: &[&str]) -> Self {
        let data = Reelctl::new().unwrap();
        let (process, endpoint) = Self::run_with(&data, options);
        Self { process, data, endpoint }
    }

    /// Another computer that is connected to it, by a workspace of the name `elsewhere`.
    ///
    /// # Panics
    /// When it cannot be connected.
    #[must_use]
    pub fn elsewhere(&self) -> Reelctl {
        Self::connected(&self.endpoint, "elsewhere")
    }

    /// A computer that is connected to this endpoint, by a workspace of this name.
    ///
    /// # Panics
    /// When it cannot be connected.
    #[must_use]
    pub fn connected(endpoint: &str, workspace: &str) -> Reelctl {
        let other = Reelctl::new().unwrap();
        let other = other.with("AWS_ACCESS_KEY_ID", KEYS.0).with("AWS_SECRET_ACCESS_KEY", KEYS.1);
        let stack = ["--stack", reeldesk_sandbox::STACK, "--region", "us-east-1", "--endpoint", endpoint];
        let (connected, lines) = other.run(&[&["workspace", "connect", workspace], &stack[..]].concat()).unwrap();
        assert!(connected, "{lines:?}");
        other
    }

    /// Orders faults of one that was started with `--control`: a list as its documentation has it.
    ///
    /// # Panics
    /// When it does not take the order.
    pub async fn order(&self, faults: Value) {
        self.control("faults", faults).await;
    }

    /// Moves its clock ahead of the computer's.
    ///
    /// # Panics
    /// When it does not take the order.
    pub async fn move_clock(&self, seconds: i64) {
        self.control("clock", serde_json::json!({ "offsetSeconds": seconds })).await;
    }

    async fn control(&self, what: &str, order: Value) {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.put(format!("{}/-/{what}", self.endpoint)).body(order.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{text}");
    }

    /// The faults that were ordered and have not come yet.
    ///
    /// # Panics
    /// When it does not tell.
    pub async fn ordered(&self) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.get(format!("{}/-/faults", self.endpoint)).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// On a folder that may hold one already: the process and the endpoint.
    #[must_use]
    pub fn run(data: &Reelctl) -> (Ended, String) {
        Self::run_with(data, &[])
    }

    fn run_with(data: &Reelctl, options: &[&str]) -> (Ended, String) {
        let mut child = data.start(&[&["sandbox"], options].concat()).unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let endpoints: Value = serde_json::from_str(&line).unwrap();
        (Ended(child), endpoints["api"].as_str().unwrap().to_owned())
    }

    /// A client of its S3.
    #[must_use]
    pub fn client(&self) -> Client {
        s3(&self.endpoint, KEYS.0, KEYS.1)
    }

    /// A client of its DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .region(aws_sdk_dynamodb::config::Region::new("us-east-1"))
            .endpoint_url(&self.endpoint)
            .credentials_provider(aws_credential_types::Credentials::from_keys(KEYS.0, KEYS.1, None))
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    /// Takes a video out of the catalog, as an engineer would.
    pub async fn delete_video(&self, guid: &str) {
        let delete = self.dynamodb().delete_item().table_name(reeldesk_sandbox::TABLE);
        delete.key("guid", AttributeValue::S(guid.to_owned())).send().await.unwrap();
    }

    /// Writes another start time into the only video of the catalog, once it is there.
    pub async fn set_start_time(&self, time: &str) {
        let dynamodb = self.dynamodb();
        loop {
            let all = dynamodb.scan().table_name(reeldesk_sandbox::TABLE).send().await.unwrap();
            let video = all.items().iter().find(|item| item.contains_key("srcVideo"));
            let Some(guid) = video.and_then(|item| item.get("guid")) else {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            let update = dynamodb.update_item().table_name(reeldesk_sandbox::TABLE).key("guid", guid.clone());
            let update = update.update_expression("SET startTime = :t");
            return drop(
                update.expression_attribute_values(":t", AttributeValue::S(time.to_owned())).send().await.unwrap(),
            );
        }
    }
}
