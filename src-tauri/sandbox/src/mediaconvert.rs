//! MediaConvert over ffmpeg: jobs are kept in SQLite and run one after the other.
//!
//! Source: MediaConvert API Reference (2017-08-29).

pub(crate) mod api;
pub(crate) mod casing;
mod command;
mod geometry;
mod playlist;
mod run;
mod settings;
mod strays;
mod work;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{OptionalExtension as _, params};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::settings::Plan;
use crate::db::Db;
use crate::s3::S3;
use crate::time::epoch_seconds;
use crate::{ACCOUNT, REGION};

/// An error as the API tells it.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub status: u16,
    pub kind: &'static str,
    pub message: String,
}

impl ApiError {
    fn bad_request(message: impl Into<String>) -> Self {
        Self { status: 400, kind: "BadRequestException", message: message.into() }
    }

    fn not_found(message: impl Into<String>) -> Self {
        Self { status: 404, kind: "NotFoundException", message: message.into() }
    }

    fn conflict(message: impl Into<String>) -> Self {
        Self { status: 409, kind: "ConflictException", message: message.into() }
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the sandbox's MediaConvert failed");
        Self { status: 500, kind: "InternalServerErrorException", message: error.to_string() }
    }
}

type Result<T> = std::result::Result<T, ApiError>;

/// The MediaConvert of the sandbox; cheap to clone.
#[derive(Clone)]
pub(crate) struct MediaConvert(Arc<Inner>);

struct Inner {
    db: Db,
    s3: S3,
    work: PathBuf,
    /// Rung when a job was submitted.
    submitted: Notify,
    /// Rung after an event was written.
    events: Arc<Notify>,
    running: Mutex<HashMap<String, CancellationToken>>,
}

/// What `ListJobs` asks for.
pub(crate) struct Query {
    pub status: Option<String>,
    pub queue: Option<String>,
    pub ascending: bool,
    pub max: usize,
    pub after: Option<String>,
}

impl MediaConvert {
    pub fn open(db: Db, s3: S3, work: PathBuf, events: Arc<Notify>) -> Self {
        Self(Arc::new(Inner { db, s3, work, submitted: Notify::new(), events, running: Mutex::default() }))
    }

    /// Adds a job template, given as its file or as the wire has it.
    pub async fn put_template(&self, template: Value) -> Result<()> {
        let mut template = casing::to_wire(template);
        let name = template["name"].as_str().unwrap_or_default().to_owned();
        template["arn"] = json!(format!("arn:aws:mediaconvert:{REGION}:{ACCOUNT}:jobTemplates/{name}"));
        template["type"] = json!("CUSTOM");
        template["createdAt"] = json!(epoch_seconds());
        template["lastUpdated"] = json!(epoch_seconds());
        self.0
            .db
            .call(move |db| {
                db.execute(
                    "INSERT OR IGNORE INTO job_templates (name, body) VALUES (?1, ?2)",
                    params![name, template.to_string()],
                )
            })
            .await?;
        Ok(())
    }

    pub async fn templates(&self) -> Result<Vec<Value>> {
        let texts = self
            .0
            .db
            .call(|db| {
                db.prepare("SELECT body FROM job_templates ORDER BY name")?
                    .query_map([], |row| row.get::<_, String>(0))?
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .await?;
        Ok(texts.iter().map(|text| parse(text)).collect())
    }

    pub async fn template(&self, name: &str) -> Result<Value> {
        let short = name.rsplit('/').next().unwrap_or(name);
        self.templates()
            .await?
            .into_iter()
            .find(|template| template["name"] == short)
            .ok_or_else(|| ApiError::not_found(format!("Job template '{name}' was not found")))
    }

    /// The queues: the one that every account has.
    pub async fn queues(&self) -> Result<Vec<Value>> {
        let count = |status: &'static str| {
            self.0.db.call(move |db| {
                db.query_row("SELECT count(*) FROM jobs WHERE status = ?1", [status], |row| row.get::<_, i64>(0))
            })
        };
        Ok(vec![json!({
            "name": "Default", "arn": queue_arn("Default"), "status": "ACTIVE", "type": "SYSTEM",
            "pricingPlan": "ON_DEMAND", "description": "", "concurrentJobs": 1,
            "submittedJobsCount": count("SUBMITTED").await?, "progressingJobsCount": count("PROGRESSING").await?,
        })])
    }

    /// Takes a job (wire-cased request) and queues it.
    pub async fn create(&self, request: Value) -> Result<Value> {
        if request["role"].as_str().unwrap_or_default().is_empty() {
            return Err(ApiError::bad_request("/role: is a required property"));
        }
        check_user_metadata(&request["userMetadata"])?;
        let token = request["clientRequestToken"].as_str().map(str::to_owned);
        if let Some(token) = token.clone()
            && let Some(job) = self.by_token(token).await?
        {
            return Ok(job);
        }
        let mut settings = request["settings"].clone();
        let mut template_arn = Value::Null;
        if let Some(name) = request["jobTemplate"].as_str() {
            let template = self.template(name).await.map_err(|error| ApiError::bad_request(error.message))?;
            template_arn = template["name"].clone();
            settings = merge(template["settings"].clone(), settings);
        }
        let plan = Plan::read(&settings).map_err(|refusal| ApiError::bad_request(refusal.to_string()))?;
        tracing::debug!(input = %plan.input, "job accepted");
        let id = job_id();
        let queue = request["queue"].as_str().unwrap_or("Default");
        let queue = if queue.starts_with("arn:") { queue.to_owned() } else { queue_arn(queue) };
        if !queue.ends_with("/Default") {
            return Err(ApiError::bad_request(format!(
                "/queue: the sandbox has the queue Default only, not '{queue}'"
            )));
        }
        let mut job = json!({
            "id": id, "arn": format!("arn:aws:mediaconvert:{REGION}:{ACCOUNT}:jobs/{id}"),
            "status": "SUBMITTED", "createdAt": epoch_seconds(), "queue": queue, "role": request["role"],
            "settings": settings, "priority": request["priority"].as_i64().unwrap_or(0), "retryCount": 0,
            "timing": { "submitTime": epoch_seconds() }, "messages": { "info": [], "warning": [] },
            "accelerationStatus": "NOT_APPLICABLE", "statusUpdateInterval": "SECONDS_60",
        });
        for key in
            ["userMetadata", "accelerationSettings", "statusUpdateInterval", "billingTagsSource", "hopDestinations"]
        {
            if !request[key].is_null() {
                job[key] = request[key].clone();
            }
        }
        if !template_arn.is_null() {
            job["jobTemplate"] = template_arn;
        }
        let row = job.clone();
        self.0
            .db
            .call(move |db| {
                db.execute(
                    "INSERT INTO jobs (id, created, status, queue, token, body) VALUES (?1, ?2, 'SUBMITTED', ?3, ?4, ?5)",
                    params![id, epoch_seconds(), queue, token, row.to_string()],
                )
            })
            .await?;
        self.0.submitted.notify_one();
        Ok(job)
    }

    /// The job that the same client token made within the last minute.
    async fn by_token(&self, token: String) -> Result<Option<Value>> {
        let text: Option<String> = self
            .0
            .db
            .call(move |db| {
                db.query_row(
                    "SELECT body FROM jobs WHERE token = ?1 AND created > ?2",
                    params![token, epoch_seconds() - 60],
                    |row| row.get(0),
                )
                .optional()
            })
            .await?;
        Ok(text.map(|text| parse(&text)))
    }

    pub async fn job(&self, id: &str) -> Result<Value> {
        let key = id.to_owned();
        let text: Option<String> = self
            .0
            .db
            .call(move |db| db.query_row("SELECT body FROM jobs WHERE id = ?1", [key], |row| row.get(0)).optional())
            .await?;
        text.map(|text| parse(&text)).ok_or_else(|| ApiError::not_found(format!("Job '{id}' was not found")))
    }

    /// A page of jobs, and the token of the next.
    pub async fn jobs(&self, query: Query) -> Result<(Vec<Value>, Option<String>)> {
        let max = query.max;
        let texts = self
            .0
            .db
            .call(move |db| {
                let (compare, order) = if query.ascending { (">", "ASC") } else { ("<", "DESC") };
                db.prepare(&format!(
                    "SELECT body FROM jobs WHERE (?1 IS NULL OR status = ?1) AND (?2 IS NULL OR queue = ?2 OR queue LIKE '%/' || ?2)
                       AND (?3 IS NULL OR id {compare} ?3) ORDER BY id {order} LIMIT ?4"
                ))?
                .query_map(params![query.status, query.queue, query.after, max as i64 + 1], |row| row.get::<_, String>(0))?
                .collect::<rusqlite::Result<Vec<_>>>()
            })
            .await?;
        let mut jobs: Vec<Value> = texts.iter().map(|text| parse(text)).collect();
        let more = jobs.len() > max;
        jobs.truncate(max);
        let next = jobs.last().filter(|_| more).and_then(|job| job["id"].as_str()).map(str::to_owned);
        Ok((jobs, next))
    }

    /// Cancels a job that has not ended; a running ffmpeg is stopped.
    pub async fn cancel(&self, id: &str) -> Result<()> {
        let job = self.job(id).await?;
        match job["status"].as_str() {
            Some("SUBMITTED") => self.end(id, |job| job["status"] = json!("CANCELED")).await?,
            Some("PROGRESSING") => {}
            other => {
                return Err(ApiError::conflict(format!(
                    "Job '{id}' can't be canceled because its status is {}",
                    other.unwrap_or_default()
                )));
            }
        }
        if let Some(token) = self.running().get(id) {
            token.cancel();
        }
        Ok(())
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn change(&self, id: &str, edit: impl FnOnce(&mut Value) + Send + 'static) -> Result<()> {
        self.change_with_event(id, edit, |_| None).await
    }

    /// Edits a job and, in the same transaction, writes the event that tells of it.
    async fn change_with_event(
        &self,
        id: &str,
        edit: impl FnOnce(&mut Value) + Send + 'static,
        event: impl FnOnce(&Value) -> Option<Value> + Send + 'static,
    ) -> Result<()> {
        let id = id.to_owned();
        self.0
            .db
            .call(move |db| {
                let transaction = db.transaction()?;
                let text: String =
                    transaction.query_row("SELECT body FROM jobs WHERE id = ?1", [&id], |row| row.get(0))?;
                let mut job = parse(&text);
                edit(&mut job);
                transaction.execute(
                    "UPDATE jobs SET status = ?2, body = ?3 WHERE id = ?1",
                    params![id, job["status"].as_str(), job.to_string()],
                )?;
                if let Some(event) = event(&job) {
                    transaction
                        .execute("INSERT INTO events (kind, body) VALUES ('JobState', ?1)", [event.to_string()])?;
                }
                transaction.commit()
            })
            .await?;
        Ok(())
    }

    async fn end(&self, id: &str, edit: impl FnOnce(&mut Value) + Send + 'static) -> Result<()> {
        self.change(id, |job| {
            job["timing"]["finishTime"] = json!(epoch_seconds());
            edit(job);
        })
        .await
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn queue_arn(name: &str) -> String {
    format!("arn:aws:mediaconvert:{REGION}:{ACCOUNT}:queues/{name}")
}

/// `<milliseconds>-<six letters>`, as MediaConvert's ids look; they sort by time.
fn job_id() -> String {
    let milliseconds = crate::time::utc().unix_timestamp_nanos() / 1_000_000;
    let letters: String = uuid::Uuid::new_v4().simple().to_string().chars().take(6).collect();
    format!("{milliseconds}-{letters}")
}

/// 10 entries, keys of 128 and values of 256 characters from a small set.
fn check_user_metadata(metadata: &Value) -> Result<()> {
    let Some(map) = metadata.as_object() else { return Ok(()) };
    if map.len() > 10 {
        return Err(ApiError::bad_request("/userMetadata: should have at most 10 entries"));
    }
    let allowed = |text: &str, most: usize| {
        text.chars().count() <= most && text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
    };
    match map.iter().find(|(key, value)| !allowed(key, 128) || !value.as_str().is_some_and(|v| allowed(v, 256))) {
        Some((key, _)) => Err(ApiError::bad_request(format!(
            "/userMetadata/{key}: should hold letters, digits, spaces and _ . : / = + - @ only"
        ))),
        None => Ok(()),
    }
}

/// The job's settings over the template's: objects merge, what the job gives otherwise replaces.
fn merge(template: Value, job: Value) -> Value {
    match (template, job) {
        (template, Value::Null) => template,
        (Value::Array(template), Value::Array(job)) if job.is_empty() => Value::Array(template),
        (Value::Object(mut template), Value::Object(job)) => {
            for (key, value) in job {
                let before = template.remove(&key).unwrap_or_default();
                template.insert(key, merge(before, value));
            }
            Value::Object(template)
        }
        (_, job) => job,
    }
}
