//! The sandbox's user pool, through the official SDK: what Cognito documents is what it does.

use aws_sdk_cognitoidentityprovider::config::{BehaviorVersion, Region};
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, AuthFlowType, ChallengeNameType, DeliveryMediumType, EmailConfigurationType,
    EmailSendingAccountType, MessageActionType, PasswordPolicyType, UserPoolPolicyType, UserStatusType,
};
use aws_sdk_cognitoidentityprovider::{Client, Config};
use reeldesk_sandbox::{APP_CLIENT, Sandbox, USER_POOL};
use reeldesk_tests::KEYS;
use serde_json::Value;

struct Pool {
    cognito: Client,
    sandbox: Sandbox,
    folder: tempfile::TempDir,
}

fn client(sandbox: &Sandbox, key: &str) -> Client {
    let endpoints = sandbox.endpoints();
    client_with(&endpoints.api, key, &endpoints.credentials.secret_access_key)
}

/// A client of the sandbox's pool.
pub(crate) fn client_of(endpoint: &str) -> Client {
    client_with(endpoint, KEYS.0, KEYS.1)
}

pub(crate) fn client_with(endpoint: &str, key: &str, secret: &str) -> Client {
    let keys = aws_credential_types::Credentials::from_keys(key, secret, None);
    let config = Config::builder().behavior_version(BehaviorVersion::latest()).region(Region::new("us-east-1"));
    Client::from_conf(config.endpoint_url(endpoint).credentials_provider(keys).build())
}

impl Pool {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(folder.path()).await.unwrap();
        Self { cognito: client(&sandbox, &sandbox.endpoints().credentials.access_key_id.clone()), sandbox, folder }
    }

    async fn invite(&self, address: &str) -> Result<String, String> {
        let made = self.cognito.admin_create_user().user_pool_id(USER_POOL).username(address);
        let made = made.desired_delivery_mediums(DeliveryMediumType::Email).send().await.map_err(name)?;
        Ok(made.user.unwrap().username.unwrap())
    }

    async fn again(&self, address: &str) -> Result<(), String> {
        let again = self.cognito.admin_create_user().user_pool_id(USER_POOL).username(address);
        again.message_action(MessageActionType::Resend).send().await.map(drop).map_err(name)
    }

    async fn status(&self, address: &str) -> (UserStatusType, bool) {
        let user = self.cognito.admin_get_user().user_pool_id(USER_POOL).username(address).send().await.unwrap();
        (user.user_status.unwrap(), user.enabled)
    }

    /// The mails to an address, the newest first.
    async fn mails(&self, address: &str) -> Vec<String> {
        let endpoints = self.sandbox.endpoints();
        let signed = format!("AWS4-HMAC-SHA256 Credential={}/x", endpoints.credentials.access_key_id);
        let url = format!("{}/-/mails", endpoints.api);
        let answer = reqwest::Client::new().get(url).header("authorization", signed).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let to = |mail: &&Value| mail["to"] == address;
        let body = |mail: &Value| mail["body"].as_str().unwrap().to_owned();
        answer["mails"].as_array().unwrap().iter().filter(to).map(body).collect()
    }

    async fn password(&self, address: &str) -> String {
        self.mails(address).await[0].rsplit(' ').next().unwrap().to_owned()
    }

    async fn sign_in(&self, address: &str, password: &str) -> Result<Option<String>, String> {
        let begun = self.cognito.initiate_auth().client_id(APP_CLIENT).auth_flow(AuthFlowType::UserPasswordAuth);
        let begun = begun.auth_parameters("USERNAME", address).auth_parameters("PASSWORD", password);
        begun.send().await.map(|answer| answer.session).map_err(name)
    }

    async fn choose_password(&self, session: &str, password: &str) -> Result<String, String> {
        let answer = self.cognito.respond_to_auth_challenge().client_id(APP_CLIENT).session(session);
        let answer = answer.challenge_name(ChallengeNameType::NewPasswordRequired);
        let answered = answer.challenge_responses("NEW_PASSWORD", password).send().await.map_err(name)?;
        Ok(answered.authentication_result.unwrap().access_token.unwrap())
    }
}

fn name<E: ProvideErrorMetadata>(error: E) -> String {
    error.code().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_pool_that_is_announced_is_there() {
    let Pool { cognito, sandbox, folder } = Pool::start().await;
    let endpoints = sandbox.endpoints().clone();
    let pools = cognito.list_user_pools().max_results(60).send().await.unwrap().user_pools.unwrap();
    assert_eq!(pools.iter().map(|pool| pool.id()).collect::<Vec<_>>(), [Some(endpoints.user_pool.as_str())]);
    let pool = cognito.describe_user_pool().user_pool_id(&endpoints.user_pool).send().await.unwrap();
    let pool = pool.user_pool.unwrap();
    assert_eq!(pool.name(), Some(endpoints.stack.as_str()));
    assert!(pool.admin_create_user_config().unwrap().allow_admin_create_user_only());

    let error = cognito.describe_user_pool().user_pool_id("us-east-1_nope").send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_resource_not_found_exception());
    let error = cognito.list_user_pools().max_results(61).send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_invalid_parameter_exception());
    let error = client(&sandbox, "SOMEONE").list_user_pools().max_results(1).send().await.unwrap_err();
    assert_eq!(error.code(), Some("UnrecognizedClientException"));
    sandbox.stop().await;
    drop(folder);
}

/// AdminCreateUser: an e-mail address is the name, the user name is made, each address is one user.
#[tokio::test]
async fn an_invitation() {
    let pool = Pool::start().await;
    let username = pool.invite("Ada+films@Example.com").await.unwrap();
    assert!(username.len() == 36 && username != "Ada+films@Example.com");
    assert_eq!(pool.status("ada+films@example.com").await, (UserStatusType::ForceChangePassword, true));
    assert_eq!(pool.invite("ada+FILMS@example.com").await, Err("UsernameExistsException".into()));
    assert_eq!(pool.invite("not an address").await, Err("InvalidParameterException".into()));
    assert!(pool.mails("Ada+films@Example.com").await[0].contains("Ada+films@Example.com"));
    let create = || pool.cognito.admin_create_user().user_pool_id(USER_POOL).username("bob@example.com");
    assert_eq!(
        create().temporary_password("short").send().await.map_err(name).unwrap_err(),
        "InvalidPasswordException"
    );
    let custom = AttributeType::builder().name("custom:x").value("1").build().unwrap();
    assert_eq!(create().user_attributes(custom).send().await.map_err(name).unwrap_err(), "InvalidParameterException");
    create().message_action(MessageActionType::Suppress).temporary_password("Abcdef1!").send().await.unwrap();
    assert!(pool.mails("bob@example.com").await.is_empty());
    pool.sandbox.stop().await;
}

/// RESEND makes a new temporary password, and is for those who have not come yet.
#[tokio::test]
async fn an_invitation_again() {
    let pool = Pool::start().await;
    pool.invite("ada@example.com").await.unwrap();
    let first = pool.password("ada@example.com").await;
    pool.again("ada@example.com").await.unwrap();
    let second = pool.password("ada@example.com").await;
    assert_ne!(first, second);
    assert_eq!(pool.sign_in("ada@example.com", &first).await, Err("NotAuthorizedException".into()));
    let session = pool.sign_in("ada@example.com", &second).await.unwrap().unwrap();
    assert_eq!(pool.choose_password(&session, "weak").await, Err("InvalidPasswordException".into()));
    pool.choose_password(&session, "Abcdef1!").await.unwrap();
    assert_eq!(pool.status("ada@example.com").await, (UserStatusType::Confirmed, true));
    assert_eq!(pool.again("ada@example.com").await, Err("UnsupportedUserStateException".into()));
    assert_eq!(pool.again("nobody@example.com").await, Err("UserNotFoundException".into()));
    assert_eq!(pool.sign_in("ada@example.com", "Abcdef1!").await, Ok(None));
    pool.sandbox.stop().await;
}

/// Disabled users cannot sign in, and their tokens end; so do those of who is signed out everywhere.
#[tokio::test]
async fn disabled_and_signed_out() {
    let pool = Pool::start().await;
    pool.invite("ada@example.com").await.unwrap();
    let session = pool.sign_in("ada@example.com", &pool.password("ada@example.com").await).await.unwrap().unwrap();
    let token = pool.choose_password(&session, "Abcdef1!").await.unwrap();
    let who = || pool.cognito.get_user().access_token(&token).send();
    assert_eq!(who().await.unwrap().username.len(), 36);
    let request = || pool.cognito.admin_user_global_sign_out().user_pool_id(USER_POOL).username("ada@example.com");
    request().send().await.unwrap();
    assert_eq!(who().await.map_err(name).unwrap_err(), "NotAuthorizedException");
    pool.cognito.admin_disable_user().user_pool_id(USER_POOL).username("ada@example.com").send().await.unwrap();
    assert_eq!(pool.status("ada@example.com").await, (UserStatusType::Confirmed, false));
    assert_eq!(pool.sign_in("ada@example.com", "Abcdef1!").await, Err("NotAuthorizedException".into()));
    pool.cognito.admin_enable_user().user_pool_id(USER_POOL).username("ada@example.com").send().await.unwrap();
    assert_eq!(pool.sign_in("ada@example.com", "Abcdef1!").await, Ok(None));
    pool.sandbox.stop().await;
}

/// AdminResetUserPassword: not for those who were only invited; a code comes by mail, and until then nobody signs in.
#[tokio::test]
async fn a_password_is_reset() {
    let pool = Pool::start().await;
    pool.invite("ada@example.com").await.unwrap();
    let reset = || pool.cognito.admin_reset_user_password().user_pool_id(USER_POOL).username("ada@example.com").send();
    assert_eq!(reset().await.map_err(name).unwrap_err(), "NotAuthorizedException");
    let session = pool.sign_in("ada@example.com", &pool.password("ada@example.com").await).await.unwrap().unwrap();
    pool.choose_password(&session, "Abcdef1!").await.unwrap();
    reset().await.unwrap();
    assert_eq!(pool.status("ada@example.com").await.0, UserStatusType::ResetRequired);
    assert_eq!(pool.sign_in("ada@example.com", "Abcdef1!").await, Err("PasswordResetRequiredException".into()));
    let code = pool.password("ada@example.com").await;
    let confirm = |code: &str| {
        let confirm = pool.cognito.confirm_forgot_password().client_id(APP_CLIENT).username("ada@example.com");
        confirm.confirmation_code(code).password("Ghijkl2?").send()
    };
    assert_eq!(confirm("no").await.map_err(name).unwrap_err(), "CodeMismatchException");
    confirm(&code).await.unwrap();
    assert_eq!(pool.sign_in("ada@example.com", "Ghijkl2?").await, Ok(None));
    pool.sandbox.stop().await;
}

/// ListUsers gives 60 at most, and filters by one attribute.
#[tokio::test]
async fn users_are_listed_by_pages() {
    let pool = Pool::start().await;
    for number in 0..125 {
        pool.invite(&format!("viewer{number}@example.com")).await.unwrap();
    }
    let list = || pool.cognito.list_users().user_pool_id(USER_POOL);
    let mut pages = list().into_paginator().send();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().users().len());
    }
    assert_eq!(sizes, [60, 60, 5]);
    assert_eq!(list().limit(61).send().await.map_err(name).unwrap_err(), "InvalidParameterException");
    let one = list().filter("email = \"VIEWER7@example.com\"").send().await.unwrap();
    assert_eq!(one.users().len(), 1);
    assert_eq!(list().filter("email ^= \"viewer12\"").send().await.unwrap().users().len(), 6);
    pool.cognito.admin_disable_user().user_pool_id(USER_POOL).username("viewer3@example.com").send().await.unwrap();
    assert_eq!(list().filter("status = \"Disabled\"").send().await.unwrap().users().len(), 1);
    let wrong = list().filter("email = \"a\" and name = \"b\"").send().await;
    assert_eq!(wrong.map_err(name).unwrap_err(), "InvalidParameterException");
    pool.sandbox.stop().await;
}

#[tokio::test]
async fn groups_and_their_members() {
    let pool = Pool::start().await;
    let cognito = &pool.cognito;
    let create = || cognito.create_group().user_pool_id(USER_POOL).group_name("viewers").description("may watch");
    create().send().await.unwrap();
    assert_eq!(create().send().await.map_err(name).unwrap_err(), "GroupExistsException");
    let username = pool.invite("ada@example.com").await.unwrap();
    let add = |user: &str, group: &str| {
        cognito.admin_add_user_to_group().user_pool_id(USER_POOL).username(user).group_name(group).send()
    };
    add("ada@example.com", "viewers").await.unwrap();
    add(&username, "viewers").await.unwrap();
    assert_eq!(add("ada@example.com", "nope").await.map_err(name).unwrap_err(), "ResourceNotFoundException");
    assert_eq!(add("bob@example.com", "viewers").await.map_err(name).unwrap_err(), "UserNotFoundException");
    let members = cognito.list_users_in_group().user_pool_id(USER_POOL).group_name("viewers").send().await.unwrap();
    assert_eq!(members.users().len(), 1);
    let own = cognito.admin_list_groups_for_user().user_pool_id(USER_POOL).username(&username).send().await.unwrap();
    assert_eq!(own.groups()[0].group_name(), Some("viewers"));
    cognito.delete_group().user_pool_id(USER_POOL).group_name("viewers").send().await.unwrap();
    let own = cognito.admin_list_groups_for_user().user_pool_id(USER_POOL).username(&username).send().await.unwrap();
    assert!(own.groups().is_empty());
    pool.sandbox.stop().await;
}

/// Attributes: an address is one user's, a new one is not verified, `sub` is nobody's to change.
#[tokio::test]
async fn attributes_are_changed() {
    let pool = Pool::start().await;
    pool.invite("ada@example.com").await.unwrap();
    pool.invite("bob@example.com").await.unwrap();
    let set = |name: &str, value: &str| {
        let attribute = AttributeType::builder().name(name).value(value).build().unwrap();
        let update = pool.cognito.admin_update_user_attributes().user_pool_id(USER_POOL).username("ada@example.com");
        update.user_attributes(attribute).send()
    };
    set("name", "Ada Lovelace").await.unwrap();
    assert_eq!(set("email", "BOB@example.com").await.map_err(name).unwrap_err(), "AliasExistsException");
    assert_eq!(set("sub", "x").await.map_err(name).unwrap_err(), "InvalidParameterException");
    set("nickname", "ada").await.unwrap();
    // A blank value takes an attribute away.
    set("nickname", "").await.unwrap();
    set("email", "lovelace@example.com").await.unwrap();
    let user = pool.cognito.admin_get_user().user_pool_id(USER_POOL).username("lovelace@example.com").send().await;
    let user = user.unwrap();
    let of = |name: &str| user.user_attributes().iter().find(|one| one.name() == name).and_then(|one| one.value());
    assert_eq!((of("name"), of("email_verified")), (Some("Ada Lovelace"), Some("false")));
    assert_eq!(of("nickname"), None);
    // DescribeUserPool tells which attributes there are, and which of them can be changed.
    let described = pool.cognito.describe_user_pool().user_pool_id(USER_POOL).send().await.unwrap().user_pool.unwrap();
    let can_change = |name: &str| {
        described.schema_attributes().iter().find(|one| one.name() == Some(name)).and_then(|one| one.mutable())
    };
    assert_eq!((can_change("sub"), can_change("name"), can_change("custom:x")), (Some(false), Some(true), None));
    pool.sandbox.stop().await;
}

/// Cognito's own mail has a small daily quota; a temporary password ends after its days. All of it is kept on disk.
#[tokio::test]
async fn quota_expiry_and_a_restart() {
    let pool = Pool::start().await;
    let own_mail =
        EmailConfigurationType::builder().email_sending_account(EmailSendingAccountType::CognitoDefault).build();
    pool.cognito.update_user_pool().user_pool_id(USER_POOL).email_configuration(own_mail).send().await.unwrap();
    for number in 0..50 {
        pool.invite(&format!("viewer{number}@example.com")).await.unwrap();
    }
    assert_eq!(pool.invite("late@example.com").await, Err("LimitExceededException".into()));
    let late = pool.cognito.admin_get_user().user_pool_id(USER_POOL).username("late@example.com").send().await;
    assert_eq!(late.map_err(name).unwrap_err(), "UserNotFoundException", "nobody is made whom no mail reaches");

    let Pool { sandbox, folder, .. } = pool;
    sandbox.stop().await;
    let sandbox = Sandbox::start(folder.path()).await.unwrap();
    let cognito = client(&sandbox, &sandbox.endpoints().credentials.access_key_id.clone());
    let pool = Pool { cognito, sandbox, folder };
    let described = pool.cognito.describe_user_pool().user_pool_id(USER_POOL).send().await.unwrap().user_pool.unwrap();
    assert_eq!(described.estimated_number_of_users(), 50);

    // As if it had been sent eight days ago.
    let db = rusqlite::Connection::open(pool.folder.path().join("sandbox.sqlite")).unwrap();
    let password = pool.password("viewer1@example.com").await;
    let aged = db.execute("UPDATE pool_users SET password_set = password_set - 8 * 86400000", []).unwrap();
    assert_eq!(aged, 50);
    assert_eq!(pool.sign_in("viewer1@example.com", &password).await, Err("NotAuthorizedException".into()));
    let policy = PasswordPolicyType::builder().minimum_length(8).temporary_password_validity_days(30).build();
    let policies = UserPoolPolicyType::builder().password_policy(policy).build();
    pool.cognito.update_user_pool().user_pool_id(USER_POOL).policies(policies).send().await.unwrap();
    assert!(pool.sign_in("viewer1@example.com", &password).await.unwrap().is_some());
    pool.sandbox.stop().await;
}

/// The viewers' site: what a deployment has beside the pool. A token that is good gets the list and the cookies, the
/// cookies get the files, and nothing else does.
#[tokio::test]
async fn a_viewer_and_signed_cookies() {
    let pool = Pool::start().await;
    let endpoints = pool.sandbox.endpoints().clone();
    let s3 = reeldesk_tests::s3(&endpoints.api, KEYS.0, KEYS.1);
    let put = s3.put_object().bucket(&endpoints.destination_bucket).key("guid/hls/film.m3u8");
    put.body(aws_sdk_s3::primitives::ByteStream::from_static(b"#EXTM3U")).send().await.unwrap();
    pool.invite("ada@example.com").await.unwrap();
    let session = pool.sign_in("ada@example.com", &pool.password("ada@example.com").await).await.unwrap().unwrap();
    let token = pool.choose_password(&session, "Abcdef1!").await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = |path: &str, name: &'static str, value: String| {
        http.get(format!("{}/{path}", endpoints.site)).header(name, value).send()
    };
    for path in ["api/videos", "api/keys"] {
        assert_eq!(get(path, "authorization", "Bearer nonsense".into()).await.unwrap().status(), 401);
    }
    let listed = get("api/videos", "authorization", format!("Bearer {token}")).await.unwrap();
    assert_eq!(listed.json::<Value>().await.unwrap()["videos"].as_array().unwrap().len(), 0);
    let keys = get("api/keys", "authorization", format!("Bearer {token}")).await.unwrap();
    let set = keys.headers().get_all("set-cookie").iter().map(|one| one.to_str().unwrap().to_owned());
    let cookies: Vec<String> = set.map(|one| one.split(';').next().unwrap().to_owned()).collect();
    assert_eq!(cookies.len(), 4);

    let file = "guid/hls/film.m3u8";
    let shut = get(file, "cookie", String::new()).await.unwrap();
    assert_eq!(shut.status(), 403);
    assert!(shut.text().await.unwrap().contains("MissingKey"));
    assert_eq!(get(file, "cookie", cookies.join("; ")).await.unwrap().text().await.unwrap(), "#EXTM3U");
    let tampered = cookies.join("; ").replace("CloudFront-Signature=", "CloudFront-Signature=A");
    assert_eq!(get(file, "cookie", tampered).await.unwrap().status(), 403);
    // The public CDN has it as before.
    let public = http.get(format!("{}/{file}", endpoints.cdn)).send().await.unwrap();
    assert_eq!(public.status(), 200);
    // Who is signed out everywhere gets no more cookies.
    pool.cognito.admin_user_global_sign_out().user_pool_id(USER_POOL).username("ada@example.com").send().await.unwrap();
    assert_eq!(get("api/keys", "authorization", format!("Bearer {token}")).await.unwrap().status(), 401);
    pool.sandbox.stop().await;
}
