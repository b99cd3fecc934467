//! A pool to work with.

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ChallengeNameType};
use reeldesk_sandbox::APP_CLIENT;
use reeldesk_tests::{KEYS, Reelctl};
use serde_json::Value;

use crate::server::{self, Server};

pub(super) fn run(server: &Server, arguments: &[&str]) -> (bool, Vec<Value>) {
    server.data.run(&[&["viewers"], arguments].concat()).unwrap()
}

/// The state of a viewer, as the list has it.
pub(super) fn state(server: &Server, address: &str) -> String {
    let (_, all) = run(server, &["list", "--search", address]);
    all[0]["state"]["kind"].as_str().unwrap().to_owned()
}

/// The mails that the pool would have sent, the newest first.
pub(super) async fn mails(server: &Server) -> Vec<Value> {
    let signed = format!("AWS4-HMAC-SHA256 Credential={}/x", KEYS.0);
    let url = format!("{}/-/mails", server.endpoint);
    let answer = reqwest::Client::new().get(url).header("authorization", signed).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["mails"].as_array().unwrap().clone()
}

/// The newest secret that was sent to someone.
pub(super) async fn secret(server: &Server, address: &str) -> String {
    let mails = mails(server).await;
    let mail = mails.iter().find(|mail| mail["to"] == address).unwrap();
    mail["secret"].as_str().unwrap().to_owned()
}

/// Comes as an invited person does, and chooses a password.
pub(super) async fn come(server: &Server, address: &str) {
    let client = crate::cognito::client_of(&server.endpoint);
    let password = secret(server, address).await;
    let begun = client.initiate_auth().client_id(APP_CLIENT).auth_flow(AuthFlowType::UserPasswordAuth);
    let begun = begun.auth_parameters("USERNAME", address).auth_parameters("PASSWORD", password).send().await.unwrap();
    let answer = client.respond_to_auth_challenge().client_id(APP_CLIENT).session(begun.session.unwrap());
    let answer = answer.challenge_name(ChallengeNameType::NewPasswordRequired);
    answer.challenge_responses("NEW_PASSWORD", "Abcdef1!").send().await.unwrap();
}

/// A command line with one workspace, "quiet", whose pool is this one.
pub(super) fn workspace(endpoint: &str, pool: &str, (key, secret): (&str, &str)) -> Reelctl {
    let reelctl = server::reelctl(endpoint, key, secret);
    let text = format!(
        "version = 1\n[[workspace]]\nname = \"quiet\"\nregion = \"us-east-1\"\nendpoint = \"{endpoint}\"\nsourceBucket = \"s\"\ndestinationBucket = \"d\"\ntable = \"t\"\ncdn = \"http://127.0.0.1:9\"\nuserPool = \"{pool}\"\ncredentials = {{ kind = \"environment\" }}\nmode = {{ kind = \"pipeline\" }}\n"
    );
    std::fs::write(reelctl.data.path().join("settings.toml"), text).unwrap();
    reelctl
}

/// What that command line says of its viewers.
pub(super) fn ask(reelctl: &Reelctl, arguments: &[&str]) -> (bool, Vec<Value>) {
    reelctl.run(&[&["--workspace", "quiet", "viewers"], arguments].concat()).unwrap()
}

/// All files below a folder.
pub(super) fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// Whether one of the files below a folder has this text.
pub(super) fn has(folder: &std::path::Path, text: &str) -> bool {
    let holds =
        |file: &std::path::PathBuf| std::fs::read(file).unwrap().windows(text.len()).any(|at| at == text.as_bytes());
    walk(folder).iter().any(holds)
}
