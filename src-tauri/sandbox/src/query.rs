//! The services of the Query protocol: CloudFormation, which describes the pipeline's stack, and the security token
//! service. Source: AWS CloudFormation API Reference, `DescribeStacks`; AWS STS API Reference, `GetCallerIdentity`;
//! the template of "Video on Demand on AWS" 6.1 for the stack's outputs and parameters.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use quick_xml::escape::escape;

use crate::endpoints::Endpoints;
use crate::options::Generation;
use crate::{ACCOUNT, REGION};

/// The media type of its requests.
pub(crate) const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// The value of `WorkflowTrigger`, `FrameCapture` and so on.
const PARAMETERS: [(&str, &str); 8] = [
    ("AdminEmail", "admin@example.com"),
    ("WorkflowTrigger", "VideoFile"),
    ("Glacier", "DISABLED"),
    ("FrameCapture", "Yes"),
    ("EnableMediaPackage", "No"),
    ("EnableSns", "No"),
    ("EnableSqs", "No"),
    ("AcceleratedTranscoding", "DISABLED"),
];

/// What a refusal says: the code and the sentence.
type Refusal = (StatusCode, &'static str, String);

/// Answers one request.
pub(crate) fn answer(endpoints: &Endpoints, generation: Generation, body: &[u8]) -> Response<Body> {
    let given = |name: &str| {
        url::form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let action = given("Action").unwrap_or_default();
    let answered = match action.as_str() {
        "GetCallerIdentity" => Ok(identity()),
        "DescribeStacks" => describe(endpoints, generation, given("StackName").as_deref()),
        other => Err((StatusCode::BAD_REQUEST, "InvalidAction", format!("The sandbox does not know {other}."))),
    };
    match answered {
        Ok(result) => respond(
            StatusCode::OK,
            &format!("<{action}Response><{action}Result>{result}</{action}Result>{}</{action}Response>", metadata()),
        ),
        Err((status, code, message)) => refuse(status, code, &message),
    }
}

/// A refusal as these services write it.
pub(crate) fn refuse(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{}</Message></Error>", escape(message));
    respond(status, &format!("<ErrorResponse>{error}{}</ErrorResponse>", metadata()))
}

fn identity() -> String {
    format!("<Arn>arn:aws:iam::{ACCOUNT}:user/sandbox</Arn><UserId>sandbox</UserId><Account>{ACCOUNT}</Account>")
}

fn describe(endpoints: &Endpoints, generation: Generation, name: Option<&str>) -> Result<String, Refusal> {
    let stack = &endpoints.stack;
    let id = format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack}/{}", uuid::Uuid::nil());
    if let Some(name) = name.filter(|name| name != stack && *name != id) {
        let message = format!("Stack with id {name} does not exist");
        return Err((StatusCode::BAD_REQUEST, "ValidationError", message));
    }
    // A real stack tells its CDN as a bare domain, behind which is https.
    let outputs = [
        ("DynamoDBTableName", "DynamoDBTable", &endpoints.table),
        ("SourceBucketName", "Source", &endpoints.source_bucket),
        ("DestinationBucketName", "Destination", &endpoints.destination_bucket),
        ("CloudFrontDomainName", "CloudFront", &endpoints.cdn),
        ("UserPoolId", "UserPoolId", &endpoints.user_pool),
        ("MediaConvertRoleArn", "MediaConvertRole", &endpoints.role),
    ];
    let mut text = format!(
        "<StackId>{id}</StackId><StackName>{stack}</StackName><StackStatus>CREATE_COMPLETE</StackStatus>\
         <CreationTime>2026-01-01T00:00:00Z</CreationTime>\
         <Description>{}</Description>",
        generation.description()
    );
    let members = |text: &mut String, name: &str, all: Vec<String>| {
        let all: String = all.into_iter().map(|one| format!("<member>{one}</member>")).collect();
        let _ = write!(text, "<{name}>{all}</{name}>");
    };
    // Before 6.0 the keys were what the exports are still called.
    let output = |(key, export, value): &(&str, &str, &String)| {
        let key = if generation < Generation::V6_1 { export } else { key };
        format!(
            "<OutputKey>{key}</OutputKey><OutputValue>{}</OutputValue><ExportName>{stack}:{export}</ExportName>",
            escape(value.as_str())
        )
    };
    members(&mut text, "Outputs", outputs.iter().map(output).collect());
    let parameter = |(key, value): &(&str, &str)| {
        format!("<ParameterKey>{key}</ParameterKey><ParameterValue>{value}</ParameterValue>")
    };
    members(&mut text, "Parameters", PARAMETERS.iter().map(parameter).collect());
    Ok(format!("<Stacks><member>{text}</member></Stacks>"))
}

fn metadata() -> String {
    format!("<ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata>", uuid::Uuid::new_v4())
}

/// A body of XML.
pub(crate) fn respond(status: StatusCode, body: &str) -> Response<Body> {
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, "text/xml");
    response.body(Body::from(body.to_owned())).unwrap_or_default()
}
