//! What kind of disk a folder is on.

use std::path::Path;

/// What a disk can be trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    /// Whether it may change without this computer hearing of it.
    pub is_remote: bool,
    /// Whether a file's identity outlives the disk's next mount.
    pub keeps_ids: bool,
}

#[cfg(target_os = "linux")]
impl Disk {
    /// Where this folder is. Names of file systems as in proc(5) `mountinfo`.
    pub fn of(folder: &Path) -> Self {
        /// Those of other computers, and of programs.
        const REMOTE: [&str; 17] = [
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "smbfs",
            "ncpfs",
            "afs",
            "9p",
            "ceph",
            "glusterfs",
            "lustre",
            "beegfs",
            "vboxsf",
            "vmhgfs",
            "virtiofs",
            "prl_fs",
            "fuse",
        ];
        /// Those that number their files anew at each mount.
        const NUMBERED_ANEW: [&str; 4] = ["vfat", "msdos", "exfat", "fuseblk"];
        let kind = mount_of(folder).map(|mount| mount.fs_type).unwrap_or_default();
        let is_remote = REMOTE.contains(&kind.as_str()) || kind.starts_with("fuse.");
        Self { is_remote, keeps_ids: !is_remote && !NUMBERED_ANEW.contains(&kind.as_str()) }
    }
}

/// What is mounted where this folder is.
#[cfg(target_os = "linux")]
pub(super) fn mount_of(folder: &Path) -> Option<procfs::process::MountInfo> {
    let mounts = procfs::process::Process::myself().and_then(|process| process.mountinfo());
    let above = mounts.into_iter().flatten().filter(|mount| folder.starts_with(&mount.mount_point));
    // Of two at one place the later one hides the other; the last of the largest is taken.
    above.max_by_key(|mount| mount.mount_point.as_os_str().len())
}

#[cfg(not(target_os = "linux"))]
impl Disk {
    /// Where this folder is. What is not known shows by itself: what was not heard of is found by a look.
    pub fn of(folder: &Path) -> Self {
        let is_remote = cfg!(windows) && folder.as_os_str().to_string_lossy().starts_with(r"\\");
        Self { is_remote, keeps_ids: !is_remote }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_disk_of_this_computer() {
        let here = Disk::of(&std::env::temp_dir().canonicalize().unwrap());
        assert!(!here.is_remote && here.keeps_ids, "{here:?}");
    }
}
