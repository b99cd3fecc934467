//! `cargo xtask bench`: side by side with what others do, in one run, as ratios.

#[path = "../../../tests/support/garage.rs"]
mod garage;
pub(crate) mod ingest;
pub(crate) mod uploads;
pub(crate) mod watch;

use anyhow::Result;

use crate::run::{cargo, command, run, target};
use crate::setup;

/// What 100,000 viewers cost.
pub(crate) fn viewers() -> Result<()> {
    setup::for_start()?;
    build()?;
    run(&mut command(target().join("release/viewers-bench")))
}

/// What so many videos cost.
pub(crate) fn catalog(videos: u64) -> Result<()> {
    setup::for_start()?;
    build()?;
    run(command(target().join("release/catalog-bench")).arg(videos.to_string()))
}

/// Builds what is measured: the same choice of packages and features as everywhere, so that nothing is built twice.
fn build() -> Result<()> {
    run(cargo().args(["build", "--release", "--workspace", "--bins", "--features", "reeldesk/custom-protocol"]))
}
