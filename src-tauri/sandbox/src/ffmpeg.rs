//! The ffmpeg programs of this machine.

use std::path::PathBuf;

/// Where `ffmpeg` and `ffprobe` are.
#[derive(Clone, Debug)]
pub(crate) struct Ffmpeg {
    pub ffmpeg: PathBuf,
    pub ffprobe: PathBuf,
}

impl Ffmpeg {
    /// Looks on the `PATH`.
    pub fn find() -> Option<Self> {
        Some(Self { ffmpeg: on_path("ffmpeg")?, ffprobe: on_path("ffprobe")? })
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(&name))
        .find(|candidate| candidate.is_file())
}

/// Whether this machine can encode: `ffmpeg` and `ffprobe` are on the `PATH`.
#[must_use]
pub fn ffmpeg_is_installed() -> bool {
    Ffmpeg::find().is_some()
}
