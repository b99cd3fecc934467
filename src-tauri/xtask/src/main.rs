//! `cargo xtask`: set-up, start, test, bench, package.

mod bench;
mod run;
mod setup;
mod start;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Set up, start, test, bench and package Reeldesk")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, build, and open the window on the sandbox
    Start,
    /// Install what the tests need and run them all
    Test,
    /// Write ui/src/bindings.ts from the Rust types
    Bindings,
    /// Check licenses, sources and duplicates of the dependencies (and advisories, where they can be fetched)
    Deny,
    /// Compare with a bare tool, in one run, as a ratio
    #[command(subcommand)]
    Bench(Bench),
    /// Kill and break what must survive it, again and again
    #[command(subcommand)]
    Torture(Torture),
    /// Make the installers of this platform
    Package,
}

#[derive(Subcommand)]
enum Bench {
    /// From a file to ready, against one ffmpeg command that makes the same ladder
    Ingest,
    /// `reelctl upload`, against a bare client, and against s5cmd, aws-cli, boto3 over the CRT and rclone
    Uploads {
        /// Beside the other clients too, to a Garage (builds and installs them first)
        #[arg(long)]
        peers: bool,
        /// Runs of each
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Only to these
        #[arg(long)]
        to: Vec<bench::uploads::To>,
        /// Only loads whose name has this in it, as in `4 GiB`; the result is not kept then
        #[arg(long)]
        load: Vec<String>,
    },
    /// A million videos: filling the mirror, searching, filtering, sorting and counting in it
    Catalog {
        /// How many
        #[arg(default_value_t = 1_000_000)]
        videos: u64,
    },
    /// 100,000 viewers: reading the pool, searching, counting and scrolling in its copy
    Viewers,
    /// A watch folder with 100,000 files: its first look, its memory, its idle CPU, and how soon a file is taken
    Watch,
}

#[derive(Subcommand)]
enum Torture {
    /// Uploads killed at random moments, over a line that breaks at random
    Uploads {
        /// How many
        #[arg(long, default_value_t = 50)]
        rounds: u32,
        /// The seed of an earlier run
        #[arg(long)]
        seed: Option<u64>,
        /// To a Garage, a server that is not ours (builds it first)
        #[arg(long)]
        garage: bool,
    },
    /// Many files that come at once into a watch folder, and kills at random moments
    Watch {
        /// How many times
        #[arg(long, default_value_t = 20)]
        rounds: u32,
        /// Files of each round
        #[arg(long, default_value_t = 5000)]
        files: u32,
        /// The seed of an earlier run
        #[arg(long)]
        seed: Option<u64>,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Start => start::start(),
        Task::Test => test::test(),
        Task::Bindings => test::write_bindings(),
        Task::Deny => test::deny(),
        Task::Bench(Bench::Ingest) => bench::ingest::run_rounds(),
        Task::Bench(Bench::Uploads { peers, rounds, to, load }) => {
            bench::uploads::run_rounds(peers, rounds.max(1), &to, &load)
        }
        Task::Bench(Bench::Catalog { videos }) => bench::catalog(videos),
        Task::Bench(Bench::Viewers) => bench::viewers(),
        Task::Bench(Bench::Watch) => bench::watch::run_rounds(),
        Task::Torture(Torture::Uploads { rounds, seed, garage }) => test::torture_uploads(rounds, seed, garage),
        Task::Torture(Torture::Watch { rounds, files, seed }) => test::torture_watch(rounds, files, seed),
        Task::Package => start::package(),
    }
}
