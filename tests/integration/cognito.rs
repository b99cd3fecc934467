//! The sandbox's user pool, through the official SDK.

use aws_sdk_cognitoidentityprovider::config::{BehaviorVersion, Region};
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata as _;
use aws_sdk_cognitoidentityprovider::{Client, Config};
use reeldesk_sandbox::Sandbox;

#[tokio::test]
async fn the_pool_that_is_announced_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(folder.path()).await.unwrap();
    let endpoints = sandbox.endpoints().clone();
    let client = |key: &str| {
        let keys = aws_credential_types::Credentials::from_keys(key, &endpoints.credentials.secret_access_key, None);
        let config = Config::builder().behavior_version(BehaviorVersion::latest()).region(Region::new("us-east-1"));
        Client::from_conf(config.endpoint_url(&endpoints.api).credentials_provider(keys).build())
    };
    let cognito = client(&endpoints.credentials.access_key_id);

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
    let error = client("SOMEONE").list_user_pools().max_results(1).send().await.unwrap_err();
    assert_eq!(error.code(), Some("UnrecognizedClientException"));
    sandbox.stop().await;
}
