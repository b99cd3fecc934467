//! The commands of the Viewers screen.

use reeldesk_core::Result;
use reeldesk_core::viewers::{Invitation, Invited, Invitee, Invitees, PoolFacts, Viewer};
use serde::{Deserialize, Serialize};
use tauri::State;
use tauri::ipc::Channel;

use crate::desk::Desk;

#[tauri::command]
pub(crate) async fn viewers(desk: State<'_, Desk>) -> Result<Vec<Viewer>> {
    let viewers = desk.opened().await?.session.viewers()?;
    viewers.list().await
}

#[tauri::command]
pub(crate) async fn pool_facts(desk: State<'_, Desk>) -> Result<PoolFacts> {
    let viewers = desk.opened().await?.session.viewers()?;
    viewers.facts().await
}

/// What a pasted list holds.
#[tauri::command]
pub(crate) async fn read_invitees(text: String) -> Result<Invitees> {
    Ok(Invitees::parse(&text))
}

/// What became of one of them.
#[derive(Clone, Serialize)]
pub(crate) struct Told {
    address: String,
    invited: Invited,
}

/// Invites them; each is told as it is done.
#[tauri::command]
pub(crate) async fn invite(
    desk: State<'_, Desk>,
    people: Vec<Invitee>,
    invitation: Invitation,
    told: Channel<Told>,
) -> Result<()> {
    let viewers = desk.opened().await?.session.viewers()?;
    // A page that has gone away needs none.
    let tell = |one: &Invitee, invited: &Invited| {
        drop(told.send(Told { address: one.address.clone(), invited: invited.clone() }));
    };
    viewers.invite(&people, invitation, tell).await
}

/// What is done with a viewer.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Act {
    Resend,
    Disable,
    Enable,
    SignOut,
    Reset,
    Remove,
}

#[tauri::command]
pub(crate) async fn act_on_viewer(desk: State<'_, Desk>, address: String, act: Act) -> Result<()> {
    let viewers = desk.opened().await?.session.viewers()?;
    match act {
        Act::Resend => viewers.resend(&address).await,
        Act::Disable => viewers.disable(&address).await,
        Act::Enable => viewers.enable(&address).await,
        Act::SignOut => viewers.sign_out(&address).await,
        Act::Reset => viewers.reset(&address).await,
        Act::Remove => viewers.remove(&address).await,
    }
}
