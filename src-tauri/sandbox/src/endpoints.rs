//! Where a sandbox listens, written where another process finds it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::options::CatalogKind;
use crate::{
    CUSTOM_TABLE, Credentials, DESTINATION_BUCKET, REGION, SOURCE_BUCKET, STACK, TABLE, TABLE_INDEX, USER_POOL,
};

/// Everything that a client needs to use a running sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// The endpoint of S3, DynamoDB, Cognito and MediaConvert: `http://127.0.0.1:<port>`.
    pub api: String,
    /// The CDN in front of the destination bucket: `http://127.0.0.1:<port>`.
    pub cdn: String,
    /// The site of the viewers, whose files want signed cookies: `http://127.0.0.1:<port>`.
    pub site: String,
    /// The region to sign for.
    pub region: String,
    /// The access key.
    pub credentials: Credentials,
    /// The bucket that starts the pipeline.
    pub source_bucket: String,
    /// The bucket of the encodes.
    pub destination_bucket: String,
    /// The catalog table.
    pub table: String,
    /// Whose table that is.
    pub catalog: CatalogKind,
    /// Its index by source bucket and start time, where it has one.
    pub table_index: Option<String>,
    /// The user pool of the viewers.
    pub user_pool: String,
    /// The app client of the pool that viewers sign in with.
    pub app_client: String,
    /// The stack's name, which is the `workflow` of its jobs.
    pub stack: String,
    /// The role to submit jobs with.
    pub role: String,
}

impl Endpoints {
    pub(crate) fn on(ports: Ports) -> Self {
        let local = |port: u16| format!("http://127.0.0.1:{port}");
        Self {
            api: local(ports.api),
            cdn: local(ports.cdn),
            site: local(ports.site),
            region: REGION.into(),
            credentials: Credentials::default(),
            source_bucket: SOURCE_BUCKET.into(),
            destination_bucket: DESTINATION_BUCKET.into(),
            table: match ports.catalog {
                CatalogKind::Solution => TABLE.into(),
                CatalogKind::Custom => CUSTOM_TABLE.into(),
            },
            catalog: ports.catalog,
            table_index: (ports.catalog == CatalogKind::Solution).then(|| TABLE_INDEX.into()),
            user_pool: USER_POOL.into(),
            app_client: crate::APP_CLIENT.into(),
            stack: STACK.into(),
            role: crate::ROLE.into(),
        }
    }
}

/// The ports of the last run, so that addresses in the catalog stay good, and whose catalog it has.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub api: u16,
    pub cdn: u16,
    /// 0 in the files of before there was one.
    #[serde(default)]
    pub site: u16,
    #[serde(default)]
    pub catalog: CatalogKind,
}

impl Ports {
    fn file(folder: &Path) -> PathBuf {
        folder.join("ports.json")
    }

    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::file(folder)).ok()?).ok()
    }

    pub fn write(self, folder: &Path) -> io::Result<()> {
        let fresh = folder.join("ports.json.new");
        std::fs::write(&fresh, serde_json::to_vec(&self)?)?;
        std::fs::rename(fresh, Self::file(folder))
    }
}

/// The lock that a running sandbox holds on its folder; let go when dropped, or when the process dies.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// `None` when another sandbox holds it.
    pub fn take(folder: &Path) -> io::Result<Option<Self>> {
        let file = File::options().create(true).truncate(false).write(true).open(folder.join("running.lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// The endpoints of the sandbox that runs on this folder, if one does.
///
/// # Errors
/// When the folder exists and its lock cannot be looked at.
pub fn find_running(folder: &Path) -> io::Result<Option<Endpoints>> {
    if !folder.exists() || Lock::take(folder)?.is_some() {
        return Ok(None);
    }
    Ok(Ports::read(folder).map(Endpoints::on))
}
