//! `cargo xtask bench uploads`: `reelctl upload` beside the floor (a bare hyper client), and with `--peers` beside s5cmd,
//! rclone, aws-cli and boto3 over the CRT: to Garage, to a sink that discards, and over a slow line. The whole of it is
//! written to `docs/benchmarks.md`.

mod clients;
mod cost;
mod servers;
mod slow_line;
mod table;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use crate::run::{root, target};
use crate::setup;
use clients::Client;
use cost::Cost;
use servers::Server;
use table::Table;

const MIB: u64 = 1024 * 1024;

/// Files of one size in a folder.
#[derive(Clone, Copy)]
struct Load {
    name: &'static str,
    files: u64,
    /// Of each.
    bytes: u64,
}

impl Load {
    fn gib(self) -> f64 {
        (self.files * self.bytes) as f64 / (1024 * MIB) as f64
    }

    /// Its folder, filled with noise where it is not there already.
    fn folder(self, sources: &Path) -> Result<PathBuf> {
        let folder = sources.join(format!("{}-{}", self.files, self.bytes));
        std::fs::create_dir_all(&folder)?;
        for number in 0..self.files {
            let path = folder.join(format!("{number:05}.bin"));
            if std::fs::metadata(&path).is_ok_and(|file| file.len() == self.bytes) {
                continue;
            }
            let mut noise = std::fs::File::open("/dev/urandom")?.take(self.bytes);
            let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
            std::io::copy(&mut noise, &mut file)?;
            file.flush()?;
        }
        Ok(folder)
    }
}

const LOADS: [Load; 4] = [
    Load { name: "1 x 4 GiB", files: 1, bytes: 4096 * MIB },
    Load { name: "10 x 200 MiB", files: 10, bytes: 200 * MIB },
    Load { name: "1,000 x 1 MiB", files: 1000, bytes: MIB },
    Load { name: "10,000 x 64 KiB", files: 10_000, bytes: 64 * 1024 },
];

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum To {
    /// Garage on this computer
    Garage,
    /// A sink that discards
    Sink,
    /// The same over TLS
    Tls,
    /// A sink behind 20 Mbit/s, 80 ms and 1 % loss (Linux, as root)
    SlowLine,
}

impl To {
    fn title(self) -> &'static str {
        match self {
            Self::Garage => "To Garage",
            Self::Sink => "To a sink that discards",
            Self::Tls => "To a sink that discards, over TLS",
            Self::SlowLine => "Over a slow line",
        }
    }
}

/// Measures. What was measured whole, beside the others, takes its place in `docs/benchmarks.md`.
pub(crate) fn run_rounds(peers: bool, rounds: usize, only: &[To], loads: &[String]) -> Result<()> {
    setup::for_bench()?;
    super::build()?;
    let work = target().join("bench");
    let clients = Client::all(if peers { Some(setup::peers()?) } else { None });
    for to in [To::Garage, To::Sink, To::Tls, To::SlowLine] {
        if !only.is_empty() && !only.contains(&to) || to == To::Garage && !peers {
            continue;
        }
        let measured = if to == To::SlowLine {
            slow_line::measure(&work, &clients, rounds)?
        } else {
            let (server, mut table) = (Server::start(to, &work)?, Table::default());
            for load in LOADS {
                if loads.is_empty() || loads.iter().any(|name| load.name.contains(name.as_str())) {
                    let folder = load.folder(&work.join("sources"))?;
                    table.add(load, beside(&server, &clients, load, &folder, &work, rounds)?);
                }
            }
            table.text()?
        };
        let section = table::section(to.title(), &measured, &clients);
        println!("{section}");
        if peers && loads.is_empty() {
            keep(to, &section)?;
        }
    }
    Ok(())
}

/// Puts a section in the place of the one of the run before.
fn keep(to: To, section: &str) -> Result<()> {
    let page = root().join("docs/benchmarks.md");
    let before = std::fs::read_to_string(&page).unwrap_or_default();
    let title = format!("## {}\n", to.title());
    let mut sections: Vec<String> =
        before.split("\n## ").skip(1).map(|old| format!("## {}\n", old.trim_end())).collect();
    match sections.iter_mut().find(|old| old.starts_with(&title)) {
        Some(old) => section.clone_into(old),
        None => sections.push(section.to_owned()),
    }
    std::fs::create_dir_all(root().join("docs"))?;
    std::fs::write(&page, format!("{}\n{}", table::HEAD, sections.join("\n"))).context("docs/benchmarks.md")
}

/// Runs of each client, in turn within each round; another one begins each time. A client that does not get on with the
/// server is left out, and says why.
fn beside<'a>(
    server: &Server,
    clients: &'a [Client],
    load: Load,
    folder: &Path,
    work: &Path,
    rounds: usize,
) -> Result<Vec<(&'a Client, Vec<Cost>)>> {
    let mut costs: Vec<(&Client, Vec<Cost>)> =
        clients.iter().filter(|client| client.takes(server, load)).map(|client| (client, Vec::new())).collect();
    for round in 0..rounds {
        let count = costs.len();
        for index in 0..count {
            let (client, costs) = &mut costs[(round + index) % count];
            if round > 0 && costs.is_empty() {
                continue;
            }
            let prefix = format!("{}/{round}/{}/", load.files, client.name());
            let command = client.command(server, folder, &prefix, work)?;
            match cost::of(command, server) {
                Ok(cost) => {
                    eprintln!("{} {}: {:.2} s", load.name, client.name(), cost.wall);
                    costs.push(cost);
                }
                Err(error) if client.is_peer() => eprintln!("{} {}: {error:#}", load.name, client.name()),
                Err(error) => return Err(error),
            }
            server.empty(&prefix, clients)?;
        }
    }
    costs.retain(|(_, costs)| !costs.is_empty());
    Ok(costs)
}
