//! What was measured, as a page.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::Result;

use super::Load;
use super::clients::Client;
use super::cost::{Cost, Spread};

/// What stands above all sections.
pub(super) const HEAD: &str = "# What uploads cost

Written by `cargo xtask bench uploads --peers`. Client and server share one computer, so only the ratios of one run mean
anything.
";

#[derive(Default)]
pub(super) struct Table {
    rows: String,
    rounds: usize,
}

impl Table {
    /// Adds the clients' costs of one load.
    pub fn add(&mut self, load: Load, costs: Vec<(&Client, Vec<Cost>)>) {
        let gib = load.gib();
        let speed = |costs: &[Cost]| Spread::of(costs, |cost| gib * 1024.0 / cost.wall);
        let best = costs.iter().filter(|(client, _)| client.is_peer()).map(|(_, costs)| speed(costs).median);
        let best = best.fold(f64::NAN, f64::max);
        for (index, (client, costs)) in costs.iter().enumerate() {
            self.rounds = self.rounds.max(costs.len());
            let load = if index == 0 { load.name } else { "" };
            let speed = speed(costs);
            let median = |figure: fn(&Cost) -> f64| Spread::of(costs, figure).median;
            let (cpu, server_cpu) = (median(|cost| cost.cpu) / gib, median(|cost| cost.server_cpu) / gib);
            let line = median(|cost| cost.line) / (gib * (1u64 << 30) as f64);
            let ratio = speed.median / best;
            let ratio = if ratio.is_nan() { "-".to_owned() } else { format!("{ratio:.2}") };
            writeln!(
                self.rows,
                "| {load} | {} | {:.0} ({:.0} to {:.0}) | {ratio} | {cpu:.2} | {server_cpu:.2} | {:.0} | {line:.3} |",
                client.name(),
                speed.median,
                speed.least,
                speed.most,
                median(|cost| cost.memory),
            )
            .ok();
        }
    }

    pub fn text(&self) -> Result<String> {
        let mut text = String::new();
        write!(
            text,
            "Medians of {} runs, the clients in turn within each round; of the speed also the slowest and the fastest. *Of \
             the best*: the speed beside that of the best peer. *Line*: bytes on the line for each byte of the files.\n\n\
             | load | client | MiB/s | of the best | client CPU s/GiB | server CPU s/GiB | peak MiB | line |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- |\n{}",
            self.rounds, self.rows,
        )?;
        Ok(text)
    }
}

/// What was measured, under a title, with where and when that was.
pub(super) fn section(title: &str, measured: &str, clients: &[Client]) -> String {
    let versions: Vec<_> = clients.iter().filter_map(Client::version).collect();
    format!(
        "## {title}\n\n{}, {}, {}; {}.\n\n{measured}",
        first_line("date", &["-u", "+%F"]),
        processor(),
        first_line("uname", &["-sr"]),
        versions.join("; "),
    )
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(|_| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn processor() -> String {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{}, {cores} cores", name.map_or("unknown", |(_, name)| name))
}
