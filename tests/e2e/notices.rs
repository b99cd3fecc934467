//! dunst: what shows notices on a screen without a desktop.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use reeldesk_tests::Ended;
use serde_json::Value;

pub(crate) struct Notices(#[expect(dead_code, reason = "it ends with the test")] Ended);

fn dunstctl(arguments: &[&str]) -> Result<String> {
    let output = Command::new("dunstctl").args(arguments).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

impl Notices {
    pub fn start() -> Result<Self> {
        Ok(Self(Ended(Command::new("dunst").stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)))
    }

    pub async fn wait_for_one(&self, most: Duration) -> Result<()> {
        let deadline = Instant::now() + most;
        while dunstctl(&["count", "displayed"])? != "1" {
            ensure!(Instant::now() < deadline, "no notice is shown");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Clicks the one that is shown.
    pub fn click(&self) -> Result<()> {
        dunstctl(&["action"]).map(drop)
    }

    /// The texts of all that were shown.
    pub fn told(&self) -> Result<Vec<String>> {
        dunstctl(&["close-all"])?;
        let history: Value = serde_json::from_str(&dunstctl(&["history"])?)?;
        let shown = history["data"][0].as_array().cloned().unwrap_or_default();
        let text = |one: &Value, part: &str| one[part]["data"].as_str().unwrap_or_default().to_owned();
        Ok(shown.iter().map(|one| format!("{}: {}", text(one, "summary"), text(one, "body"))).collect())
    }
}
