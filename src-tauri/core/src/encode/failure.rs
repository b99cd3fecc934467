//! Why an encode failed, in words. Source: MediaConvert User Guide, "MediaConvert error codes", of 2023; codes that it does not
//! explain have MediaConvert's own words only.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Whether another try helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum FailureClass {
    /// The file is what fails: it will fail again.
    File,
    /// The settings of the job are: another template helps.
    Settings,
    /// AWS may not read or write something.
    Rights,
    /// It may go well at another time.
    Later,
    /// Nobody knows.
    Unknown,
}

/// What the failure of a job means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct JobFailure {
    /// Whether another try helps.
    pub class: FailureClass,
    /// What happened, as a sentence.
    pub message: String,
    /// What to do, as a sentence.
    pub remedy: String,
}

impl JobFailure {
    /// What an error code of MediaConvert means.
    #[must_use]
    pub fn of(code: Option<i32>) -> Self {
        use FailureClass::{File, Later, Rights, Settings, Unknown};
        let (class, message, remedy) = match code {
            // It may be the file, its address, or a right.
            Some(1010 | 1056) => (
                Unknown,
                "MediaConvert could not open the source or write an output.",
                "Check that the source is still in its bucket and plays to its end, and that the role of the jobs may read it.",
            ),
            Some(1020) => {
                (File, "The source has no video track that MediaConvert finds.", "Send a file with a video track.")
            }
            Some(1021) => (
                File,
                "The source has no audio track, and the settings ask for one.",
                "Send a file with an audio track, or use a template without audio.",
            ),
            Some(1030) => (
                File,
                "MediaConvert does not know the codec or the container of the source.",
                "Export the film again, for instance as H.264 or ProRes in MP4 or QuickTime, and send that file.",
            ),
            Some(1040) => (
                Settings,
                "Settings of the job do not go together, or not with this source.",
                "Use another template, or have this one corrected.",
            ),
            Some(1041) => (
                Settings,
                "The settings do not go with accelerated transcoding.",
                "Set the acceleration to preferred or off in the template.",
            ),
            Some(1042) => (
                Settings,
                "The source is too short for accelerated transcoding, which the template demands.",
                "Set the acceleration to preferred or off in the template.",
            ),
            Some(1050 | 1507) => (
                Settings,
                "The outputs are too many or too long for one job.",
                "Use a template with fewer outputs, or send the film in parts.",
            ),
            Some(1060) => (
                Settings,
                "The times of a clip are not in the source.",
                "Count the times of the clip from zero, in the source and in the job.",
            ),
            Some(1075) => (
                File,
                "The source is damaged: its tracks cannot be told apart.",
                "Check that it plays to its end, export it again, and send that file.",
            ),
            Some(1076) => (
                File,
                "The source ends too early, or could not be read to its end.",
                "Check that it plays to its end, and send it again.",
            ),
            Some(1080) => (Settings, "The settings for MXF do not go with this source.", "Use another template."),
            Some(1091) => (
                Rights,
                "The key server for the encryption did not let MediaConvert in.",
                "Have the role of the jobs allowed to call it (execute-api:Invoke).",
            ),
            Some(1092) => (
                File,
                "The audio of the source cannot be decoded.",
                "Export the film again with AAC or PCM audio, and send that file.",
            ),
            Some(1401) => (
                Rights,
                "S3 did not let MediaConvert read the source or write the outputs.",
                "Have the role of the jobs allowed to read the source bucket and to write the destination bucket.",
            ),
            Some(1404) => (
                File,
                "A file or bucket that the job names is not there.",
                "Check that the source is still in its bucket; send it again where it is not.",
            ),
            Some(1432) => {
                (Rights, "The role of the jobs lacks a right.", "Have the role of the jobs checked by the engineer.")
            }
            Some(1433) => (
                Rights,
                "The role of the jobs does not exist.",
                "Have the role named in the pipeline's settings, or made again.",
            ),
            Some(1434) => (
                Rights,
                "MediaConvert may not take on the role of the jobs.",
                "Have mediaconvert.amazonaws.com trusted by the role.",
            ),
            Some(1515) => (
                Rights,
                "The role of the jobs is not usable as it is.",
                "Have its trust and its rights checked by the engineer.",
            ),
            Some(1550) => (
                Later,
                "Accelerated transcoding failed inside AWS.",
                "Try again; where it fails again, turn the acceleration off or ask AWS Support.",
            ),
            Some(1999) => (Later, "AWS had an error of its own.", "Try again; where it fails again, ask AWS Support."),
            Some(3400) => {
                (File, "The playlist that is the source does not follow the rules of HLS.", "Send the film as a file.")
            }
            Some(3401 | 3403) => (
                Rights,
                "The server of the source wants a sign-in, or does not let MediaConvert in.",
                "Have the source made readable for MediaConvert, or put it into the source bucket.",
            ),
            Some(3404) => (File, "The server of the source does not have it.", "Check its address."),
            Some(3408 | 3450 | 3451) => {
                (Later, "A server of the source or of the outputs did not answer well.", "Try again when it works.")
            }
            Some(3457) => {
                (Rights, "A policy does not allow this source.", "Have the policy for inputs checked by the engineer.")
            }
            _ => (
                Unknown,
                "The encode failed.",
                "Read MediaConvert's own words; where they do not help, ask AWS Support with the id of the job.",
            ),
        };
        Self { class, message: message.to_owned(), remedy: remedy.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes of MediaConvert's list, as of 2026: those that it explains have words of their own, those that it does not have
    /// none.
    #[test]
    fn every_code_that_is_explained_has_its_words() {
        let explained = [
            1010, 1020, 1021, 1030, 1040, 1041, 1042, 1050, 1056, 1060, 1075, 1076, 1080, 1091, 1092, 1401, 1404, 1432,
            1433, 1434, 1507, 1515, 1550, 1999, 3400, 3401, 3403, 3404, 3408, 3450, 3451, 3457,
        ];
        let none = JobFailure::of(None);
        for code in 900..4100 {
            assert_eq!(JobFailure::of(Some(code)) != none, explained.contains(&code), "{code}");
        }
    }

    #[test]
    fn they_are_sentences() {
        for code in 1000..4000 {
            let JobFailure { message, remedy, .. } = JobFailure::of(Some(code));
            assert!(message.ends_with('.') && remedy.ends_with('.'), "{code}");
        }
    }
}
