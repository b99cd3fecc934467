//! `reelctl upload`: any files to a place in S3.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use reeldesk_core::upload::{BatchEvent, Chosen, Progress, Rate, Request, Uploaded, send_all};
use reeldesk_core::{Code, Error, Folders, Result, uploader_of_environment};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::output;

/// How often progress is printed.
const TELL_EVERY: Duration = Duration::from_millis(500);

pub(crate) async fn run(folders: &Folders, chosen: Chosen, limit: Option<Rate>, json: bool) -> Result<ExitCode> {
    let Chosen { requests, refused } = chosen;
    let began = Instant::now();
    let screen = Screen::new(json, &requests);
    let all_chosen = refused.is_empty();
    refused.iter().for_each(|(path, error)| screen.refuse(path, error));
    if requests.is_empty() {
        screen.clear();
        return Ok(if all_chosen { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let uploader = uploader_of_environment(folders).await?;
    uploader.limit().set(limit.map(|rate| rate.0));
    let canceled = CancellationToken::new();
    let interrupt = {
        let canceled = canceled.clone();
        tokio::spawn(async move {
            reeldesk_core::asked_to_end().await;
            canceled.cancel();
        })
    };
    let sending = send_all(&uploader, requests, &canceled, |told| screen.tell(told));
    tokio::pin!(sending);
    let mut beat = tokio::time::interval(TELL_EVERY);
    let well = loop {
        tokio::select! {
            well = &mut sending => break well,
            _ = beat.tick() => screen.beat(),
        }
    };
    interrupt.abort();
    screen.end(began.elapsed());
    Ok(if well && all_chosen { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is shown: JSON lines, or a bar for all of it.
struct Screen {
    on_the_way: RefCell<HashMap<String, (PathBuf, Progress)>>,
    bar: Option<(MultiProgress, ProgressBar)>,
    ended: RefCell<Ended>,
}

/// What has ended so far.
#[derive(Default)]
struct Ended {
    files: usize,
    bytes: u64,
    failed: usize,
    /// Those of them that someone stopped.
    canceled: usize,
    /// What was said last, and of how many more it holds.
    said: String,
    more: usize,
}

impl Screen {
    fn new(json: bool, requests: &[Request]) -> Self {
        let bar = (!json).then(|| {
            let style = ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let total = requests.iter().map(|request| std::fs::metadata(&request.path).map_or(0, |file| file.len()));
            let all = MultiProgress::new();
            let bar = all.add(ProgressBar::new(total.sum()).with_style(style));
            (all, bar)
        });
        Self { on_the_way: RefCell::default(), bar, ended: RefCell::default() }
    }

    /// Tells what cannot be sent at all.
    fn refuse(&self, path: &Path, error: &Error) {
        self.ended.borrow_mut().failed += 1;
        let Some((all, _)) = &self.bar else {
            let mut line = output::failure(error);
            line["path"] = json!(path.to_string_lossy());
            return output::line(&line);
        };
        all.suspend(|| output::text(&format!("{}\n  {}", error.message, error.remedy)));
    }

    fn tell(&self, told: BatchEvent<'_>) {
        match told {
            BatchEvent::Begins(request, progress) => {
                self.on_the_way.borrow_mut().insert(request.id.clone(), (request.path.clone(), progress));
            }
            BatchEvent::Waits(request, error, seconds) => match &self.bar {
                None => output::line(&json!({
                    "state": "waiting", "path": request.path.to_string_lossy(), "message": error.message, "seconds": seconds,
                })),
                Some((all, _)) => {
                    all.suspend(|| output::text(&format!("{} Retrying in {seconds} s.", error.message)));
                }
            },
            BatchEvent::Ended(request, result) => {
                self.on_the_way.borrow_mut().remove(&request.id);
                let mut ended = self.ended.borrow_mut();
                match &result {
                    Ok(uploaded) => {
                        ended.files += 1;
                        ended.bytes += uploaded.size;
                    }
                    Err(error) if error.code == Code::Canceled => ended.canceled += 1,
                    Err(_) => ended.failed += 1,
                }
                match (&self.bar, &result) {
                    (None, _) => output::line(&last_line(request, &result)),
                    (Some(_), Err(error)) if error.code == Code::Canceled => {}
                    // Ten thousand times the same would bury what differs.
                    (Some(_), Err(error)) if error.message == ended.said => ended.more += 1,
                    (Some((all, _)), Err(error)) => {
                        ended.said.clone_from(&error.message);
                        all.suspend(|| output::text(&format!("{}\n  {}", error.message, error.remedy)));
                    }
                    (Some(_), Ok(_)) => {}
                }
            }
        }
    }

    fn clear(&self) {
        if let Some((_, bar)) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn end(&self, took: Duration) {
        let Some((_, bar)) = &self.bar else { return };
        bar.finish_and_clear();
        let ended = self.ended.borrow();
        if ended.more > 0 {
            output::text(&format!("{} more failed for a reason that is named above.", output::files(ended.more)));
        }
        if ended.canceled > 0 {
            let count = output::files(ended.canceled);
            output::text(&format!("{count} not sent: it was stopped. The same command goes on where it was."));
        }
        let failed = if ended.failed > 0 { format!(", {} failed", ended.failed) } else { String::new() };
        let size = indicatif::DecimalBytes(ended.bytes);
        let took = indicatif::HumanDuration(took);
        output::text(&format!("{} in S3, {size}, in {took}{failed}.", output::files(ended.files)));
    }

    fn beat(&self) {
        let on_the_way = self.on_the_way.borrow();
        match &self.bar {
            None => {
                for (path, progress) in on_the_way.values() {
                    let (stored, in_flight) = progress.bytes();
                    if stored + in_flight > 0 {
                        output::line(
                            &json!({ "state": "sending", "path": path.to_string_lossy(), "stored": stored, "inFlight": in_flight }),
                        );
                    }
                }
            }
            Some((_, bar)) => {
                let sent =
                    on_the_way.values().map(|(_, progress)| progress.bytes()).map(|(stored, flying)| stored + flying);
                bar.set_position(self.ended.borrow().bytes + sent.sum::<u64>());
                bar.set_message(format!("{} on the way", on_the_way.len()));
            }
        }
    }
}

/// The last line of a file: `uploaded` or `failed`.
fn last_line(request: &Request, result: &Result<Uploaded>) -> Value {
    let mut line = match result {
        Ok(uploaded) => json!({
            "state": "uploaded",
            "bytes": uploaded.size,
            "bytesSent": uploaded.sent,
            "bytesResent": uploaded.sent.saturating_sub(uploaded.size),
            "parts": uploaded.parts,
            "checksum": format!("crc64nvme:{}", uploaded.checksum),
        }),
        Err(error) => output::failure(error),
    };
    line["path"] = json!(request.path.to_string_lossy());
    line["bucket"] = json!(request.target.bucket);
    line["key"] = json!(request.target.key);
    line
}
