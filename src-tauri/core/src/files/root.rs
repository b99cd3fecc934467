//! Which folder a path leads to: after a disk was unmounted, or another one was mounted in its place, the same path leads to
//! another folder.

use std::path::Path;

use file_id::FileId;

use super::unreadable;
use crate::{Error, Result};

/// A folder as it is at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    /// The volume that it lies on, by a name that outlives a mount; empty where the system tells none.
    pub volume: String,
    id: FileId,
}

impl Root {
    /// The folder that is there and can be read.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub fn of(path: &Path) -> Result<Self> {
        let id = file_id::get_file_id(path).and_then(|id| std::fs::read_dir(path).map(|_| id));
        let id = id.map_err(|error| Error {
            remedy: "Connect its disk or give your user read permission on it; it goes on by itself then.".to_owned(),
            ..unreadable(path, &error)
        })?;
        let volume = match id {
            // The device's number changes from one mount to the next: the volume's own name is asked for.
            FileId::Inode { .. } => volume(path),
            FileId::LowRes { volume_serial_number, .. } => volume_serial_number.to_string(),
            FileId::HighRes { volume_serial_number, .. } => volume_serial_number.to_string(),
        };
        Ok(Self { volume, id })
    }

    /// Whether it lies on this volume, as far as anyone can tell.
    pub fn is_on(&self, volume: &str) -> bool {
        volume.is_empty() || self.volume.is_empty() || self.volume == volume
    }
}

/// File systems whose id (statvfs(3), `f_fsid`) is made of their UUID.
#[cfg(target_os = "linux")]
const OF_UUID: [&str; 4] = ["ext2", "ext3", "ext4", "btrfs"];

/// The volume that a folder lies on: its UUID where the system knows one, otherwise what is mounted there.
#[cfg(target_os = "linux")]
fn volume(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let Some(mount) = super::disk::mount_of(&path) else { return String::new() };
    // Some say it of themselves, always in the same way.
    if OF_UUID.contains(&mount.fs_type.as_str()) {
        let id = rustix::fs::statvfs(&path).map_or(0, |about| about.f_fsid);
        return format!("{} {id:x}", mount.fs_type);
    }
    let source = mount.mount_source.unwrap_or_default();
    if !source.starts_with("/dev/") {
        return format!("{} {source}", mount.fs_type);
    }
    // The name of a device changes from one start to the next: only the list of UUIDs helps.
    let device = std::fs::canonicalize(&source).ok();
    let uuids = std::fs::read_dir("/dev/disk/by-uuid").into_iter().flatten().flatten();
    let is_it = |entry: &std::fs::DirEntry| device.is_some() && std::fs::canonicalize(entry.path()).ok() == device;
    let uuid = uuids.into_iter().find(is_it);
    uuid.map(|uuid| uuid.file_name().to_string_lossy().into_owned()).unwrap_or_default()
}

/// The others tell of a volume by a number that is new at each mount, if at all.
#[cfg(not(target_os = "linux"))]
fn volume(_: &Path) -> String {
    String::new()
}
