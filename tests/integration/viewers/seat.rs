//! A viewer's seat, as the window uses it: signing in for the first time, after a reset, and being signed out.

use reeldesk_core::viewers::{Act, Invitation, Invitee, Selection, Step, Viewers};
use reeldesk_core::{Code, Error, Folders};
use tokio_util::sync::CancellationToken;

const ADA: &str = "ada@example.com";

async fn act(viewers: &Viewers, act: Act) {
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
    let session = reeldesk_shell::open(&Folders::choose(Some(folder.path())).unwrap(), "sandbox").await.unwrap();
    let viewers = session.viewers().await.unwrap();
    let ada = Invitee { line: 1, address: ADA.to_owned(), name: None, group: None };
    viewers.invite(&[ada], Invitation::Mail, &CancellationToken::new(), |_, _| {}).await.unwrap();
    let newest = async || session.mails().await.unwrap().remove(0).secret;
    let first = newest().await;
    let seat = session.seat().unwrap();
    says(seat.sign_in(ADA, "nonsense").await, Code::Invalid, "the address or the password is wrong");
    says(seat.choose_password("Abcdef1!").await, Code::Invalid, "has not come that far");
    says(seat.look_again().await, Code::SignIn, "session has ended");

    assert_eq!(seat.sign_in(ADA, &first).await.unwrap(), Step::NewPassword);
    says(seat.choose_password("weak").await, Code::Invalid, "not long enough");
    assert_eq!(seat.choose_password("Abcdef1!").await.unwrap(), Step::In { videos: Vec::new() });
    says(seat.sign_in(ADA, &first).await, Code::Invalid, "wrong");

    act(&viewers, Act::Reset).await;
    assert_eq!(seat.sign_in(ADA, "Abcdef1!").await.unwrap(), Step::Code);
    says(seat.give_code("no", "Ghijkl2?").await, Code::Invalid, "not the code that was sent last");
    let code = newest().await;
    assert_eq!(seat.give_code(&code, "Ghijkl2?").await.unwrap(), Step::In { videos: Vec::new() });
    assert!(seat.look_again().await.unwrap().is_empty());

    act(&viewers, Act::SignOut).await;
    says(seat.look_again().await, Code::SignIn, "was signed out");
    act(&viewers, Act::Disable).await;
    says(seat.sign_in(ADA, "Ghijkl2?").await, Code::Invalid, "the viewer is disabled");
    seat.leave().await;
    session.close().await;
}
