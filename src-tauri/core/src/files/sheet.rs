//! Tables for spreadsheets, and from them: no cell is a formula on its way out, and the texts of all spreadsheets are read.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{ask, look, whole};
use crate::{Code, Error, Result};

/// Whether a spreadsheet takes what begins like this for a formula. Source: OWASP, "CSV Injection".
pub(crate) fn is_formula(letter: char) -> bool {
    matches!(letter, '=' | '+' | '-' | '@' | '\t' | '\r')
}

/// Whether a spreadsheet would take it for a formula, or for one that was guarded.
fn is_guarded(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(is_formula)
}

/// A cell that no spreadsheet takes for a formula.
pub(crate) fn cell(text: &str) -> String {
    if is_guarded(text) { format!("'{text}") } else { text.to_owned() }
}

/// What a cell said before [`cell`] guarded it.
pub(crate) fn uncell(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_guarded(rest)).unwrap_or(text)
}

/// The text of a file: UTF-8, UTF-16 with its mark, or what spreadsheets on Windows write. `what` names what it should be, such
/// as `list of people`.
///
/// # Errors
/// When it cannot be read, has more than `largest` bytes, or is no text.
pub(crate) async fn text(path: &Path, what: &str, largest: u64) -> Result<String> {
    let name = crate::text::shown(path);
    let size = ask(path, |path| Ok(look(path)?.len())).await?;
    if size > largest {
        let message = format!("{name} is too large to be a {what}.");
        let most = largest / (1024 * 1024);
        let remedy = format!("Choose another file, or split it: {most} MB are the most.");
        return Err(Error::new(Code::Invalid, message, remedy));
    }
    let bytes = ask(path, whole).await?;
    let (text, _, _) = match std::str::from_utf8(&bytes) {
        Ok(_) => encoding_rs::UTF_8.decode(&bytes),
        // A mark at the beginning says more than this guess.
        Err(_) => encoding_rs::WINDOWS_1252.decode(&bytes),
    };
    if text.contains('\0') {
        return Err(Error::new(Code::Invalid, format!("{name} is no text."), "Save it as CSV, then try again."));
    }
    Ok(text.into_owned())
}

/// A file that is written piece by piece beside its place, and put there at its end: what breaks off leaves no half of it.
pub(crate) struct Fresh {
    file: Option<NamedTempFile>,
    to: PathBuf,
}

impl Fresh {
    /// Begins one.
    ///
    /// # Errors
    /// When its folder cannot be written.
    pub async fn begin(to: &Path) -> Result<Self> {
        let to = to.to_owned();
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let file = tokio::task::spawn_blocking(move || NamedTempFile::new_in(folder)).await.map_err(Error::internal)?;
        let file = file.map_err(|error| unwritten(&to, &error))?;
        Ok(Self { file: Some(file), to })
    }

    /// Writes a piece.
    ///
    /// # Errors
    /// When the disk is full.
    pub async fn write(&mut self, text: String) -> Result<()> {
        let Some(mut file) = self.file.take() else { return Err(Error::internal("the file is gone")) };
        let write = move || file.write_all(text.as_bytes()).map(|()| file);
        let written = tokio::task::spawn_blocking(write).await.map_err(Error::internal)?;
        self.file = Some(written.map_err(|error| unwritten(&self.to, &error))?);
        Ok(())
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// When its place cannot be written.
    pub async fn end(self) -> Result<()> {
        let Self { file, to } = self;
        let Some(file) = file else { return Err(Error::internal("the file is gone")) };
        let place = to.clone();
        let persist = move || file.persist(place).map(drop).map_err(|error| error.error);
        let put = tokio::task::spawn_blocking(persist).await.map_err(Error::internal)?;
        put.map_err(|error| unwritten(&to, &error))
    }
}

fn unwritten(file: &Path, error: &std::io::Error) -> Error {
    let message = format!("{} could not be written.", file.display());
    Error::new(Code::FileUnreadable, message, "Choose another place, or free some space.").with_details(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+49", "-x", "@SUM", "\tx", "plain", "'quoted", "'=x", "''=x", ""] {
            let guarded = cell(text);
            assert!(!guarded.starts_with(is_formula), "{text}");
            assert_eq!(uncell(&guarded), text);
        }
    }

    #[tokio::test]
    async fn what_breaks_off_leaves_no_half() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("list.csv");
        let mut fresh = Fresh::begin(&to).await.unwrap();
        fresh.write("half".into()).await.unwrap();
        drop(fresh);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut fresh = Fresh::begin(&to).await.unwrap();
        fresh.write("wh".into()).await.unwrap();
        fresh.write("ole".into()).await.unwrap();
        fresh.end().await.unwrap();
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "whole");
        let nowhere = Fresh::begin(&folder.path().join("none/list.csv")).await.map(drop).unwrap_err();
        assert!(nowhere.message.contains("could not be written"), "{nowhere:?}");
    }
}
