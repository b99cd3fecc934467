//! The system's wish that this process ends: Ctrl-C, what systemd and CI send, a terminal or a session that is closed.

/// Waits until the system asks this process to end.
pub async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // A process that was started with nohup is not to hear of its terminal.
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let mut heard: Vec<_> = kinds
            .into_iter()
            .filter(|kind| *kind != SignalKind::hangup() || !ignores_hangups())
            .filter_map(|kind| signal(kind).ok())
            .collect();
        let any = heard.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures::future::select_all(any).await;
    }
    #[cfg(windows)]
    {
        use tokio::signal::windows::{ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
        let (Ok(mut c), Ok(mut close), Ok(mut logoff), Ok(mut shutdown)) =
            (ctrl_c(), ctrl_close(), ctrl_logoff(), ctrl_shutdown())
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = c.recv() => {}
            _ = close.recv() => {}
            _ = logoff.recv() => {}
            _ = shutdown.recv() => {}
        }
    }
}

/// Whether this process was started so that it outlives its terminal. Source: proc(5), `SigIgn` of `/proc/pid/status`.
/// Where that cannot be asked, the end of a terminal stays what it is by default.
#[cfg(unix)]
fn ignores_hangups() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // SIGHUP is the first signal.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
