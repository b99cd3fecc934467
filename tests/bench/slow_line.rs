//! A slow line between two network namespaces, with the kernel's own TCP on both sides: `slow-line MBIT DELAY_MS
//! LOSS_PERCENT` makes the namespaces [`NEAR`] and [`FAR`], carries what goes between them, and takes them away when its
//! input ends. `cut SECONDS` on its input drops all packets for so long. Linux, as root.
#![allow(missing_docs, reason = "a program")]

fn main() -> anyhow::Result<()> {
    #[cfg(target_os = "linux")]
    return line::main();
    #[cfg(not(target_os = "linux"))]
    anyhow::bail!("only Linux has network namespaces")
}

#[cfg(target_os = "linux")]
mod line {
    use std::fs::File;
    use std::net::Ipv4Addr;
    use std::os::fd::AsFd as _;
    use std::process::Command;
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Duration;

    use anyhow::{Context as _, Result, ensure};
    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    use tokio::time::Instant;
    use tokio_tun::Tun;

    /// The namespaces, and the address in each. Source of the addresses: RFC 2544, for benchmarks.
    const NEAR: (&str, Ipv4Addr) = ("reeldesk-near", Ipv4Addr::new(198, 18, 0, 1));
    const FAR: (&str, Ipv4Addr) = ("reeldesk-far", Ipv4Addr::new(198, 18, 0, 2));
    /// Bytes that wait before the slowest place of the line, at most; what comes then is lost.
    const QUEUE: f64 = 256.0 * 1024.0;

    #[derive(Clone, Copy)]
    struct Shape {
        bytes_per_second: f64,
        /// One way.
        delay: Duration,
        /// From 0 to 1.
        loss: f64,
    }

    /// Nothing is carried until then.
    type Cut = Arc<Mutex<Option<Instant>>>;

    pub(super) fn main() -> Result<()> {
        let numbers = std::env::args().skip(1).map(|number| number.parse()).collect::<Result<Vec<f64>, _>>()?;
        let [mbit, round_trip, loss] = numbers[..] else { anyhow::bail!("slow-line MBIT DELAY_MS LOSS_PERCENT") };
        let shape = Shape {
            bytes_per_second: mbit * 1e6 / 8.0,
            delay: Duration::from_secs_f64(round_trip / 2000.0),
            loss: loss / 100.0,
        };
        let (_namespaces, control) = Namespaces::make()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let near = Arc::new(tunnel(&runtime, NEAR.0, NEAR.1)?);
        let far = Arc::new(tunnel(&runtime, FAR.0, FAR.1)?);
        println!("ready {control}");
        runtime.block_on(async {
            let cut = Cut::default();
            tokio::select! {
                carried = carry(&near, &far, shape, &cut) => carried,
                carried = carry(&far, &near, shape, &cut) => carried,
                heard = listen(&cut) => heard,
            }
        })
    }

    struct Namespaces;

    impl Namespaces {
        /// Makes them; answers with TCP's congestion control. It is what most users have, or what is nearest to that and
        /// allowed here.
        fn make() -> Result<(Self, &'static str)> {
            Self::take_away();
            for (name, _) in [NEAR, FAR] {
                ip(&["netns", "add", name])?;
            }
            let made = Self;
            let is_set = |control: &str| {
                let setting = format!("net.ipv4.tcp_congestion_control={control}");
                [NEAR, FAR].iter().all(|(name, _)| ip(&["netns", "exec", name, "sysctl", "-qw", &setting]).is_ok())
            };
            let control = ["cubic", "reno"].into_iter().find(|control| is_set(control));
            Ok((made, control.context("neither cubic nor reno is allowed")?))
        }

        fn take_away() {
            for (name, _) in [NEAR, FAR] {
                Command::new("ip").args(["netns", "delete", name]).output().ok();
            }
        }
    }

    impl Drop for Namespaces {
        fn drop(&mut self) {
            Self::take_away();
        }
    }

    fn ip(arguments: &[&str]) -> Result<()> {
        let output = Command::new("ip").args(arguments).output().context("there is no ip (iproute2)")?;
        ensure!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// The device of a namespace. A thread that goes there does not come back.
    fn tunnel(runtime: &tokio::runtime::Runtime, namespace: &str, address: Ipv4Addr) -> Result<Tun> {
        let namespace = File::open(format!("/var/run/netns/{namespace}"))?;
        let handle = runtime.handle().clone();
        let make = move || -> Result<Tun> {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            let _entered = handle.enter();
            let network = Ipv4Addr::new(255, 255, 255, 0);
            let made = Tun::builder().name("line").address(address).netmask(network).mtu(1500).up().build()?;
            made.into_iter().next().context("no device was made")
        };
        std::thread::spawn(make).join().map_err(|_| anyhow::anyhow!("the device could not be made"))?
    }

    /// Hears what is to be done until the input ends.
    async fn listen(cut: &Cut) -> Result<()> {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Some(line) = lines.next_line().await? {
            let seconds = line.strip_prefix("cut ").context("only \"cut SECONDS\" is known")?.parse()?;
            let until = Instant::now() + Duration::from_secs_f64(seconds);
            *cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
        Ok(())
    }

    /// Carries packets one way.
    async fn carry(from: &Tun, to: &Tun, shape: Shape, cut: &Cut) -> Result<()> {
        let (put, mut on_the_way) = tokio::sync::mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
        let take = async {
            let mut packet = vec![0; 2000];
            // When the slowest place has passed on all that waits before it.
            let mut free = Instant::now();
            loop {
                let length = from.recv(&mut packet).await?;
                let now = Instant::now();
                free = free.max(now);
                let waiting = (free - now).as_secs_f64() * shape.bytes_per_second;
                let is_cut = cut.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| now < until);
                if is_cut || waiting > QUEUE || fastrand::f64() < shape.loss {
                    continue;
                }
                free += Duration::from_secs_f64(length as f64 / shape.bytes_per_second);
                put.send((free + shape.delay, packet[..length].to_vec()))?;
            }
        };
        let give = async {
            while let Some((at, packet)) = on_the_way.recv().await {
                tokio::time::sleep_until(at).await;
                to.send(&packet).await?;
            }
            Ok(())
        };
        tokio::select! {
            taken = take => taken,
            given = give => given,
        }
    }
}
