//! What one run of a client takes.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::servers::Server;

/// Seconds, seconds of CPU, MiB at the peak, bytes on the line.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    pub wall: f64,
    pub cpu: f64,
    pub server_cpu: f64,
    pub memory: f64,
    pub line: f64,
}

/// The smallest, the one in the middle, and the largest.
pub(super) struct Spread {
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(costs: &[Cost], figure: impl Fn(&Cost) -> f64) -> Self {
        let mut figures: Vec<_> = costs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
        Self { least: at(0), median: at(figures.len() / 2), most: at(figures.len().saturating_sub(1)) }
    }
}

/// Runs it under GNU time, which knows what a process took.
pub(super) fn of(command: Command, server: &Server) -> Result<Cost> {
    let (cpu_before, line_before) = (server.cpu()?, bytes_of_loopback()?);
    let (mut cost, _) = timed(command)?;
    cost.server_cpu = server.cpu()? - cpu_before;
    cost.line = bytes_of_loopback()? - line_before;
    Ok(cost)
}

/// What it took, and what it printed.
pub(super) fn timed(command: Command) -> Result<(Cost, String)> {
    let mut time = Command::new("/usr/bin/time");
    time.args(["-f", "cost %e %U %S %M", "--"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => time.env(name, value),
            None => time.env_remove(name),
        };
    }
    let output = time.stdin(Stdio::null()).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{told}");
    let line = told.lines().rev().find_map(|line| line.strip_prefix("cost ")).context("no answer of /usr/bin/time")?;
    let numbers = line.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let [wall, user, system, memory] = numbers[..] else { anyhow::bail!("{line}") };
    let cost = Cost { wall, cpu: user + system, server_cpu: 0.0, memory: memory / 1024.0, line: 0.0 };
    Ok((cost, String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// Seconds of CPU that a process has used. Source: proc_pid_stat(5).
pub(super) fn cpu_of(process: u32) -> Result<f64> {
    /// `sysconf(_SC_CLK_TCK)` of every Linux.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("stat"))?;
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|ticks| ticks.parse::<f64>().ok()).context("a stat");
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// Bytes that the loopback has carried.
fn bytes_of_loopback() -> Result<f64> {
    let devices = std::fs::read_to_string("/proc/net/dev")?;
    let line = devices.lines().find_map(|line| line.trim().strip_prefix("lo:")).context("there is no loopback")?;
    line.split_whitespace().next().context("no count")?.parse().context("no count")
}
