//! The ways to sign in: each against a server that asks for what it asks for.

use std::io::{BufRead as _, BufReader};

use aws_sdk_cognitoidentityprovider::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cognitoidentityprovider::types::{AttributeType, ExplicitAuthFlowsType};
use reeldesk_core::Code;
use reeldesk_core::connection::credentials::{CredentialsSource, PoolUser, sign_in_user};
use reeldesk_core::connection::{Connection, Keep};
use reeldesk_core::workspace::discovery;
use reeldesk_tests::{Emulator, Guard, Reelctl, identity_center};
use serde_json::{Value, json};
use sha2::Digest as _;

use crate::server::{KEYS, Server};

/// A command line with these AWS files, in a home of its own.
fn with_files(config: &str, credentials: &str) -> Reelctl {
    let reelctl = Reelctl::new().unwrap();
    let home = reelctl.data.path().join("home");
    std::fs::create_dir_all(home.join(".aws")).unwrap();
    std::fs::write(home.join(".aws/config"), config).unwrap();
    std::fs::write(home.join(".aws/credentials"), credentials).unwrap();
    reelctl.with("HOME", home.to_string_lossy()).with("AWS_EC2_METADATA_DISABLED", "true")
}

fn stacks(reelctl: &Reelctl, profile: &str, endpoint: &str, more: &[&str]) -> (bool, Vec<Value>) {
    let arguments = ["workspace", "stacks", "--profile", profile, "--endpoint", endpoint];
    reelctl.run(&[&arguments[..], more].concat()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_wants_a_code() {
    let ministack = Emulator::ministack().await.unwrap();
    let guard = Guard::before(&ministack.endpoint, |_| None).await.unwrap();
    let reelctl = with_files(
        "[profile admin]\nregion = us-east-1\nrole_arn = arn:aws:iam::000000000000:role/admin\nsource_profile = me\n\
         mfa_serial = arn:aws:iam::000000000000:mfa/me\nexternal_id = abc\nduration_seconds = 7200\n\
         role_session_name = ada\n[profile me]\nregion = us-east-1\n",
        "[me]\naws_access_key_id = test\naws_secret_access_key = test\n",
    );
    let (well, lines) = stacks(&reelctl, "admin", &guard.endpoint, &[]);
    assert!(!well && lines[0]["code"] == "sign-in", "{lines:#?}");
    assert!(!guard.asked().contains("cloudformation:DescribeStacks"), "nothing is asked without the role");
    let (well, lines) = stacks(&reelctl, "admin", &guard.endpoint, &["--code", "12345"]);
    assert!(!well && lines[0]["message"].as_str().unwrap().contains("six digits"), "{lines:#?}");
    let (well, lines) = stacks(&reelctl, "admin", &guard.endpoint, &["--code", "123 456"]);
    assert!(well, "{lines:#?}");
    assert!(guard.asked().contains("cloudformation:DescribeStacks"));
    let asked = guard.forms().join("\n");
    for part in [
        "Action=AssumeRole",
        "TokenCode=123456",
        "SerialNumber=arn%3Aaws%3Aiam%3A%3A000000000000%3Amfa%2Fme",
        "ExternalId=abc",
        "DurationSeconds=7200",
        "RoleSessionName=ada",
    ] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_center_in_the_browser() {
    let (server, center) = (Server::start(), identity_center().await);
    let reelctl = with_files(
        "[profile admin]\nregion = us-east-1\nsso_session = corp\nsso_account_id = 000000000000\nsso_role_name = Admins\n\
         [sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n\
         sso_registration_scopes = sso:account:access\n",
        "",
    )
    .with("AWS_ENDPOINT_URL_SSO_OIDC", &center)
    .with("AWS_ENDPOINT_URL_SSO", &center);
    let (well, lines) = stacks(&reelctl, "admin", &server.endpoint, &[]);
    assert!(!well && lines[0]["code"] == "sign-in", "{lines:#?}");

    let mut child = reelctl.start(&["workspace", "sign-in", "admin"]).unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    let page: Value = serde_json::from_str(&told.next().unwrap().unwrap()).unwrap();
    assert_eq!(page["code"], "ABCD-EFGH");
    assert!(page["url"].as_str().unwrap().contains("user_code=ABCD-EFGH"));
    let end: Value = serde_json::from_str(&told.next().unwrap().unwrap()).unwrap();
    assert_eq!(end["state"], "signed-in");
    assert!(child.wait().unwrap().success());

    // The SDK finds the token where the AWS tools keep theirs, readable by its owner alone.
    let (well, lines) = stacks(&reelctl, "admin", &server.endpoint, &[]);
    assert!(well && lines[0]["name"] == reeldesk_sandbox::STACK, "{lines:#?}");
    let cache = reelctl.data.path().join("home/.aws/sso/cache");
    let token = std::fs::read_dir(cache).unwrap().next().unwrap().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(token.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    drop(token);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_a_pool() {
    let ministack = Emulator::ministack().await.unwrap();
    let cognito = aws_sdk_cognitoidentityprovider::Client::from_conf(
        aws_sdk_cognitoidentityprovider::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&ministack.endpoint)
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .build(),
    );
    let pool = cognito.create_user_pool().pool_name("admins").send().await.unwrap().user_pool.unwrap().id.unwrap();
    let client = cognito
        .create_user_pool_client()
        .user_pool_id(&pool)
        .client_name("reeldesk")
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowUserPasswordAuth)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowRefreshTokenAuth);
    let client = client.send().await.unwrap().user_pool_client.unwrap().client_id.unwrap();
    let email = AttributeType::builder().name("email").value("ada@example.com").build().unwrap();
    let invite = cognito.admin_create_user().user_pool_id(&pool).username("ada").user_attributes(email);
    invite.temporary_password("Tempor4ry!").send().await.unwrap();
    let identities = aws_sdk_cognitoidentity::Client::from_conf(
        aws_sdk_cognitoidentity::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&ministack.endpoint)
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .build(),
    );
    let made = identities.create_identity_pool().identity_pool_name("admins").allow_unauthenticated_identities(false);
    let identity_pool = made.send().await.unwrap().identity_pool_id;

    let user = PoolUser { user: "ada".into(), pool: pool.clone(), client, identity_pool };
    let endpoint = Some(&*ministack.endpoint);
    let sign_in =
        |user: PoolUser, password: &str| sign_in_user(user, password.to_owned().into(), Keep::Session, None, endpoint);
    // Someone who was invited has a password to set first.
    let error = sign_in(user.clone(), "Tempor4ry!").await.unwrap_err();
    assert_eq!(error.code, Code::SignIn);
    assert!(error.message.contains("NEW_PASSWORD_REQUIRED"), "{error:?}");
    let password = cognito.admin_set_user_password().user_pool_id(&pool).username("ada").password("Cor8ect horse!");
    password.permanent(true).send().await.unwrap();
    let error = sign_in(user.clone(), "wrong").await.unwrap_err();
    assert_eq!((error.code, error.message.contains("not right")), (Code::SignIn, true), "{error:?}");
    let nobody = PoolUser { pool: "nowhere".into(), ..user.clone() };
    assert_eq!(sign_in(nobody, "x").await.unwrap_err().code, Code::Invalid);

    let source = sign_in(user.clone(), "Cor8ect horse!").await.unwrap();
    let connection = |credentials| Connection {
        region: "us-east-1".into(),
        credentials,
        endpoint: Some(ministack.endpoint.clone()),
        s3_endpoint: None,
        fips: false,
        dual_stack: false,
        transfer_acceleration: false,
    };
    let identity = discovery::identity(&connection(source.clone())).await.unwrap();
    assert_eq!(identity.account, "000000000000");

    // Without what was kept nobody is signed in, and the sentence says so.
    reeldesk_core::connection::credentials::forget(&source).await;
    let error = discovery::identity(&connection(source)).await.unwrap_err();
    assert_eq!(error.code, Code::SignIn);
    let stranger = CredentialsSource::AccessKey { entry: Default::default() };
    assert_eq!(discovery::identity(&connection(stranger)).await.unwrap_err().code, Code::SignIn);
}

#[test]
fn a_program_and_the_environment() {
    let server = Server::start();
    let reelctl = Reelctl::new().unwrap();
    let program = reelctl.data.path().join("keys.json");
    let keys = json!({ "Version": 1, "AccessKeyId": KEYS.0, "SecretAccessKey": KEYS.1 });
    std::fs::write(&program, keys.to_string()).unwrap();
    let config = format!("[profile vault]\nregion = us-east-1\ncredential_process = cat {}\n", program.display());
    let (well, lines) = stacks(&with_files(&config, ""), "vault", &server.endpoint, &[]);
    assert!(well && lines[0]["name"] == reeldesk_sandbox::STACK, "{lines:#?}");

    let reelctl = with_files("", "").with("AWS_ACCESS_KEY_ID", KEYS.0).with("AWS_SECRET_ACCESS_KEY", KEYS.1);
    let arguments = ["workspace", "stacks", "--region", "us-east-1", "--endpoint", &server.endpoint];
    let (well, lines) = reelctl.run(&arguments).unwrap();
    assert!(well && lines[0]["name"] == reeldesk_sandbox::STACK, "{lines:#?}");
    let (well, lines) = stacks(&reelctl, "nobody", &server.endpoint, &["--region", "us-east-1"]);
    assert!(!well && lines[0]["message"].as_str().unwrap().contains("no AWS profile \"nobody\""), "{lines:#?}");
}

/// What `aws login` keeps (AWS SDKs and Tools Reference Guide, "Login credential provider") is used as it is.
#[test]
fn a_session_of_aws_login() {
    let server = Server::start();
    let session = "arn:aws:iam::000000000000:user/ada";
    let config = format!("[profile console]\nregion = us-east-1\nlogin_session = {session}\n");
    let reelctl = with_files(&config, "");
    let (well, lines) = stacks(&reelctl, "console", &server.endpoint, &[]);
    assert!(!well && lines[0]["code"] == "sign-in", "{lines:#?}");
    let cache = reelctl.data.path().join("home/.aws/login/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let token = json!({
        "accessToken": {
            "accessKeyId": KEYS.0, "secretAccessKey": KEYS.1, "sessionToken": "session",
            "accountId": "000000000000", "expiresAt": "2099-01-01T00:00:00Z",
        },
        "tokenType": "aws_sigv4", "refreshToken": "again", "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": "only a renewal needs it",
    });
    let name = format!("{:x}.json", sha2::Sha256::digest(session));
    std::fs::write(cache.join(name), token.to_string()).unwrap();
    let (well, lines) = stacks(&reelctl, "console", &server.endpoint, &[]);
    assert!(well && lines[0]["name"] == reeldesk_sandbox::STACK, "{lines:#?}");
}

/// Files as people have them: the AWS CLI takes them, and one bad line is no reason to take nothing. See
/// `tests/data/SOURCES.md` for where they come from.
#[tokio::test(flavor = "multi_thread")]
async fn aws_files_as_people_have_them() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/aws-profiles");
    let of = |name: &str| with_files(&std::fs::read_to_string(folder.join(name)).unwrap(), "");
    let names = |reelctl: &Reelctl| {
        let (well, lines) = reelctl.run(&["workspace", "profiles"]).unwrap();
        assert!(well, "{lines:#?}");
        let names: Vec<_> = lines.iter().filter_map(|line| line["name"].as_str().map(str::to_owned)).collect();
        let trouble = lines.iter().find_map(|line| line["trouble"]["message"].as_str().map(str::to_owned));
        (names, trouble)
    };
    let stacks = |reelctl: &Reelctl, profile: &str, more: &[&str]| {
        let (well, lines) = stacks(reelctl, profile, "http://127.0.0.1:1", more);
        assert!(!well);
        lines.last().unwrap().clone()
    };

    assert_eq!(names(&of("config-01-leading-blanks.ini")), (vec!["studio".into()], None));
    assert_eq!(
        names(&of("config-03-quoted-profile-with-spaces.ini")),
        (vec!["My Studio Mac".into(), "two".into()], None)
    );

    let reelctl = of("config-05-no-region.ini");
    assert_eq!(names(&reelctl), (vec!["default".into()], None));
    let said = stacks(&reelctl, "default", &[]);
    assert_eq!((&said["code"], &said["message"]), (&json!("invalid"), &json!("No region is named.")));

    let reelctl = of("config-06-assume-role-chain.ini");
    let region = ["--region", "eu-west-1"];
    assert_eq!(stacks(&reelctl, "studio", &region)["code"], "sign-in");
    let said = stacks(&reelctl, "loop", &region);
    assert!(!said["message"].as_str().unwrap().is_empty(), "an error, and no endless wait: {said:#}");
    assert_eq!(said["code"], "sign-in", "{said:#}");

    let reelctl = of("config-07-bad-section-only.ini");
    let (found, trouble) = names(&reelctl);
    assert_eq!(found, ["ok"]);
    assert!(trouble.unwrap().starts_with("Line 3 of "));
    let said = stacks(&reelctl, "broken", &region);
    assert!(said["remedy"].as_str().unwrap().contains("Line 3 of "), "{said:#}");
}

/// A profile whose name has spaces signs in, and is the source of another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_with_spaces_signs_in() {
    let server = Server::start();
    let keys = format!("[My Studio Mac]\n aws_access_key_id = {}\n aws_secret_access_key = {}\n", KEYS.0, KEYS.1);
    let reelctl = with_files("[profile 'My Studio Mac']\n region = us-east-1\n[profile broken\n", &keys);
    let (well, lines) = stacks(&reelctl, "My Studio Mac", &server.endpoint, &[]);
    assert!(well, "{lines:#?}");
}

/// What cannot lead anywhere is said before AWS is asked, and why there are no credentials is said with it.
#[tokio::test(flavor = "multi_thread")]
async fn what_leads_nowhere_says_why() {
    let reelctl = with_files(
        "[profile half]\nregion = us-east-1\naws_access_key_id = AKIA\n\
         [profile orphan]\nregion = us-east-1\nrole_arn = arn:aws:iam::000000000000:role/x\nsource_profile = nobody\n",
        "",
    );
    let said = |profile: &str, endpoint: &str, more: &[&str]| {
        let (well, lines) = stacks(&reelctl, profile, endpoint, more);
        assert!(!well);
        lines.last().unwrap()["message"].as_str().unwrap().to_owned()
    };
    let local = "http://127.0.0.1:1";
    assert!(said("half", local, &[]).contains("missing aws_secret_access_key"), "{}", said("half", local, &[]));
    assert!(said("orphan", local, &[]).contains("there are no AWS credentials"), "{}", said("orphan", local, &[]));
    assert!(said("nosuch", local, &[]).contains("There is no AWS profile \"nosuch\""));
    assert!(said("half", local, &["--region", "us east 1"]).contains("is no region"));
    assert!(said("half", "nonsense", &[]).contains("\"nonsense\" is no address"));
    // Files that are no UTF-8.
    let utf16: Vec<u8> =
        "\u{FEFF}[profile wide]\nregion = us-east-1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(reelctl.data.path().join("home/.aws/config"), utf16).unwrap();
    assert_eq!(reelctl.run(&["workspace", "profiles"]).unwrap().1[0]["name"], "wide");
}
