//! When a request that carries bytes is given up: never because it takes long, only because nothing moves.
//!
//! A deadline for the whole of a request would be one for the line: a part of 105 MiB takes 35 minutes at 50 kB/s. So
//! what is watched is whether the connection takes bytes. Between this computer and S3 there are buffers, which take
//! megabytes at once and then nothing for as long as a slow line needs for them.

use std::net::{IpAddr, UdpSocket};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::progress::Flight;
use crate::{Code, Error};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long S3 may take for nothing but its answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);
/// Bytes that the system's buffers hold of one connection, at most.
const BUFFERS: u64 = 8 * 1024 * 1024;
/// Bytes a second that the slowest connection still carries.
const SLOWEST: u64 = 12 * 1024;
/// The wall clock that runs ahead of the other one by more tells of a sleep.
const SLEEP: Duration = Duration::from_secs(30);

/// When the line has taken so many bytes of others since, what the buffers held has gone too: they share it.
const PASSED_BY: u64 = 24 * BUFFERS;

/// How long nothing may move of a request of which the connection has taken so many bytes, and which so many have passed by.
fn patience_beside(taken: u64, passed_by: u64) -> Duration {
    if passed_by >= PASSED_BY { ANSWERS_WITHIN } else { patience(taken) }
}

/// The same where nothing is known of others.
fn patience(taken: u64) -> Duration {
    ANSWERS_WITHIN + Duration::from_secs(taken.min(BUFFERS) / SLOWEST)
}

/// How long a request of so many bytes that was broken off may still arrive: what the buffers hold goes on by itself.
pub(crate) fn may_arrive_for(bytes: u64) -> Duration {
    patience(bytes)
}

/// Waits until the request of this flight is to be given up; says why.
pub(super) async fn given_up(flight: &Flight) -> Error {
    let (began, clock, route) = (Instant::now(), SystemTime::now(), route());
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let slept = clock.elapsed().unwrap_or_default().saturating_sub(began.elapsed()) > SLEEP;
        let rerouted = route.is_some_and(|before| self::route().is_some_and(|now| now != before));
        if slept || rerouted {
            let why = if slept { "this computer slept" } else { "the network changed" };
            return stalled(&format!("The connection to S3 is an old one: {why}."));
        }
        if let Some((quiet, taken)) = flight.quiet()
            && quiet > patience_beside(taken, flight.passed_by())
        {
            return stalled(&format!("S3 has taken no byte for {} s.", quiet.as_secs()));
        }
    }
}

fn stalled(message: &str) -> Error {
    Error::new(Code::Network, message, "Check the network connection; the work goes on by itself.")
}

/// The address by which this computer goes out: another one means another network. Nothing is sent: the address asked
/// for is one of documentation (RFC 5737).
fn route() -> Option<IpAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    socket.connect(("192.0.2.1", 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::super::Progress;
    use super::super::progress::Meter;
    use super::*;

    const MIB: u64 = 1024 * 1024;

    /// Whether the request is given up within this time.
    async fn ends_within(flight: &Flight, time: Duration) -> bool {
        tokio::time::timeout(time, given_up(flight)).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_line_is_no_dead_line() {
        // A part of 105 MiB at 50 kB/s: the line takes a third of a buffer of 4 MiB at a time, 35 minutes long.
        let flight = Progress::default().flight(Meter::default());
        flight.taken(4 * MIB);
        for _ in 0..75 {
            assert!(!ends_within(&flight, Duration::from_secs(28)).await);
            flight.taken(1_400_000);
        }
        // Four parts share 50 kB/s, and all of each is in the buffers: its answer takes 11 minutes.
        let flight = Progress::default().flight(Meter::default());
        flight.taken(8 * MIB);
        assert!(!ends_within(&flight, Duration::from_secs(4 * 8 * MIB / 50_000)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_takes_nothing_is_given_up() {
        for (taken, seconds) in [(0, 70), (MIB, 160), (105 * MIB, 760)] {
            let flight = Progress::default().flight(Meter::default());
            flight.taken(taken);
            assert!(!ends_within(&flight, Duration::from_secs(55)).await);
            assert!(ends_within(&flight, Duration::from_secs(seconds - 55)).await, "{taken}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_pass_by_is_given_up_sooner() {
        let meter = Meter::default();
        let (stuck, other) = (Progress::default().flight(meter.clone()), Progress::default().flight(meter));
        stuck.taken(8 * MIB);
        other.taken(100 * MIB);
        assert!(!ends_within(&stuck, Duration::from_secs(90)).await, "both may be in the buffers");
        other.taken(100 * MIB);
        assert!(ends_within(&stuck, Duration::from_secs(10)).await);
        // Not before S3 has had its time to answer.
        stuck.taken(1);
        other.taken(200 * MIB);
        assert!(!ends_within(&stuck, Duration::from_secs(55)).await);
        assert!(ends_within(&stuck, Duration::from_secs(15)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_our_own_bytes_is_no_stall() {
        // A limit of 100 bytes a second, or a disk that wakes up.
        let flight = Progress::default().flight(Meter::default());
        flight.taken(MIB);
        flight.hungers();
        assert!(!ends_within(&flight, Duration::from_secs(24 * 3600)).await);
        flight.taken(1);
        assert!(ends_within(&flight, Duration::from_secs(160)).await);
    }
}
