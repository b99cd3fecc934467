//! Encodes: the MediaConvert jobs of the workspace.

mod failure;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_mediaconvert::types::{Job as SdkJob, JobPhase, JobStatus, Order};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use self::failure::{FailureClass, JobFailure};
use crate::Result;
use crate::catalog::Guid;
use crate::explain::explain;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// In the queue.
    Submitted,
    /// Being worked on.
    Progressing,
    /// Done.
    Complete,
    /// Canceled by someone.
    Canceled,
    /// Failed.
    Error,
}

/// What a job that is worked on does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// It looks at the input.
    Probing,
    /// It encodes.
    Transcoding,
    /// It writes the outputs.
    Uploading,
}

/// A MediaConvert job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: State,
    /// What it does, while it is worked on.
    pub phase: Option<Phase>,
    /// 0 to 100, as MediaConvert says; not every input has it.
    pub percent: Option<u8>,
    /// The video that it belongs to.
    pub guid: Option<Guid>,
    /// The object that it reads.
    pub input: Option<String>,
    /// The template that it was made from.
    pub template: Option<String>,
    /// The queue's name.
    pub queue: Option<String>,
    /// Milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub submitted_at: Option<i64>,
    /// When MediaConvert began to work on it, in milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub started_at: Option<i64>,
    /// Milliseconds since the epoch.
    #[ts(type = "number | null")]
    pub finished_at: Option<i64>,
    /// Seconds of its longest output, once there is one.
    pub duration: Option<f64>,
    /// -50 to 50; those with a higher one come first in their queue.
    pub priority: Option<i32>,
    /// MediaConvert's error code.
    pub error_code: Option<i32>,
    /// MediaConvert's own words.
    pub error_message: Option<String>,
    /// What the error means, where it failed.
    pub failure: Option<JobFailure>,
    /// What MediaConvert warned of.
    pub warnings: Vec<String>,
}

impl Job {
    fn read(job: SdkJob) -> Option<Self> {
        let time = |time: Option<aws_smithy_types::DateTime>| time.and_then(|time| time.to_millis().ok());
        let timing = job.timing();
        let guid = job.user_metadata().and_then(|metadata| metadata.get("guid").or_else(|| metadata.get("Guid")));
        Some(Self {
            state: match job.status()? {
                JobStatus::Submitted => State::Submitted,
                JobStatus::Complete => State::Complete,
                JobStatus::Canceled => State::Canceled,
                JobStatus::Error => State::Error,
                _ => State::Progressing,
            },
            phase: job.current_phase().and_then(|phase| match phase {
                JobPhase::Probing => Some(Phase::Probing),
                JobPhase::Transcoding => Some(Phase::Transcoding),
                JobPhase::Uploading => Some(Phase::Uploading),
                _ => None,
            }),
            percent: job.job_percent_complete().and_then(|percent| u8::try_from(percent.clamp(0, 100)).ok()),
            guid: guid.and_then(|guid| Guid::new(guid.clone())),
            input: job.settings().and_then(|settings| settings.inputs().first()?.file_input().map(str::to_owned)),
            template: job.job_template().map(last_part),
            queue: job.queue().map(last_part),
            submitted_at: time(timing.and_then(|timing| timing.submit_time().copied()).or(job.created_at().copied())),
            started_at: time(timing.and_then(|timing| timing.start_time().copied())),
            duration: longest(&job),
            priority: job.priority(),
            finished_at: time(timing.and_then(|timing| timing.finish_time().copied())),
            failure: (job.status() == Some(&JobStatus::Error)).then(|| JobFailure::of(job.error_code())),
            error_code: job.error_code(),
            error_message: job.error_message().map(str::to_owned),
            warnings: job.messages().map(|messages| messages.warning().to_vec()).unwrap_or_default(),
            id: job.id?,
        })
    }

    /// With the words of today for its failure: they may have been better found since it was kept.
    #[must_use]
    pub(crate) fn explained(mut self) -> Self {
        self.failure = (self.state == State::Error).then(|| JobFailure::of(self.error_code));
        self
    }

    /// Whether it may still change.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Submitted | State::Progressing)
    }
}

/// Seconds of the longest output of a job.
fn longest(job: &SdkJob) -> Option<f64> {
    let outputs = job.output_group_details().iter().flat_map(|group| group.output_details());
    let longest = outputs.filter_map(|output| output.duration_in_ms()).max().filter(|ms| *ms > 0);
    longest.map(|ms| f64::from(ms) / 1000.0)
}

/// The name at the end of an ARN.
fn last_part(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}

/// The jobs of a workspace's account and region; cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    client: aws_sdk_mediaconvert::Client,
    /// How those ended that were asked for: it changes no more.
    ended: Arc<Mutex<HashMap<String, State>>>,
    calls: Arc<Mutex<VecDeque<Instant>>>,
}

/// A page of jobs, and where the next one begins.
#[derive(Clone, Debug, Default)]
pub struct JobPage {
    /// 20 at most.
    pub jobs: Vec<Job>,
    /// None behind the last one.
    pub next: Option<String>,
}

impl Jobs {
    /// The jobs that this client sees.
    #[must_use]
    pub fn new(client: aws_sdk_mediaconvert::Client) -> Self {
        Self { client, ended: Arc::default(), calls: Arc::default() }
    }

    /// How a job ended, if that is known from an earlier question.
    #[must_use]
    pub fn has_ended(&self, id: &str) -> Option<State> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }

    /// How often MediaConvert was asked for jobs in the last hour.
    #[must_use]
    pub fn calls_last_hour(&self) -> usize {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        Self::let_go(&mut calls);
        calls.len()
    }

    fn let_go(calls: &mut VecDeque<Instant>) {
        while calls.front().is_some_and(|at| at.elapsed() > HOUR) {
            calls.pop_front();
        }
    }

    fn count_call(&self) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        Self::let_go(&mut calls);
        calls.push_back(Instant::now());
    }

    /// Jobs, whoever started them, the newest first: one request. `state` leaves the others away.
    ///
    /// # Errors
    /// When MediaConvert cannot be asked.
    pub async fn page(&self, state: Option<State>, after: Option<String>) -> Result<JobPage> {
        self.count_call();
        let status = state.map(|state| match state {
            State::Submitted => JobStatus::Submitted,
            State::Progressing => JobStatus::Progressing,
            State::Complete => JobStatus::Complete,
            State::Canceled => JobStatus::Canceled,
            State::Error => JobStatus::Error,
        });
        let answer = self
            .client
            .list_jobs()
            .order(Order::Descending)
            .max_results(20)
            .set_status(status)
            .set_next_token(after)
            .send()
            .await
            .map_err(|error| explain("The jobs could not be read", error))?;
        let next = answer.next_token.filter(|next| !next.is_empty());
        Ok(JobPage { jobs: answer.jobs.unwrap_or_default().into_iter().filter_map(Job::read).collect(), next })
    }

    /// One job.
    ///
    /// # Errors
    /// [`crate::Code::NotFound`] when there is none of this id.
    pub async fn get(&self, id: &str) -> Result<Job> {
        self.count_call();
        let answer = self
            .client
            .get_job()
            .id(id)
            .send()
            .await
            .map_err(|error| explain(&format!("The job {id} could not be read"), error))?;
        let job = answer.job.and_then(Job::read);
        let job = job.ok_or_else(|| crate::Error::internal("a job without id or status"))?;
        if !job.is_open() {
            self.ended.lock().unwrap_or_else(PoisonError::into_inner).insert(job.id.clone(), job.state);
        }
        Ok(job)
    }

    /// Cancels a job that has not ended.
    ///
    /// # Errors
    /// When MediaConvert refuses, for instance because the job has ended.
    pub async fn cancel(&self, id: &str) -> Result<()> {
        self.count_call();
        self.client
            .cancel_job()
            .id(id)
            .send()
            .await
            .map_err(|error| explain(&format!("The job {id} could not be canceled"), error))?;
        Ok(())
    }
}
