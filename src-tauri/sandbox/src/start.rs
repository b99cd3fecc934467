//! Starting and stopping the sandbox.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cloudfront::CloudFront;
use crate::db::Db;
use crate::endpoints::{Endpoints, Lock, Ports};
use crate::faults::Faults;
use crate::front_door::{self, Services};
use crate::mediaconvert::{self, MediaConvert};
use crate::options::Options;
use crate::pipeline::Pipeline;
use crate::s3::{self, S3};
use crate::site::{self, Site};
use crate::table::Table;
use crate::{DESTINATION_BUCKET, SOURCE_BUCKET, STACK, cdn, cognito};

const TEMPLATES: [&str; 3] = [
    include_str!("../templates/720p_avc_aac_16x9_qvbr_no_preset.json"),
    include_str!("../templates/1080p_avc_aac_16x9_qvbr_no_preset.json"),
    include_str!("../templates/2160p_avc_aac_16x9_qvbr_no_preset.json"),
];

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process runs one on the same folder.
    #[error("a sandbox already runs on {0}")]
    AlreadyRunning(PathBuf),
    /// The folder cannot be used.
    #[error("the sandbox's folder {folder} cannot be used: {source}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A part did not come up.
    #[error("the sandbox's {part} did not start: {message}")]
    Part {
        /// Which part.
        part: &'static str,
        /// What it said.
        message: String,
    },
}

impl StartError {
    fn part(part: &'static str) -> impl FnOnce(String) -> Self {
        move |message| Self::Part { part, message }
    }
}

/// A running sandbox. Call [`Sandbox::stop`] to end it in good order; dropping it stops it too.
pub struct Sandbox {
    endpoints: Endpoints,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _lock: Lock,
}

impl Sandbox {
    /// Starts on `folder`, making it if need be, and waits until every service answers.
    ///
    /// # Errors
    /// [`StartError`]: the folder is in use or unusable, or a service did not come up.
    pub async fn start(folder: &Path) -> Result<Self, StartError> {
        Self::start_with(folder, Options::default()).await
    }

    /// The same, differing from a fresh deployment.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub async fn start_with(folder: &Path, options: Options) -> Result<Self, StartError> {
        let unusable = |source| StartError::Folder { folder: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let Some(lock) = Lock::take(folder).map_err(unusable)? else {
            return Err(StartError::AlreadyRunning(folder.to_owned()));
        };
        let before = Ports::read(folder).unwrap_or_default();
        let api = listen(before.api).await.map_err(unusable)?;
        let cdn = listen(before.cdn).await.map_err(unusable)?;
        let site = listen(before.site).await.map_err(unusable)?;
        let [api_port, cdn_port, site_port] = [port(&api), port(&cdn), port(&site)];
        let ports = Ports {
            api: api_port.map_err(unusable)?,
            cdn: cdn_port.map_err(unusable)?,
            site: site_port.map_err(unusable)?,
            catalog: options.catalog.unwrap_or(before.catalog),
        };
        ports.write(folder).map_err(unusable)?;
        let endpoints = Endpoints::on(ports);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();

        let dynamodb = start_dynamodb(folder, &mut tasks, &stop).await?;
        let events = Arc::new(Notify::new());
        let db = Db::open(&folder.join("sandbox.sqlite"), &[cognito::SCHEMA])
            .map_err(|error| StartError::part("store")(error.to_string()))?;
        let s3 = S3::open(db.clone(), folder.join("blobs"), options, events.clone()).map_err(unusable)?;
        prepare_s3(&s3).await.map_err(StartError::part("S3"))?;
        let mediaconvert = MediaConvert::open(db.clone(), s3.clone(), folder.join("work"), events.clone());
        add_templates(&mediaconvert).await.map_err(StartError::part("MediaConvert"))?;

        let faults = Faults::default();
        let services = Services {
            options,
            faults: faults.clone(),
            s3: s3::service(s3.clone(), &endpoints.credentials),
            db: db.clone(),
            mediaconvert: mediaconvert::api::router(mediaconvert.clone()),
            dynamodb,
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .map_err(|error| StartError::part("front door")(error.to_string()))?,
            endpoints: endpoints.clone(),
            cloudfront: CloudFront::default(),
        };
        serve(&mut tasks, api, front_door::router(services), &stop);
        serve(&mut tasks, cdn, cdn::router(s3.clone()), &stop);
        let table = Table::of(&endpoints, options.pipeline);
        table.create().await.map_err(StartError::part("DynamoDB table"))?;
        let viewers = Site { db: db.clone(), s3: s3.clone(), table: table.clone(), address: endpoints.site.clone() };
        serve(&mut tasks, site, site::router(viewers), &stop);
        let pipeline = Pipeline {
            db,
            s3,
            mediaconvert: mediaconvert.clone(),
            table,
            cdn: endpoints.cdn.trim_start_matches("http://").to_owned(),
            generation: options.pipeline,
            faults,
            events,
        };
        tasks.spawn(pipeline.work(stop.clone()));
        tasks.spawn(mediaconvert.work(stop.clone()));
        Ok(Self { endpoints, stop, tasks, _lock: lock })
    }

    /// Where it listens and what it holds.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Stops listening and working; a running encode is stopped and goes on at the next start.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(std::time::Duration::from_secs(5), drained).await.is_err() {
            tracing::warn!("the sandbox's tasks did not end in time");
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The port of the last run where it is free, otherwise any.
async fn listen(wanted: u16) -> io::Result<TcpListener> {
    match TcpListener::bind(("127.0.0.1", wanted)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(("127.0.0.1", 0)).await,
    }
}

fn port(listener: &TcpListener) -> io::Result<u16> {
    Ok(listener.local_addr()?.port())
}

fn serve(tasks: &mut JoinSet<()>, listener: TcpListener, router: axum::Router, stop: &CancellationToken) {
    let stop = stop.clone();
    tasks.spawn(async move {
        let server = axum::serve(listener, router).into_future();
        tokio::select! {
            result = server => if let Err(error) = result {
                tracing::error!(%error, "a listener of the sandbox ended");
            },
            () = stop.cancelled() => {}
        }
    });
}

async fn start_dynamodb(
    folder: &Path,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Result<String, StartError> {
    let failed = StartError::part("DynamoDB");
    let path = folder.join("dynamodb.sqlite");
    let database = match dynoxide::Database::new(&path.to_string_lossy()) {
        Ok(database) => database,
        Err(error) => return Err(failed(error.to_string())),
    };
    let listener = match listen(0).await {
        Ok(listener) => listener,
        Err(error) => return Err(failed(error.to_string())),
    };
    let address = port(&listener).map_err(|error| StartError::part("DynamoDB")(error.to_string()))?;
    let stop = stop.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = dynoxide::server::serve_on(listener, database) => {}
            () = stop.cancelled() => {}
        }
    });
    Ok(format!("http://127.0.0.1:{address}"))
}

async fn prepare_s3(s3: &S3) -> Result<(), String> {
    for bucket in [SOURCE_BUCKET, DESTINATION_BUCKET] {
        s3.create_bucket(bucket).await.map_err(|error| error.to_string())?;
    }
    s3.sweep().await.map_err(|error| error.to_string())
}

async fn add_templates(mediaconvert: &MediaConvert) -> Result<(), String> {
    for text in TEMPLATES {
        let mut template: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let name = format!("{STACK}{}", template["Name"].as_str().unwrap_or_default());
        template["Name"] = name.into();
        mediaconvert.put_template(template).await.map_err(|error| error.message)?;
    }
    Ok(())
}
