//! A viewer's session, as the window uses it: signing in for the first time, after a reset, and being signed out.

use reeldesk_core::viewers::{Invitation, Invitee, Selection, Step, ViewerAction, Viewers};
use reeldesk_core::{Code, Error, Folders, Instance};
use tokio_util::sync::CancellationToken;

const ADA: &str = "ada@example.com";

async fn act(viewers: &Viewers, act: ViewerAction) {
    let usernames = vec![ADA.to_owned()];
    let summary = viewers.act(Selection::These { usernames }, &act, &CancellationToken::new(), |_| {}).await.unwrap();
    assert_eq!(summary.done, 1, "{act:?}");
}

#[track_caller]
fn says<T: std::fmt::Debug>(tried: Result<T, Error>, code: Code, words: &str) {
    let error = tried.unwrap_err();
    assert!(error.code == code && error.message.contains(words) && !error.remedy.is_empty(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_password_a_reset_and_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let session =
        reeldesk_shell::open(&Instance::on(&Folders::choose(Some(folder.path())).unwrap()), "sandbox").await.unwrap();
    let viewers = session.viewers().await.unwrap();
    let ada = Invitee { line: 1, address: ADA.to_owned(), name: None, group: None };
    viewers.invite(&[ada], Invitation::Mail, &CancellationToken::new(), |_, _| {}).await.unwrap();
    let newest = async || session.mails().await.unwrap().remove(0).secret;
    let first = newest().await;
    let viewer_session = session.viewer_session().unwrap();
    says(viewer_session.sign_in(ADA, "nonsense").await, Code::Invalid, "the address or the password is wrong");
    says(viewer_session.choose_password("Abcdef1!").await, Code::Invalid, "is not at that step");
    says(viewer_session.look_again().await, Code::SignIn, "session has ended");

    assert_eq!(viewer_session.sign_in(ADA, &first).await.unwrap(), Step::NewPassword);
    says(viewer_session.choose_password("weak").await, Code::Invalid, "not long enough");
    assert_eq!(viewer_session.choose_password("Abcdef1!").await.unwrap(), Step::In { videos: Vec::new() });
    says(viewer_session.sign_in(ADA, &first).await, Code::Invalid, "wrong");

    act(&viewers, ViewerAction::Reset).await;
    assert_eq!(viewer_session.sign_in(ADA, "Abcdef1!").await.unwrap(), Step::Code);
    says(viewer_session.give_code("no", "Ghijkl2?").await, Code::Invalid, "not the code that was sent last");
    let code = newest().await;
    assert_eq!(viewer_session.give_code(&code, "Ghijkl2?").await.unwrap(), Step::In { videos: Vec::new() });
    assert!(viewer_session.look_again().await.unwrap().is_empty());

    act(&viewers, ViewerAction::SignOut).await;
    says(viewer_session.look_again().await, Code::SignIn, "was signed out");
    act(&viewers, ViewerAction::Disable).await;
    says(viewer_session.sign_in(ADA, "Ghijkl2?").await, Code::Invalid, "the viewer is disabled");
    viewer_session.leave().await;
    session.close().await;
}
