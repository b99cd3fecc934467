//! The user pool, as Cognito describes it. Source: Amazon Cognito user pools API Reference, `ListUserPools`,
//! `DescribeUserPool`, `ListUsers`.

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{ACCOUNT, REGION, STACK, USER_POOL};

/// The beginning of the `X-Amz-Target` of Cognito's requests.
pub(crate) const TARGET: &str = "AWSCognitoIdentityProviderService.";

/// Answers one operation of the JSON 1.1 protocol.
pub(crate) fn answer(operation: &str, request: &Value) -> Response<Body> {
    let said = match operation {
        "ListUserPools" => list(request),
        "DescribeUserPool" => describe(request),
        // Nobody can be invited yet.
        "ListUsers" => describe(request).map(|_| json!({ "Users": [] })),
        other => Err(("UnknownOperationException", format!("The sandbox's Cognito does not know {other}."))),
    };
    match said {
        Ok(body) => respond(StatusCode::OK, None, &body),
        Err((kind, message)) => {
            respond(StatusCode::BAD_REQUEST, Some(kind), &json!({ "__type": kind, "message": message }))
        }
    }
}

type Said = Result<Value, (&'static str, String)>;

fn list(request: &Value) -> Said {
    match request["MaxResults"].as_u64() {
        Some(1..=60) => Ok(json!({ "UserPools": [{ "Id": USER_POOL, "Name": STACK, "LambdaConfig": {} }] })),
        given => Err((
            "InvalidParameterException",
            format!("1 validation error detected: Value '{given:?}' at 'maxResults' should be between 1 and 60"),
        )),
    }
}

fn describe(request: &Value) -> Said {
    let id = request["UserPoolId"].as_str().unwrap_or_default();
    if id != USER_POOL {
        return Err(("ResourceNotFoundException", format!("User pool {id} does not exist.")));
    }
    Ok(json!({ "UserPool": {
        "Id": USER_POOL,
        "Name": STACK,
        "Arn": format!("arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{USER_POOL}"),
        "UsernameAttributes": ["email"],
        "AutoVerifiedAttributes": ["email"],
        "MfaConfiguration": "OFF",
        "DeletionProtection": "ACTIVE",
        "EstimatedNumberOfUsers": 0,
        "AdminCreateUserConfig": { "AllowAdminCreateUserOnly": true },
        "EmailConfiguration": { "EmailSendingAccount": "COGNITO_DEFAULT" },
        "Policies": { "PasswordPolicy": {
            "MinimumLength": 8, "RequireUppercase": true, "RequireLowercase": true, "RequireNumbers": true,
            "RequireSymbols": true, "TemporaryPasswordValidityDays": 7,
        }},
    }}))
}

fn respond(status: StatusCode, kind: Option<&str>, body: &Value) -> Response<Body> {
    let mut response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/x-amz-json-1.1");
    if let Some(kind) = kind {
        response = response.header("x-amzn-errortype", kind);
    }
    response.body(Body::from(body.to_string())).unwrap_or_default()
}
