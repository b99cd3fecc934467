//! One window of the app, with its driver.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use reeldesk_tests::{Ended, binary};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

/// One screen, one mouse: the windows of one test process take turns.
static SCREEN: Mutex<()> = Mutex::const_new(());

pub(crate) struct Window {
    pub client: Client,
    _driver: Ended,
    app: App,
    _turn: MutexGuard<'static, ()>,
}

/// The app, which does not outlive its test: what one leaves open, its sandbox too, would fail the next.
struct App(PathBuf);

impl App {
    fn signal(&self, signal: &str) {
        Command::new("pkill").arg(signal).arg("-f").arg(&self.0).status().ok();
    }

    fn runs(&self) -> bool {
        let found = Command::new("pgrep").arg("-f").arg(&self.0).stdout(Stdio::null()).status();
        // Where it cannot be asked, nothing says that it has ended.
        found.map_or(true, |status| status.success())
    }

    fn ends_within(&self, most: Duration) -> bool {
        let deadline = Instant::now() + most;
        while self.runs() {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        true
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.signal("-TERM");
        if !self.ends_within(Duration::from_secs(20)) {
            self.signal("-KILL");
            self.ends_within(Duration::from_secs(5));
        }
    }
}

impl Window {
    /// Opens the app on a data folder.
    pub async fn open(data: &Path, more: &[&str]) -> Result<Self> {
        Self::open_in(data, more, &[]).await
    }

    /// The same with environment variables.
    pub async fn open_in(data: &Path, more: &[&str], environment: &[(&str, &str)]) -> Result<Self> {
        let turn = SCREEN.lock().await;
        let (port, native) = (free_port()?, free_port()?);
        let driver = std::env::var("REELDESK_TAURI_DRIVER").context("run the tests with `cargo xtask test`")?;
        let driver = Command::new(driver)
            .args(["--port", &port.to_string(), "--native-port", &native.to_string()])
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let driver = Ended(driver);
        let process = binary("reeldesk")?;
        let mut arguments = vec!["--data-dir".to_owned(), data.to_string_lossy().into_owned()];
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        let options = json!({ "application": process, "args": arguments });
        let capabilities = serde_json::Map::from_iter([("tauri:options".to_owned(), options)]);
        let deadline = Instant::now() + Duration::from_secs(40);
        let client = loop {
            let mut builder = ClientBuilder::rustls()?;
            match builder.capabilities(capabilities.clone()).connect(&format!("http://127.0.0.1:{port}")).await {
                Ok(client) => break client,
                Err(error) if Instant::now() > deadline => bail!("no session: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        };
        Ok(Self { client, app: App(process), _driver: driver, _turn: turn })
    }

    /// Waits for an element.
    pub async fn wait_for(&self, xpath: &str, most: Duration) -> Result<Element> {
        let found = self.client.wait().at_most(most).for_element(Locator::XPath(xpath)).await;
        if found.is_err() {
            self.picture("failed").await;
            eprintln!("{}", self.fault().await.unwrap_or_default());
        }
        found.with_context(|| format!("{xpath} did not appear"))
    }

    /// Clicks an element once it is there; what moves or is drawn anew in this moment is looked for again.
    pub async fn click(&self, xpath: &str) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let element = self.wait_for(xpath, Duration::from_secs(20)).await?;
            let clicked = match self.takes_clicks(&element).await {
                Ok(false) => None,
                Ok(true) => Some(element.click().await),
                Err(error) => Some(Err(error)),
            };
            match clicked {
                Some(Ok(())) => return Ok(()),
                None if Instant::now() > deadline => {
                    self.picture("failed").await;
                    bail!("{xpath} stays disabled, or something lies over it");
                }
                Some(Err(error)) if Instant::now() > deadline => bail!("{xpath} was not clicked: {error:?}"),
                None => {}
                Some(Err(error)) => eprintln!("{xpath} is clicked again: {error:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A click on what is disabled, or on what takes none while it scrolls, is no error of WebDriver's: nothing happens.
    async fn takes_clicks(&self, element: &Element) -> Result<bool, CmdError> {
        const TAKES_CLICKS: &str = "
            const [element] = arguments;
            const before = element.getBoundingClientRect();
            element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
            const { left, top, width, height } = element.getBoundingClientRect();
            // A list that scrolls takes no clicks from its next frame on, until it stands still.
            if (left !== before.left || top !== before.top) return false;
            if (width === 0 || height === 0) return true;
            const hit = document.elementFromPoint(left + width / 2, top + height / 2);
            return element.contains(hit) || (hit?.closest('label')?.contains(element) ?? false);";
        if !element.is_enabled().await? {
            return Ok(false);
        }
        let answer = self.client.execute(TAKES_CLICKS, vec![serde_json::to_value(element)?]).await?;
        Ok(answer == Value::Bool(true))
    }

    pub async fn script(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Waits until a script's answer is what it should be.
    pub async fn until(&self, script: &str, most: Duration, good: impl Fn(&Value) -> bool) -> Result<()> {
        let deadline = Instant::now() + most;
        loop {
            let value = self.script(script).await?;
            if good(&value) {
                return Ok(());
            }
            if Instant::now() > deadline {
                self.picture("failed").await;
                bail!("{script} answers {value}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Drops files on the middle of the window, with the mouse. Debian's Python is the one that has GTK.
    pub async fn drop(&self, files: &[PathBuf]) -> Result<()> {
        let helper = Path::new(env!("CARGO_MANIFEST_DIR")).join("support/drag-files.py");
        let mut command = Command::new("/usr/bin/python3");
        command.arg(helper).args(["600", "450"]).args(files);
        let status = tokio::task::spawn_blocking(move || command.status()).await??;
        ensure!(status.success(), "the drag did not end");
        Ok(())
    }

    /// Chooses a file in a dialog of the system, by the keyboard.
    pub async fn choose(&self, title: &str, file: &Path) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let dialog = loop {
            if let Some(dialog) = named(title)? {
                break dialog;
            }
            ensure!(Instant::now() < deadline, "no dialog \"{title}\" opens");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let path = file.to_str().context("a path that can be typed")?;
        xdotool(&["windowfocus", "--sync", &dialog])?;
        // GTK's line for a path opens by this key; what is typed before it is there is lost.
        xdotool(&["key", "--delay", "300", "ctrl+l", "ctrl+a"])?;
        xdotool(&["type", "--delay", "50", path])?;
        // The first one may go to the list of what could be meant. One too many would press the button that the dialog came from.
        while named(title)?.is_some() {
            ensure!(Instant::now() < deadline, "the dialog stays");
            xdotool(&["key", "Return"])?;
            let closes = Instant::now() + Duration::from_secs(3);
            while named(title)?.is_some() && Instant::now() < closes {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    /// Asks the window to close, as the button in its frame does.
    pub async fn ask_to_close(&self) -> Result<()> {
        screen(&["close", &window_on_the_screen()?.context("the window is not on the screen")?])
    }

    /// Waits until it is on the screen no longer; the app may go on.
    pub async fn is_hidden(&self, most: Duration) -> Result<()> {
        let deadline = Instant::now() + most;
        while on_the_screen()? {
            ensure!(Instant::now() < deadline, "the window stays on the screen");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Waits until it is on the screen.
    pub async fn is_shown(&self, most: Duration) -> Result<()> {
        let deadline = Instant::now() + most;
        while !on_the_screen()? {
            ensure!(Instant::now() < deadline, "the window does not come back");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Takes the keyboard away from it, as another window would.
    pub async fn blur(&self) -> Result<()> {
        screen(&["blur"])?;
        self.until("return document.hasFocus()", Duration::from_secs(10), |focus| *focus == false).await
    }

    /// Waits until the app has ended by itself.
    pub async fn ended(self, most: Duration) -> Result<()> {
        let deadline = Instant::now() + most;
        while self.app.runs() {
            ensure!(Instant::now() < deadline, "the app runs on");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.client.close().await.ok();
        Ok(())
    }

    /// What the screen shows where an element is: WebDriver's own pictures leave out films.
    pub async fn picture_of(&self, css: &str) -> Result<Vec<u8>> {
        let script = format!(
            "const r = document.querySelector('{css}').getBoundingClientRect(); return [r.x, r.y, r.width, r.height];"
        );
        let place: Vec<f64> = serde_json::from_value(self.script(&script).await?)?;
        let [x, y, width, height] = place[..] else { bail!("{css} has no place") };
        capture(&format!("{width:.0}x{height:.0}+{x:.0}+{y:.0}")).await
    }

    /// Looks with axe-core for what keeps people out who use it by ear or by keyboard, in light and in dark.
    ///
    /// # Panics
    /// When there is something serious.
    pub async fn is_accessible(&self, what: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(file).expect("axe-core is installed with the page's packages");
        self.script(&axe).await.unwrap();
        for scheme in ["light", "dark"] {
            // As the style sheet does for a system that is dark.
            let (light, dark) = if scheme == "dark" { (" ", "initial") } else { ("initial", " ") };
            let set = format!(
                "const style = document.documentElement.style; style.colorScheme = '{scheme}';
                 style.setProperty('--lightningcss-light', '{light}'); style.setProperty('--lightningcss-dark', '{dark}');"
            );
            self.script(&set).await.unwrap();
            let run = "const done = arguments[0]; const serious = ['serious', 'critical'];
                axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations
                  .filter((one) => serious.includes(one.impact))
                  .map((one) => [one.id, one.help, ...one.nodes.map((node) => node.failureSummary + node.html).slice(0, 5)])));";
            let found = self.client.execute_async(run, Vec::new()).await.unwrap();
            if scheme == "dark" {
                self.picture(&format!("{what}-dark")).await;
            }
            assert_eq!(found, serde_json::json!([]), "{what} in {scheme}: {found:#}");
        }
        self.script("document.documentElement.removeAttribute('style');").await.unwrap();
    }

    /// Leaves a picture where `cargo xtask test` was told to keep them.
    pub async fn picture(&self, name: &str) {
        let Ok(folder) = std::env::var("REELDESK_PICTURES") else { return };
        // What was changed last is on the screen after the second frame.
        let drawn = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()));";
        self.client.execute_async(drawn, Vec::new()).await.ok();
        if let Ok(png) = capture("1180x760+0+0").await {
            std::fs::write(Path::new(&folder).join(format!("{name}.png")), png).ok();
        }
    }

    /// Ends the app at once, as a crash would.
    pub async fn kill(self) {
        self.app.signal("-KILL");
        self.client.close().await.ok();
    }

    /// The fault of the page itself, if it had one.
    async fn fault(&self) -> Option<String> {
        let fault = self.script("return document.querySelector('.fault')?.textContent ?? null").await;
        fault.ok()?.as_str().map(str::to_owned)
    }

    /// Closes it, unless the page failed meanwhile.
    pub async fn close(self) {
        if let Some(fault) = self.fault().await {
            panic!("the page failed: {fault}");
        }
        self.client.close().await.ok();
    }
}

/// Whether the app's window is on the screen.
pub(crate) fn on_the_screen() -> Result<bool> {
    Ok(window_on_the_screen()?.is_some())
}

fn window_on_the_screen() -> Result<Option<String>> {
    named("Reeldesk")
}

fn xdotool(arguments: &[&str]) -> Result<()> {
    ensure!(Command::new("xdotool").args(arguments).status()?.success(), "xdotool did not do {arguments:?}");
    Ok(())
}

/// The window of a name that is on the screen.
fn named(name: &str) -> Result<Option<String>> {
    let found = Command::new("xdotool").args(["search", "--onlyvisible", "--name", &format!("^{name}$")]).output()?;
    Ok(String::from_utf8(found.stdout)?.lines().next().map(str::to_owned))
}

/// What a desktop does with windows.
fn screen(arguments: &[&str]) -> Result<()> {
    let helper = Path::new(env!("CARGO_MANIFEST_DIR")).join("support/screen.py");
    let status = Command::new("/usr/bin/python3").arg(helper).args(arguments).status()?;
    ensure!(status.success(), "the screen did not do {arguments:?}");
    Ok(())
}

/// A piece of the screen, as PNG.
async fn capture(geometry: &str) -> Result<Vec<u8>> {
    let mut command = Command::new("import");
    command.args(["-silent", "-window", "root", "-crop", geometry, "+repage", "png:-"]);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
