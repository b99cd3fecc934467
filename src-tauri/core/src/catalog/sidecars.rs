//! Files that go with a video, subtitles for one: beside its source, listed in the map `reeldesk` of its item.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::details::SIDECARS;
use super::edit::not_found;
use super::write::{Written, unusable};
use super::{Catalog, Guid};
use crate::text::{is_language, usual_language};
use crate::{Code, Error, Result};

/// Endings of subtitles.
const CAPTIONS: [&str; 7] = ["vtt", "srt", "scc", "ttml", "dfxp", "stl", "itt"];
/// Endings of what else may go with a video. No video and no JSON: either may start a pipeline.
const OTHERS: [&str; 6] = ["txt", "xml", "pdf", "jpg", "jpeg", "png"];
/// How often a write is tried where others keep writing the same video.
const TRIES: u32 = 5;

/// Whether a key is that of a file of subtitles.
pub(super) fn is_captions(key: &str) -> bool {
    key.rsplit_once('.').is_some_and(|(_, ending)| CAPTIONS.iter().any(|one| ending.eq_ignore_ascii_case(one)))
}

/// Files that are called nothing, as they are stored.
pub(super) fn unnamed(keys: &[String]) -> AttributeValue {
    let entry = |key: &String| (key.clone(), AttributeValue::S(String::new()));
    AttributeValue::M(keys.iter().map(entry).collect())
}

/// A map of names and values; of a list of names, each without a value.
pub(super) fn entries_of(stored: Option<&AttributeValue>) -> HashMap<String, AttributeValue> {
    match stored {
        Some(AttributeValue::M(map)) => map.clone(),
        Some(AttributeValue::L(keys)) => {
            keys.iter().filter_map(|key| Some((key.as_s().ok()?.clone(), AttributeValue::S(String::new())))).collect()
        }
        _ => HashMap::new(),
    }
}

/// The language that a name says: `film.en.vtt`.
pub(crate) fn language_of(name: &str) -> Option<&str> {
    let (stem, _) = name.rsplit_once('.')?;
    stem.rsplit_once('.').map(|(_, last)| last).filter(|last| is_language(last))
}

/// The keys that a file of this name may have beside a source, the best one first: `films/a.en.vtt` beside `films/a.mp4`. Without
/// a language it is that of the file's name, where there is one.
///
/// # Errors
/// [`Code::Invalid`] where such a file cannot be added, or the language is none (RFC 5646).
pub(crate) fn keys_beside(source: &str, name: &str, language: &str) -> Result<impl Iterator<Item = String> + use<>> {
    let (_, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let ending = ending.to_ascii_lowercase();
    let endings = [&CAPTIONS[..], &OTHERS].concat();
    if !endings.contains(&ending.as_str()) {
        return Err(Error::new(
            Code::Invalid,
            format!("\"{name}\" is no file that can go with a video."),
            format!("Subtitles, texts and pictures can: {}.", endings.join(", ")),
        ));
    }
    let language = match language.trim() {
        "" => language_of(name).unwrap_or_default(),
        language if is_language(language) => language,
        other => {
            return Err(Error::new(
                Code::Invalid,
                format!("\"{other}\" is no language tag."),
                "Write it like en, pt-BR or zh-Hans.",
            ));
        }
    };
    let language = if language.is_empty() { String::new() } else { format!(".{}", usual_language(language)) };
    let (folder, file) = source.rsplit_once('/').map_or(("", source), |(folder, file)| (folder, file));
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let stem = if folder.is_empty() { stem.to_owned() } else { format!("{folder}/{stem}") };
    Ok((1_u32..).map(move |number| {
        let number = if number == 1 { String::new() } else { format!(".{number}") };
        format!("{stem}{number}{language}.{ending}")
    }))
}

impl Catalog {
    /// Adds objects of the source bucket to those that go with a video. Those that an admin took off it stay off.
    ///
    /// # Errors
    /// When the table cannot be written, or the video is gone.
    pub async fn add_sidecars(&self, guid: &Guid, keys: &[String]) -> Result<()> {
        for _ in 0..TRIES {
            let read = self.item(guid).await?.ok_or_else(|| not_found(guid))?;
            let Some(own) = read.own_map() else {
                self.put_own(guid, HashMap::from([(SIDECARS.to_owned(), unnamed(keys))])).await?;
                // Someone may have made the map meanwhile.
                continue;
            };
            if !matches!(own.get(SIDECARS), None | Some(AttributeValue::M(_) | AttributeValue::L(_))) {
                return Err(unusable(guid, SIDECARS));
            }
            let mut all = entries_of(own.get(SIDECARS));
            let before = all.len();
            for key in keys {
                all.entry(key.clone()).or_insert_with(|| AttributeValue::S(String::new()));
            }
            if all.len() == before {
                return Ok(());
            }
            if let Written::Done(_) = self.put_map(guid, own, SIDECARS, all).await? {
                return Ok(());
            }
        }
        let what = format!("Others keep changing the video {guid}.");
        Err(Error::new(Code::InUse, what, "Try again in a moment."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(source: &str, name: &str, language: &str, most: usize) -> Vec<String> {
        keys_beside(source, name, language).unwrap().take(most).collect()
    }

    #[test]
    fn a_key_is_beside_the_source_and_says_its_language() {
        assert_eq!(first("films/a.mp4", "b.vtt", "en", 3), ["films/a.en.vtt", "films/a.2.en.vtt", "films/a.3.en.vtt"]);
        assert_eq!(first("a.mp4", "b.pt-br.SRT", "", 1), ["a.pt-BR.srt"]);
        assert_eq!(first("a.mp4", "b.srt", "ZH-HANS", 1), ["a.zh-Hans.srt"]);
        assert_eq!(first("v1.0/a", "notes.txt", "", 1), ["v1.0/a.txt"], "a dot in a folder is no ending");
        for (name, language) in
            [("a.mp4", ""), ("a.json", ""), ("a", "en"), ("a.vtt", "english please"), ("a.vtt", "../x")]
        {
            let Err(error) = keys_beside("films/a.mp4", name, language) else { panic!("{name} {language}") };
            assert_eq!(error.code, Code::Invalid);
        }
    }
}
