//! What the errors of a user pool mean. Source: Amazon Cognito user pools API Reference, the errors of each operation.

use aws_sdk_cognitoidentityprovider::config::http::HttpResponse;
use aws_sdk_cognitoidentityprovider::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::explain::explain as explain_aws;
use crate::{Code, Error};

/// Says what went wrong for a person, `doing` something (as in "ada@example.com could not be invited").
pub(super) fn explain<E>(doing: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let said = error.message().unwrap_or_default().to_owned();
    let (code, reason, remedy) = match error.code().unwrap_or_default() {
        "UsernameExistsException" | "AliasExistsException" => (
            Code::Exists,
            "there is a viewer with this address".to_owned(),
            "Look for the address in the list; the invitation can be sent again from there.",
        ),
        "UserNotFoundException" => (
            Code::NotFound,
            "there is no such viewer".to_owned(),
            "Look at the list again: someone may have removed the viewer.",
        ),
        "InvalidPasswordException" if doing.contains("new password") => (
            Code::Invalid,
            said.rsplit_once("policy: ").map_or(said.as_str(), |(_, reason)| reason).trim_end_matches('.').to_owned(),
            "Choose another password.",
        ),
        "InvalidPasswordException" => (
            Code::Invalid,
            format!("the temporary password is not good enough ({said})"),
            "Check the password policy of the user pool.",
        ),
        "CodeDeliveryFailureException" => (
            Code::Delivery,
            "the mail could not be delivered".to_owned(),
            "Check the address, the invitation's template (it needs {####}) and the pool's sender in Amazon SES.",
        ),
        "LimitExceededException" => (
            Code::Quota,
            "the pool may send no more mail today".to_owned(),
            "Go on tomorrow, or let the engineer connect the pool to Amazon SES: Cognito's own mail is 50 a day.",
        ),
        "UnsupportedUserStateException" => (
            Code::Invalid,
            "the viewer has signed in already, so there is no invitation to send again".to_owned(),
            "Reset the password instead.",
        ),
        "NotAuthorizedException" if said.contains("Incorrect username or password") => (
            Code::Invalid,
            "the address or the password is wrong".to_owned(),
            "Look at the newest mail: an older temporary password ends with each new one.",
        ),
        "NotAuthorizedException" if said.contains("emporary password has expired") => (
            Code::Invalid,
            "the invitation has expired".to_owned(),
            "Send the invitation again: it comes with a new temporary password.",
        ),
        "NotAuthorizedException" if said.contains("has been revoked") || said.contains("Invalid Access Token") => {
            (Code::SignIn, "the session has ended".to_owned(), "Sign in once more.")
        }
        "CodeMismatchException" | "ExpiredCodeException" => (
            Code::Invalid,
            "this is not the code that was sent last".to_owned(),
            "Look at the newest mail, or reset the password once more.",
        ),
        "NotAuthorizedException" if said.contains("cannot be reset") => (
            Code::Invalid,
            "the viewer has not signed in yet, so there is no password to reset".to_owned(),
            "Send the invitation again instead.",
        ),
        "NotAuthorizedException" if said.contains("disabled") => {
            (Code::Invalid, "the viewer is disabled".to_owned(), "Enable the viewer first.")
        }
        "NotAuthorizedException" => (
            Code::AccessDenied,
            "it is not allowed for this viewer as things stand".to_owned(),
            "Read the pool again and look at the viewer's state; if it is so with all viewers, ask the engineer.",
        ),
        "InvalidParameterException" if said.contains("no registered/verified") => (
            Code::Invalid,
            "the viewer's address is not verified, so no code can be sent there".to_owned(),
            "Remove the viewer and invite anew, or let the engineer mark the address as verified.",
        ),
        "InvalidParameterException" => {
            (Code::Invalid, said.trim_end_matches(['.', '\n']).to_owned(), "Correct it, then try again.")
        }
        "UserLambdaValidationException" => (
            Code::Invalid,
            format!("the pool's own check refuses it ({said})"),
            "Ask the engineer what the pool's Lambda function wants of new viewers.",
        ),
        "UnexpectedLambdaException" | "InvalidLambdaResponseException" => (
            Code::Internal,
            "the pool's Lambda function has failed".to_owned(),
            "Send the details to the engineer who set up the pool.",
        ),
        "GroupExistsException" => (Code::Exists, "there is a group of this name".to_owned(), "Choose another name."),
        "ResourceNotFoundException" if said.contains("Group") => {
            (Code::NotFound, "there is no such group".to_owned(), "Create it first, or look at the list again.")
        }
        "ResourceNotFoundException" => (
            Code::NotFound,
            "the user pool does not exist any more".to_owned(),
            "Check the user pool of the workspace; if it was deleted, its viewers are gone with it.",
        ),
        _ => return explain_aws(doing, error),
    };
    Error::new(code, format!("{doing}: {reason}."), remedy).with_details(DisplayErrorContext(error))
}
