//! Many files to one place in S3, through the same engine and journal: for what is no master (subtitles, posters) and
//! for automation.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::plan::PartPlan;
use super::{Progress, Request, Target, Uploaded, Uploader};
use crate::aws::Encryption;
use crate::{Code, Error, Result};

/// Files on their way at once that take one request each.
const FILES_AT_ONCE: usize = super::line::MOST_REQUESTS;
/// A file of several parts takes the place of so many: each that is begun and not finished is resumed after a kill.
const PLACES_OF_A_LARGE_ONE: u32 = 5;
/// The longest wait between two tries of a file whose line is down.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A place in S3: `s3://bucket/prefix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    bucket: String,
    prefix: String,
}

impl std::str::FromStr for Destination {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let rest = text.strip_prefix("s3://").filter(|rest| !rest.is_empty() && !rest.starts_with('/'));
        let rest = rest.ok_or_else(|| {
            Error::new(Code::Invalid, format!("\"{text}\" is not a place in S3."), "Write it as s3://BUCKET/PREFIX.")
        })?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

/// What paths come to.
#[derive(Debug)]
pub struct Chosen {
    /// A request for each file.
    pub requests: Vec<Request>,
    /// What cannot be sent, and why; the others can.
    pub refused: Vec<(PathBuf, Error)>,
}

impl Destination {
    /// The requests that send these files and folders here: a folder keeps its inner paths; a single file takes the
    /// prefix as its key where that does not end with a slash.
    ///
    /// # Errors
    /// When two files would get the same key.
    pub fn requests(&self, paths: &[PathBuf], replace: bool, encryption: &Encryption) -> Result<Chosen> {
        let (mut files, mut refused) = (Vec::new(), Vec::new());
        // What is missing now, by the name that it would have.
        let mut missing = Vec::new();
        let mut is_single = paths.len() == 1;
        for path in paths {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            match crate::files::look(&path) {
                Ok(about) if about.is_dir() => {
                    is_single = false;
                    inside(&path, &mut files, &mut refused);
                }
                Ok(about) if about.is_file() => {
                    let name = path.file_name().map(Path::new).map(slashed).unwrap_or_default();
                    files.push((path, name));
                }
                Ok(_) => {
                    let error = no_file(&path);
                    refused.push((path, error));
                }
                Err(error) => {
                    missing.extend(path.file_name().map(|name| (path.clone(), slashed(Path::new(name)))));
                    refused.push((path, error));
                }
            }
        }
        let is_key = is_single && !self.prefix.is_empty() && !self.prefix.ends_with('/');
        let folder = if self.prefix.is_empty() || self.prefix.ends_with('/') {
            self.prefix.clone()
        } else {
            format!("{}/", self.prefix)
        };
        let key_of = |name: &str| if is_key { self.prefix.clone() } else { format!("{folder}{name}") };
        let files: Vec<_> = files.into_iter().map(|(path, name)| (path, key_of(&name))).collect();
        // One would replace the other: now, or when what is missing is sent later.
        let later: Vec<_> = missing.into_iter().map(|(path, name)| (path, key_of(&name))).collect();
        let mut keys = HashMap::new();
        for (path, key) in later.iter().chain(&files) {
            if let Some(other) = keys.insert(key, path) {
                if is_same(path, other) {
                    continue;
                }
                return Err(Error::new(
                    Code::Invalid,
                    format!("\"{}\" and \"{}\" would both become {key}.", other.display(), path.display()),
                    "Rename one, or send them to different places. Nothing was sent.",
                ));
            }
        }
        // What was named twice is sent once.
        let mut taken = HashSet::new();
        let files = files.into_iter().filter(|(_, key)| taken.insert(key.clone()));
        let request = |(path, key): (PathBuf, String)| Request {
            id: format!("s3://{}/{key}", self.bucket),
            target: Target {
                bucket: self.bucket.clone(),
                content_type: mime_guess::from_path(&path).first_or_octet_stream().to_string(),
                key,
                metadata: Vec::new(),
                encryption: encryption.clone(),
                replace,
            },
            path,
        };
        Ok(Chosen { requests: files.map(request).collect(), refused })
    }
}

/// The files in a folder, with their paths from the folder's name on, and what of it cannot be read.
fn inside(folder: &Path, files: &mut Vec<(PathBuf, String)>, refused: &mut Vec<(PathBuf, Error)>) {
    let parent = folder.parent().unwrap_or(folder);
    for entry in ignore::WalkBuilder::new(folder).standard_filters(false).follow_links(true).build() {
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                let inner = entry.path().strip_prefix(parent).unwrap_or(entry.path());
                files.push((entry.path().to_owned(), slashed(inner)));
            }
            Ok(entry) if entry.file_type().is_none_or(|kind| kind.is_dir()) => {}
            Ok(entry) => refused.push((entry.path().to_owned(), no_file(entry.path()))),
            Err(error) => {
                let path = place_of(&error).unwrap_or(folder).to_owned();
                let told = match error.io_error() {
                    Some(cause) => crate::files::unreadable(&path, cause),
                    None => circular(&path).with_details(&error),
                };
                refused.push((path, told));
            }
        }
    }
}

/// Whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    one == other || real(one).is_some_and(|one| Some(one) == real(other))
}

fn no_file(path: &Path) -> Error {
    let message = format!("\"{}\" is a device or a pipe, and no file.", crate::shown(path));
    Error::new(Code::FileUnreadable, message, "Write what comes out of it into a file, and send that.")
}

/// The only thing that stops a walk, but for the disk.
fn circular(path: &Path) -> Error {
    let message = format!("\"{}\" is a link to a folder that it is in.", crate::shown(path));
    Error::new(Code::FileUnreadable, message, "Remove the link; the files of that folder are sent all the same.")
}

/// The path that a walk stumbled over.
fn place_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } => place_of(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// What is told while a batch is on its way.
pub enum BatchEvent<'a> {
    /// A file begins; its progress is counted here.
    Begins(&'a Request, Progress),
    /// The line is down; it is tried again after so many seconds.
    Waits(&'a Request, &'a Error, u64),
    /// A file has ended.
    Ended(&'a Request, Result<Uploaded>),
}

/// Sends all of it, a few files at a time; every file ends as [`BatchEvent::Ended`]. Answers whether all are in S3.
///
/// A line that was up and is down is waited for; one that was never up is an error at once.
pub async fn send_all(
    uploader: &Uploader,
    requests: Vec<Request>,
    canceled: &CancellationToken,
    tell: impl Fn(BatchEvent<'_>),
) -> bool {
    let tell = &tell;
    // What an earlier run could not abort.
    if let Err(error) = uploader.clean_up().await {
        tracing::warn!(%error, "what is to be aborted could not be read");
    }
    let places = &Semaphore::new(FILES_AT_ONCE);
    let unreached = &OnceLock::new();
    let sent = stream::iter(requests).map(|request| async move {
        // Who waits longest is next, so that small files do not keep a large one from its places. It is never closed.
        let _places = places.acquire_many(places_of(&request).await).await.ok();
        let progress = Progress::default();
        tell(BatchEvent::Begins(&request, progress.clone()));
        let result = match unreached.get().filter(|_| !uploader.was_up()) {
            // The others have seen that nobody answers; what they say is of their own file.
            Some(error) => {
                Err(Error { message: "S3 cannot be reached: this was not tried.".to_owned(), ..Error::clone(error) })
            }
            None => retrying(uploader, &request, &progress, canceled, tell).await,
        };
        if let Err(error) = &result
            && error.code == Code::Network
            && !uploader.was_up()
        {
            unreached.set(error.clone()).ok();
        }
        let well = result.is_ok();
        tell(BatchEvent::Ended(&request, result));
        well
    });
    sent.buffer_unordered(FILES_AT_ONCE).fold(true, |all, well| async move { all && well }).await
}

/// How many places of [`FILES_AT_ONCE`] a file takes.
async fn places_of(request: &Request) -> u32 {
    // What cannot be looked at ends with its reason when it is sent.
    let size = crate::files::identity(&request.path).await.map(|identity| identity.size);
    let is_small = size.and_then(PartPlan::for_size).is_ok_and(PartPlan::is_single);
    if is_small { 1 } else { PLACES_OF_A_LARGE_ONE }
}

async fn retrying(
    uploader: &Uploader,
    request: &Request,
    progress: &Progress,
    canceled: &CancellationToken,
    tell: &impl Fn(BatchEvent<'_>),
) -> Result<Uploaded> {
    let mut wait = Duration::from_secs(2);
    loop {
        super::stop_if(canceled)?;
        let result = uploader.send(request, progress, canceled).await;
        let passing = |error: &Error| matches!(error.code, Code::Network | Code::Throttled);
        match result {
            Err(error) if passing(&error) && uploader.was_up() => {
                tell(BatchEvent::Waits(request, &error, wait.as_secs()));
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = canceled.cancelled() => return Err(error),
                }
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            // Nobody tries again.
            Err(error) if passing(&error) => {
                let remedy = "Check the network connection and the endpoint, then run it again.".to_owned();
                return Err(Error { remedy, ..error });
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(place: &str, paths: &[PathBuf]) -> Vec<String> {
        let mut keys: Vec<_> = place
            .parse::<Destination>()
            .unwrap()
            .requests(paths, false, &Encryption::default())
            .unwrap()
            .requests
            .into_iter()
            .map(|request| request.target.key)
            .collect();
        keys.sort();
        keys
    }

    #[test]
    fn two_files_never_become_one_object() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a/y.bin", "b/y.bin"].map(|name| folder.path().join(name));
        for file in &files {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "x").unwrap();
        }
        let refused = |paths: &[PathBuf]| {
            let place = "s3://bucket/kit/".parse::<Destination>().unwrap();
            place.requests(paths, true, &Encryption::default()).unwrap_err().message
        };
        let said = refused(&files);
        assert!(said.contains("a/y.bin") && said.contains("b/y.bin") && said.contains("kit/y.bin"), "{said}");
        // The same file under two names of its path is sent once.
        let round = folder.path().join("b/../a/y.bin");
        let thrice = [files[0].clone(), round, files[0].clone()];
        assert_eq!(keys("s3://bucket/kit/", &thrice), ["kit/y.bin"]);
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::ffi::OsStrExt as _;
            for byte in [0xfe, 0xff] {
                std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(&[b'x', byte])), "x").unwrap();
            }
            assert!(refused(&[folder.path().to_owned()]).contains("would both become"));
        }
    }

    #[test]
    fn places_and_keys() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("season 1/en");
        std::fs::create_dir_all(&inner).unwrap();
        let (file, other) = (inner.join("one.vtt"), folder.path().join("season 1/poster.JPG"));
        std::fs::write(&file, "WEBVTT").unwrap();
        std::fs::write(&other, "jpeg").unwrap();
        assert_eq!(keys("s3://bucket", std::slice::from_ref(&file)), ["one.vtt"]);
        assert_eq!(keys("s3://bucket/a/b.vtt", std::slice::from_ref(&file)), ["a/b.vtt"]);
        assert_eq!(keys("s3://bucket/a/", std::slice::from_ref(&file)), ["a/one.vtt"]);
        assert_eq!(keys("s3://bucket/a", &[file.clone(), other.clone()]), ["a/one.vtt", "a/poster.JPG"]);
        let all = [folder.path().join("season 1")];
        assert_eq!(keys("s3://bucket/a", &all), ["a/season 1/en/one.vtt", "a/season 1/poster.JPG"]);
        let chosen = "s3://bucket"
            .parse::<Destination>()
            .unwrap()
            .requests(&[file, other], false, &Encryption::default())
            .unwrap();
        let types: Vec<_> = chosen.requests.iter().map(|request| request.target.content_type.as_str()).collect();
        assert_eq!(types, ["text/vtt", "image/jpeg"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_what_is_no_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(inner.join("a.vtt"), "WEBVTT").unwrap();
        std::os::unix::fs::symlink("a.vtt", inner.join("b.vtt")).unwrap();
        std::os::unix::fs::symlink("nowhere", inner.join("c.vtt")).unwrap();
        std::os::unix::fs::symlink(".", inner.join("up")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(inner.join("socket")).unwrap();
        let destination = "s3://bucket".parse::<Destination>().unwrap();
        let Chosen { requests, refused } = destination.requests(&[inner], false, &Encryption::default()).unwrap();
        let mut keys: Vec<_> = requests.iter().map(|one| one.target.key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["inner/a.vtt", "inner/b.vtt"]);
        let mut said: Vec<_> = refused.iter().map(|(_, error)| error.message.as_str()).collect();
        said.sort_unstable();
        let expected = ["\"c.vtt\" is not there.", "\"socket\" is a device or a pipe", "\"up\" is a link to a folder"];
        assert!(said.len() == 3 && said.iter().zip(expected).all(|(said, start)| said.starts_with(start)), "{said:?}");
    }

    /// Of large ones a few are begun at once; what cannot be looked at counts as one.
    #[tokio::test]
    async fn a_large_file_takes_the_place_of_several() {
        let folder = tempfile::tempdir().unwrap();
        let (small, large) = (folder.path().join("a.vtt"), folder.path().join("b.mov"));
        std::fs::write(&small, "WEBVTT").unwrap();
        std::fs::File::create(&large).unwrap().set_len(9 << 20).unwrap();
        let destination = "s3://bucket/a/".parse::<Destination>().unwrap();
        let chosen = destination.requests(&[small, large.clone()], false, &Encryption::default()).unwrap();
        let [small, large_one] = &chosen.requests[..] else { panic!("{chosen:?}") };
        assert_eq!((places_of(small).await, places_of(large_one).await), (1, PLACES_OF_A_LARGE_ONE));
        std::fs::remove_file(large).unwrap();
        assert_eq!(places_of(large_one).await, PLACES_OF_A_LARGE_ONE);
    }

    #[test]
    fn what_is_no_place() {
        for text in ["bucket/key", "s3://", "s3:///key", "https://bucket"] {
            assert_eq!(text.parse::<Destination>().unwrap_err().code, Code::Invalid, "{text}");
        }
    }

    /// The others are sent, under the keys that they would have had.
    #[test]
    fn what_cannot_be_sent_stops_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("one.vtt");
        std::fs::write(&file, "WEBVTT").unwrap();
        let place = "s3://bucket/a".parse::<Destination>().unwrap();
        let mut paths = vec!["/nowhere/x".into(), file];
        if cfg!(target_os = "linux") {
            paths.push("/dev/null".into());
        }
        let Chosen { requests, refused } = place.requests(&paths, false, &Encryption::default()).unwrap();
        assert_eq!(requests.iter().map(|one| one.target.key.as_str()).collect::<Vec<_>>(), ["a/one.vtt"]);
        assert_eq!((refused.len(), refused[0].1.code), (paths.len() - 1, Code::FileMissing));
        assert!(refused.iter().skip(1).all(|(_, error)| error.message.contains("no file")));
        // What is missing would become the same object when it is there again.
        let twins = ["/nowhere/one.vtt".into(), paths[1].clone()];
        assert_eq!(place.requests(&twins, true, &Encryption::default()).unwrap_err().code, Code::Invalid);
        // A folder is a folder, whatever is in it.
        let of_folder = keys("s3://bucket/a", &[folder.path().to_owned()]);
        assert!(of_folder.len() == 1 && of_folder[0].ends_with("/one.vtt"), "{of_folder:?}");
        let empty = folder.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        assert_eq!(keys("s3://bucket/a", &[empty, paths[1].clone()]), ["a/one.vtt"]);
    }
}
