//! The workspace that a command of the page is about: the page names it, so that a switch of the window never leads a
//! command to another one.

use std::ops::Deref;
use std::sync::Arc;

use reeldesk_core::{Code, Error};
use tauri::ipc::{CommandArg, CommandItem, InvokeBody, InvokeError};
use tauri::{Manager as _, Wry};

use crate::desk::{Desk, Open};

/// The argument `workspace` of a command, as the open workspace of that name.
pub(crate) struct Opened(Arc<Open>);

impl Deref for Opened {
    type Target = Open;

    fn deref(&self) -> &Open {
        &self.0
    }
}

impl<'de> CommandArg<'de, Wry> for Opened {
    fn from_command(command: CommandItem<'de, Wry>) -> Result<Self, InvokeError> {
        let InvokeBody::Json(arguments) = command.message.payload() else {
            return Err(Error::internal("the arguments are no JSON").into());
        };
        let name = arguments.get("workspace").and_then(|name| name.as_str());
        let name = name.ok_or_else(|| Error::new(Code::Invalid, "No workspace is named.", "Choose one first."))?;
        Ok(Self(command.message.webview_ref().state::<Desk>().opened(name)?))
    }
}
