//! Uploads over a line of 20 Mbit/s, 80 ms and 1 % loss, between two network namespaces.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::clients::Client;
use super::cost::{self, Cost, Spread};
use super::servers::{Server, Sink, within};
use super::{Load, MIB};
use crate::run::target;

const NEAR: &str = "reeldesk-near";
const FAR: &str = "reeldesk-far";
const FAR_ADDRESS: &str = "198.18.0.2";
const MBIT: u64 = 20;
const DELAY: &str = "80";
const LOSS: &str = "1";
/// What a packet of 1,500 bytes carries of a file: IPv4, TCP and its timestamps take 52.
const PAYLOAD: f64 = 1448.0 / 1500.0;
const ONE: Load = Load { name: "1 x 128 MiB", files: 1, bytes: 128 * MIB };
/// Ours alone: the others would take half an hour.
const LONG: Load = Load { name: "1 x 1 GiB", files: 1, bytes: 1024 * MIB };
const TWO: Load = Load { name: "2 x 64 MiB", files: 2, bytes: 64 * MIB };
const CUT: Duration = Duration::from_secs(30);
/// When it is cut.
const CUT_AFTER: Duration = Duration::from_secs(20);

/// The line, until it is dropped.
struct Line(Child);

impl Line {
    /// Makes it; answers with TCP's congestion control too.
    fn make() -> Result<(Self, String)> {
        let mut line = Command::new(target().join("release/slow-line"));
        let line = line.args([&MBIT.to_string(), DELAY, LOSS]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = Self(line);
        let mut ready = String::new();
        BufReader::new(line.0.stdout.take().context("no output")?).read_line(&mut ready)?;
        let control = ready.trim().strip_prefix("ready ").context("the slow line could not be made: are you root?")?;
        Ok((line, control.to_owned()))
    }

    fn cut(&mut self) -> Result<()> {
        let input = self.0.stdin.as_mut().context("no input")?;
        Ok(writeln!(input, "cut {}", CUT.as_secs())?)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // It takes its namespaces away when its input ends.
        drop(self.0.stdin.take());
        self.0.wait().ok();
    }
}

/// The share of the line's limit that a run took.
fn share(load: Load, wall: f64) -> f64 {
    (load.files * load.bytes) as f64 * 8.0 / PAYLOAD / (MBIT as f64 * 1e6) / wall
}

/// Measures, and answers in paragraphs.
pub(super) fn measure(work: &Path, clients: &[Client], rounds: usize) -> Result<String> {
    let (mut line, control) = Line::make()?;
    let server = Server::Sink(Sink::start(Some(FAR), FAR_ADDRESS, None)?);
    let sources = work.join("sources");
    let (one, two) = (ONE.folder(&sources)?, TWO.folder(&sources)?);
    let mut text = format!(
        "A line of {MBIT} Mbit/s, {DELAY} ms there and back and {LOSS} % loss each way between two \
         network namespaces (packets of 1,500 bytes, TCP with {control}), to the sink. *Share*: of what the line can carry of a \
         file.\n\n| load | client | share (least to most) | seconds |\n| --- | --- | --- | --- |\n"
    );
    let run = |client: &Client, folder: &Path, prefix: &str| -> Result<(Cost, String)> {
        let command = client.command(&server, folder, prefix, work)?;
        let mut inside = within(Some(NEAR), Path::new(command.get_program()));
        inside.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        cost::timed(inside)
    };
    let ours = clients.iter().find(|client| client.is_ours()).context("reelctl is among them")?;
    let others = clients.iter().filter(|client| client.is_peer());
    let mut alone = f64::NAN;
    for (load, client, rounds) in
        [(ONE, ours, rounds.min(3)), (LONG, ours, 1)].into_iter().chain(others.map(|one| (ONE, one, 1)))
    {
        let mut costs = Vec::new();
        for round in 0..rounds {
            match run(client, &load.folder(&sources)?, &format!("{}/{round}/{}/", load.bytes, client.name())) {
                Ok((cost, told)) => {
                    eprintln!("slow line, {} {}: {:.1} s", load.name, client.name(), cost.wall);
                    ensure!(!client.is_ours() || told.contains("\"bytesResent\":0"), "a part was sent twice: {told}");
                    costs.push(cost);
                }
                Err(error) if client.is_peer() => eprintln!("slow line, {}: {error:#}", client.name()),
                Err(error) => return Err(error),
            }
        }
        if costs.is_empty() {
            continue;
        }
        let (shares, wall) = (Spread::of(&costs, |cost| share(load, cost.wall)), Spread::of(&costs, |cost| cost.wall));
        if client.is_ours() && load.bytes == ONE.bytes {
            alone = wall.median;
        }
        writeln!(
            text,
            "| {} | {} | {:.2} ({:.2} to {:.2}) | {:.0} |",
            load.name,
            client.name(),
            shares.median,
            shares.least,
            shares.most,
            wall.median
        )?;
    }
    let (cost, told) = run(ours, &two, "two/")?;
    let (first, second) = ends(&told)?;
    writeln!(text, "| {} | reelctl | {:.2} | {:.0} |", TWO.name, share(TWO, cost.wall), cost.wall)?;
    writeln!(
        text,
        "\nOf two files at once, the first had arrived when the second had {:.0} % of its bytes on the line.",
        { 100.0 * first / second }
    )?;
    let (cut, sent) = std::thread::scope(|threads| {
        let cut = threads.spawn(|| {
            std::thread::sleep(CUT_AFTER);
            line.cut()
        });
        let sent = run(ours, &one, "cut/");
        (cut.join(), sent)
    });
    cut.map_err(|_| anyhow::anyhow!("the line could not be cut"))??;
    let (cost, _) = sent?;
    writeln!(
        text,
        "A cut of {} s in the middle cost {:.0} s beyond itself.",
        CUT.as_secs(),
        cost.wall - alone - CUT.as_secs_f64()
    )?;
    Ok(text)
}

/// Of two files: the bytes that the second one had sent when the first had arrived, and all of its bytes.
fn ends(told: &str) -> Result<(f64, f64)> {
    let field = |line: &str, field: &str| -> Option<String> {
        let (_, rest) = line.split_once(&format!("\"{field}\":"))?;
        Some(rest.split([',', '}']).next()?.to_owned())
    };
    let number = |line: &str, name: &str| field(line, name)?.parse::<f64>().ok();
    let lines: Vec<_> = told.lines().collect();
    let first = lines.iter().position(|line| line.contains("\"uploaded\"")).context("no file arrived")?;
    let path = field(lines[first], "path");
    let other = lines[..first].iter().rev().find(|line| line.contains("\"sending\"") && field(line, "path") != path);
    let sent = other.and_then(|line| Some(number(line, "stored")? + number(line, "inFlight")?)).unwrap_or(0.0);
    Ok((sent, TWO.bytes as f64))
}
