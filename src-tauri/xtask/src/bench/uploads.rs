//! `cargo xtask bench uploads`: `reelctl upload` beside the floor (a bare hyper client to a sink that discards), and
//! with `--peers` beside s5cmd, aws-cli, boto3 over the CRT, and rclone, to one and the same Garage.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::garage::{BUCKET, Garage};
use crate::run::{command, run, target};
use crate::setup;

const MIB: u64 = 1024 * 1024;
/// Name, files, bytes of each.
const LOADS: [(&str, u64, u64); 3] =
    [("1 x 2 GiB", 1, 2048 * MIB), ("1,000 x 1 MiB", 1000, MIB), ("10 x 200 MiB", 10, 200 * MIB)];
/// Uploads with the transfer manager of boto3 that runs on the CRT.
const CRT: &str = "
import os, sys, boto3
from concurrent.futures import ThreadPoolExecutor
from boto3.s3.transfer import TransferConfig
folder, prefix = sys.argv[1:]
client, config = boto3.client('s3'), TransferConfig(preferred_transfer_client='crt')
send = lambda name: client.upload_file(os.path.join(folder, name), 'bench', prefix + name, Config=config)
with ThreadPoolExecutor(16) as pool:
    list(pool.map(send, os.listdir(folder)))
";

/// What one run took: seconds, seconds of the client's CPU, MiB at the peak.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
    memory: f64,
}

pub(crate) fn run_rounds(peers: bool, rounds: usize) -> Result<()> {
    setup::for_bench()?;
    super::build()?;
    let work = target().join("bench");
    let sources = work.join("sources");
    for (index, (_, files, bytes)) in LOADS.iter().enumerate() {
        fill(&sources.join(index.to_string()), *files, *bytes)?;
    }
    floor(&work, &sources, rounds)?;
    if peers { beside_peers(&work, &sources, rounds) } else { Ok(()) }
}

/// Files of noise, where they are not there already.
fn fill(folder: &Path, files: u64, bytes: u64) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for number in 0..files {
        let path = folder.join(format!("{number:04}.bin"));
        if std::fs::metadata(&path).is_ok_and(|file| file.len() == bytes) {
            continue;
        }
        let mut noise = std::fs::File::open("/dev/urandom")?.take(bytes);
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
        std::io::copy(&mut noise, &mut file)?;
        file.flush()?;
    }
    Ok(())
}

/// Runs it under GNU time, which knows what a process took.
fn cost(program: &Path, arguments: &[String], environment: &BTreeMap<&str, String>) -> Result<Cost> {
    let mut time = Command::new("/usr/bin/time");
    time.args(["-f", "cost %e %U %S %M", "--"]).arg(program).args(arguments);
    for variable in ["AWS_CA_BUNDLE", "AWS_PROFILE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        time.env_remove(variable);
    }
    let output = time.envs(environment).stdin(Stdio::null()).stdout(Stdio::null()).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed: {told}", program.display());
    let line = told.lines().rev().find_map(|line| line.strip_prefix("cost ")).context("no answer of /usr/bin/time")?;
    let numbers = line.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let [wall, user, system, memory] = numbers[..] else { anyhow::bail!("{line}") };
    Ok(Cost { wall, cpu: user + system, memory: memory / 1024.0 })
}

/// The median of each figure.
fn median(costs: &[Cost]) -> Cost {
    let middle = |figure: fn(&Cost) -> f64| {
        let mut figures: Vec<_> = costs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    Cost { wall: middle(|cost| cost.wall), cpu: middle(|cost| cost.cpu), memory: middle(|cost| cost.memory) }
}

fn environment(endpoint: &str, key: &str, secret: &str) -> BTreeMap<&'static str, String> {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", key),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

fn reelctl(data: &Path, folder: &Path, prefix: &str) -> Result<Vec<String>> {
    let mut arguments = vec!["--data-dir".to_owned(), text(data), "--json".to_owned(), "upload".to_owned()];
    arguments.push(text(folder));
    arguments.extend(["--to".to_owned(), format!("s3://{BUCKET}/{prefix}")]);
    Ok(arguments)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A sink that discards, as a process of its own.
struct Sink {
    process: Child,
    endpoint: String,
    /// Its certificate, where it speaks TLS.
    ca: Option<PathBuf>,
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn upload_floor() -> PathBuf {
    target().join("release/upload-floor")
}

impl Sink {
    fn start(ca: Option<PathBuf>) -> Result<Self> {
        let mut process = command(upload_floor()).arg("sink").args(&ca).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("the sink has no output")?).read_line(&mut line)?;
        Ok(Self { process, endpoint: line.trim().to_owned(), ca })
    }

    /// What `reelctl` takes to send a folder here.
    fn cost_of_reelctl(&self, work: &Path, folder: &Path, prefix: &str) -> Result<Cost> {
        let data = work.join("data");
        std::fs::remove_dir_all(&data).ok();
        let mut environment = environment(&self.endpoint, "key", "secret");
        if let Some(ca) = &self.ca {
            environment.insert("AWS_CA_BUNDLE", text(ca));
        }
        cost(&target().join("release/reelctl"), &reelctl(&data, folder, prefix)?, &environment)
    }

    fn cost_of_floor(&self, file: &Path) -> Result<Cost> {
        let mut arguments = vec!["send".to_owned(), text(file), self.endpoint.clone()];
        arguments.extend(self.ca.as_deref().map(text));
        cost(&upload_floor(), &arguments, &BTreeMap::new())
    }
}

/// CPU beside a bare client, plain and over TLS; and the memory of loads that are large in their ways.
fn floor(work: &Path, sources: &Path, rounds: usize) -> Result<()> {
    for (name, ca) in [("plain", None), ("TLS", Some(work.join("ca.pem")))] {
        let sink = Sink::start(ca)?;
        let (mut bare, mut ours) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            bare.push(sink.cost_of_floor(&sources.join("0/0000.bin"))?);
            ours.push(sink.cost_of_reelctl(work, &sources.join("0"), &format!("{round}/"))?);
        }
        let (bare, ours) = (median(&bare), median(&ours));
        println!("2 GiB to a sink that discards, {name}, medians of {rounds}:");
        println!("  a bare hyper client: CPU {:.2} s, {:.0} MiB", bare.cpu, bare.memory);
        println!("  reelctl:             CPU {:.2} s, {:.0} MiB", ours.cpu, ours.memory);
        println!("  CPU ratio {:.2} (goal: at most 1.25)", ours.cpu / bare.cpu);
    }
    let sink = Sink::start(None)?;
    println!("Peak memory of reelctl (goal: at most 48 MiB):");
    for (name, files, bytes) in
        [("1 x 4 GiB", 1, 4096 * MIB), ("1,000 x 1 MiB", 1000, MIB), ("10,000 x 1 KiB", 10_000, 1024)]
    {
        let folder = sources.join(format!("memory-{files}"));
        fill(&folder, files, bytes)?;
        let memory = sink.cost_of_reelctl(work, &folder, &format!("{files}/"))?.memory;
        println!("  {name}: {memory:.0} MiB");
    }
    std::fs::remove_dir_all(sources.join("memory-1"))?;
    Ok(())
}

fn beside_peers(work: &Path, sources: &Path, rounds: usize) -> Result<()> {
    let garage = setup::garage()?;
    let python = setup::peers()?;
    let store = work.join("garage");
    std::fs::remove_dir_all(&store).ok();
    let garage = Garage::start(&garage, &store)?;
    let environment = environment(&garage.endpoint, &garage.key, &garage.secret);
    let tool = |name: &str| python.join(name);
    let s5cmd = |arguments: &[String]| {
        let mut all = vec!["--endpoint-url".to_owned(), garage.endpoint.clone()];
        all.extend_from_slice(arguments);
        all
    };
    let client = |name: &str, folder: &Path, prefix: &str| -> Result<(PathBuf, Vec<String>)> {
        let to = format!("s3://{BUCKET}/{prefix}");
        let strings = |arguments: &[&str]| arguments.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        let from = text(folder);
        Ok(match name {
            "reelctl" => {
                let data = work.join("data");
                std::fs::remove_dir_all(&data).ok();
                (target().join("release/reelctl"), reelctl(&data, folder, prefix)?)
            }
            "s5cmd" => (tool("s5cmd"), s5cmd(&strings(&["cp", &format!("{from}/"), &to]))),
            "aws-cli" => (tool("aws"), strings(&["s3", "cp", "--recursive", "--only-show-errors", &from, &to])),
            "boto3[crt]" => (tool("python"), strings(&["-c", CRT, &from, prefix])),
            _ => (
                PathBuf::from("rclone"),
                strings(&[
                    "copy",
                    "--s3-provider=Other",
                    "--s3-env-auth",
                    &format!("--s3-endpoint={}", garage.endpoint),
                    "--s3-no-check-bucket",
                    "--transfers=8",
                    &from,
                    &format!(":s3:{BUCKET}/{prefix}"),
                ]),
            ),
        })
    };
    println!("\n| load | client | MiB/s | CPU s per GiB | peak MiB |\n| --- | --- | --- | --- | --- |");
    for (index, (load, files, bytes)) in LOADS.iter().enumerate() {
        let mut costs: BTreeMap<&str, Vec<Cost>> = BTreeMap::new();
        let clients = ["reelctl", "s5cmd", "aws-cli", "boto3[crt]", "rclone"];
        for round in 0..rounds {
            for name in clients {
                let prefix = format!("{index}/{round}/{name}/");
                let (program, arguments) = client(name, &sources.join(index.to_string()), &prefix)?;
                // One that does not get on with this server is left out of the table.
                match cost(&program, &arguments, &environment) {
                    Ok(cost) => costs.entry(name).or_default().push(cost),
                    Err(error) if name != "reelctl" => {
                        eprintln!("{name}: {error:#}");
                        continue;
                    }
                    Err(error) => return Err(error),
                }
                // The disk is not for all of them at once.
                let remove = s5cmd(&["rm".to_owned(), format!("s3://{BUCKET}/{prefix}*")]);
                run(Command::new(tool("s5cmd")).args(remove).envs(&environment).stdout(Stdio::null()))?;
            }
        }
        let gib = (files * bytes) as f64 / (1024.0 * MIB as f64);
        for name in clients {
            let Some(cost) = costs.get(name).map(|costs| median(costs)) else { continue };
            let (speed, cpu) = (gib * 1024.0 / cost.wall, cost.cpu / gib);
            println!("| {load} | {name} | {speed:.0} | {cpu:.2} | {:.0} |", cost.memory);
        }
    }
    Ok(())
}
