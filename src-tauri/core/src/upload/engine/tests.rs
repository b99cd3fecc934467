//! The engine against a model of S3 that loses answers, breaks lines, damages bytes and forgets uploads.

mod aborts;
mod changed;
mod server;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::BodyExt as _;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::super::body::PartBody;
use super::super::checksum::Checksum;
use super::super::line::{Line, Turn};
use super::super::plan::PartNumber;
use super::super::reader::HELD;
use super::super::remote::{Held, HeldPart, PartRecord, Refusal, Taken, Target};
use super::*;
use crate::aws::Encryption;
use crate::store::Store;

const PART: u64 = 64 * 1024;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Well,
    /// S3 is busy and does nothing.
    Busy,
    /// There is no connection.
    Unreached,
    /// The line breaks before all was sent.
    Broken,
    /// S3 does it; its answer is lost.
    Lost,
    /// A byte is changed on the way.
    Damaged,
    /// Someone removed the unfinished uploads.
    Forgotten,
    /// The process is killed before the request.
    KilledBefore,
    /// The process is killed after S3 did it.
    KilledAfter,
}

#[derive(Default)]
struct Bucket {
    objects: HashMap<String, Vec<u8>>,
    uploads: BTreeMap<String, (String, BTreeMap<PartNumber, Vec<u8>>)>,
    begun: u64,
    /// Completions that are refused because of their parts.
    distrusts: u32,
    /// Whether checksums are refused that come before the bytes.
    refuses_headers: bool,
    /// Whether those are refused that come behind them.
    refuses_trailers: bool,
    /// Pieces that came with the checksum behind them.
    trailers: u32,
    /// Whether what is told of an object has no checksum.
    keeps_no_checksums: bool,
    /// Completions that are refused because someone else writes to the key.
    conflicts: u32,
    fates: VecDeque<Fate>,
    /// Bytes of the file that arrived, each time that they did.
    arrived: u64,
}

/// S3 as the model has it; killing is a token that the test listens to.
#[derive(Clone, Default)]
struct Model {
    bucket: Arc<Mutex<Bucket>>,
    killed: Arc<Mutex<CancellationToken>>,
    /// What happens when the first bytes have arrived.
    while_it_is_sent: Arc<Mutex<Option<Hook>>>,
    /// Tells that S3 began an upload, and waits before its answer.
    slow_begin: Arc<Mutex<Option<SlowBegin>>>,
    /// What someone else puts in the place of an object just after it was completed.
    replaces_objects: Arc<Mutex<Option<Vec<u8>>>>,
}

type Hook = Box<dyn FnOnce() + Send>;
type SlowBegin = (Arc<tokio::sync::Notify>, Arc<tokio::sync::Semaphore>);

impl Model {
    async fn die<T>(&self) -> T {
        self.killed.lock().unwrap().cancel();
        std::future::pending().await
    }

    /// Does something with the fate that is next.
    async fn act<T>(&self, act: impl FnOnce(&mut Bucket) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let fate = self.bucket.lock().unwrap().fates.pop_front().unwrap_or(Fate::Well);
        self.with(fate, act).await
    }

    async fn with<T>(&self, fate: Fate, act: impl FnOnce(&mut Bucket) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let busy = || Err(Refusal::Busy(Error::new(Code::Network, "The line broke.", "Wait.")));
        match fate {
            Fate::Busy | Fate::Broken | Fate::Unreached => return busy(),
            Fate::KilledBefore => return self.die().await,
            Fate::Forgotten => self.bucket.lock().unwrap().uploads.clear(),
            _ => {}
        }
        let done = act(&mut self.bucket.lock().unwrap());
        match fate {
            Fate::Lost => busy(),
            Fate::KilledAfter => self.die().await,
            _ => done,
        }
    }

    /// Takes a body in, with the fate that is next: its bytes as they arrive, checked as S3 checks them.
    async fn receive(&self, body: PartBody) -> (Fate, Result<(Vec<u8>, Checksum), Refusal>) {
        let fate = self.bucket.lock().unwrap().fates.pop_front().unwrap_or(Fate::Well);
        if fate == Fate::Broken {
            let mut body = body;
            body.frame().await;
            return (fate, Ok((Vec::new(), Checksum::of_value(0))));
        }
        if fate == Fate::Unreached {
            return (fate, Ok((Vec::new(), Checksum::of_value(0))));
        }
        let length = usize::try_from(body.file_bytes()).unwrap();
        let before = body.checksum();
        let is_refused = {
            let mut bucket = self.bucket.lock().unwrap();
            bucket.trailers += u32::from(before.is_none());
            if before.is_some() { bucket.refuses_headers } else { bucket.refuses_trailers }
        };
        if is_refused {
            let error = Error::new(Code::Internal, "The checksum is not known.", "Send it behind.");
            return (Fate::Well, Err(Refusal::Header(error)));
        }
        let Ok(all) = body.collect().await else {
            return (Fate::Well, Err(Refusal::Final(Error::internal("the body failed"))));
        };
        let all = all.to_bytes();
        let (mut bytes, claimed) = match before {
            Some(checksum) => (all.to_vec(), checksum.to_string()),
            None => decoded(&all),
        };
        assert_eq!(bytes.len(), length);
        if fate == Fate::Damaged && length > 0 {
            bytes[length / 2] ^= 1;
        }
        let checksum = Checksum::of_bytes(&bytes);
        if checksum.to_string() != claimed {
            return (fate, Err(Refusal::Damaged(Error::new(Code::Integrity, "The bytes changed.", "Retry."))));
        }
        self.bucket.lock().unwrap().arrived += length as u64;
        if let Some(hook) = self.while_it_is_sent.lock().unwrap().take() {
            hook();
        }
        (fate, Ok((bytes, checksum)))
    }
}

/// What an `aws-chunked` body carries, and the checksum behind it.
fn decoded(mut all: &[u8]) -> (Vec<u8>, String) {
    let mut bytes = Vec::new();
    loop {
        let end = all.iter().position(|&byte| byte == b'\r').unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&all[..end]).unwrap(), 16).unwrap();
        all = &all[end + 2..];
        if size == 0 {
            let text = std::str::from_utf8(all).unwrap();
            return (bytes, text.split_once("crc64nvme:").unwrap().1.trim_end().to_owned());
        }
        bytes.extend_from_slice(&all[..size]);
        assert_eq!(&all[size..size + 2], b"\r\n");
        all = &all[size + 2..];
    }
}

impl Remote for Model {
    async fn begin(&self, target: &Target) -> Result<String, Refusal> {
        let begun = self.act(|bucket| {
            bucket.begun += 1;
            let id = format!("upload {:06}", bucket.begun);
            bucket.uploads.insert(id.clone(), (target.key.clone(), BTreeMap::new()));
            Ok(id)
        });
        let begun = begun.await;
        let slow = self.slow_begin.lock().unwrap().take();
        if let Some((told, go_on)) = slow {
            told.notify_one();
            drop(go_on.acquire().await);
        }
        begun
    }

    async fn find(&self, target: &Target) -> Result<Option<String>, Refusal> {
        self.act(|bucket| {
            Ok(bucket.uploads.iter().rev().find(|(_, (key, _))| *key == target.key).map(|(id, _)| id.clone()))
        })
        .await
    }

    async fn parts(&self, _: &Target, upload: &str) -> Result<BTreeMap<PartNumber, HeldPart>, Refusal> {
        self.act(|bucket| {
            let (_, parts) = bucket.uploads.get(upload).ok_or(Refusal::Gone)?;
            let held = |bytes: &Vec<u8>| {
                let checksum = Checksum::of_bytes(bytes);
                HeldPart { etag: checksum.to_string(), size: bytes.len() as u64, checksum: Some(checksum) }
            };
            Ok(parts.iter().map(|(number, bytes)| (*number, held(bytes))).collect())
        })
        .await
    }

    async fn send_part(&self, _: &Target, upload: &str, number: PartNumber, body: PartBody) -> Result<Taken, Refusal> {
        let (fate, received) = self.receive(body).await;
        let (bytes, checksum) = received?;
        self.with(fate, |bucket| {
            bucket.uploads.get_mut(upload).ok_or(Refusal::Gone)?.1.insert(number, bytes);
            Ok(Taken { etag: checksum.to_string(), checksum: Some(checksum) })
        })
        .await
    }

    async fn put(&self, target: &Target, body: PartBody) -> Result<Held, Refusal> {
        let (fate, received) = self.receive(body).await;
        let (bytes, checksum) = received?;
        self.with(fate, |bucket| {
            if !target.replace && bucket.objects.contains_key(&target.key) {
                return Err(Refusal::Exists);
            }
            let size = bytes.len() as u64;
            bucket.objects.insert(target.key.clone(), bytes);
            Ok(Held { size, checksum: Some(checksum), modified: None })
        })
        .await
    }

    async fn complete(
        &self,
        target: &Target,
        upload: &str,
        parts: &BTreeMap<PartNumber, PartRecord>,
        size: u64,
        whole: Checksum,
    ) -> Result<(), Refusal> {
        self.act(|bucket| {
            let (_, held) = bucket.uploads.get(upload).ok_or(Refusal::Gone)?;
            if bucket.conflicts > 0 {
                bucket.conflicts -= 1;
                return Err(Refusal::Conflict(Error::new(Code::Internal, "Someone else writes.", "Begin anew.")));
            }
            if bucket.distrusts > 0 {
                bucket.distrusts -= 1;
                return Err(Refusal::Parts(Error::new(Code::Internal, "The parts do not match.", "Retry.")));
            }
            let bytes: Vec<u8> = held.values().flatten().copied().collect();
            let same = held.len() == parts.len()
                && parts.iter().all(|(number, part)| Checksum::of_bytes(&held[number]) == part.checksum);
            if !same || bytes.len() as u64 != size || Checksum::of_bytes(&bytes) != whole {
                return Err(Refusal::Damaged(Error::new(Code::Integrity, "The whole is wrong.", "Retry.")));
            }
            if !target.replace && bucket.objects.contains_key(&target.key) {
                return Err(Refusal::Exists);
            }
            bucket.uploads.remove(upload);
            let bytes = self.replaces_objects.lock().unwrap().take().unwrap_or(bytes);
            bucket.objects.insert(target.key.clone(), bytes);
            Ok(())
        })
        .await
    }

    async fn head(&self, target: &Target) -> Result<Option<Held>, Refusal> {
        self.act(|bucket| {
            let checksum = |bytes: &[u8]| (!bucket.keeps_no_checksums).then(|| Checksum::of_bytes(bytes));
            let held = |bytes: &Vec<u8>| Held { size: bytes.len() as u64, checksum: checksum(bytes), modified: None };
            Ok(bucket.objects.get(&target.key).map(held))
        })
        .await
    }

    async fn read(&self, target: &Target, offset: u64, length: u64) -> Result<Checksum, Refusal> {
        self.act(|bucket| {
            let object = bucket.objects.get(&target.key).unwrap();
            Ok(Checksum::of_bytes(&object[offset as usize..(offset + length) as usize]))
        })
        .await
    }

    async fn abort(&self, _: &str, _: &str, upload: &str) -> Result<(), Refusal> {
        self.act(|bucket| {
            bucket.uploads.remove(upload);
            Ok(())
        })
        .await
    }
}

/// A file, a bucket, and a journal that outlives the engines over it.
struct World {
    folder: tempfile::TempDir,
    model: Model,
    request: Request,
    bytes: Vec<u8>,
    /// Bytes of a part that is held whole, at most; larger ones are read twice.
    held: u64,
}

impl World {
    fn new(size: usize, replace: bool, fates: Vec<Fate>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.mov");
        let bytes: Vec<u8> = (0..size).map(|n| (n * 31 + n / 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let target = Target {
            bucket: "bucket".into(),
            key: "video/master.mov".into(),
            metadata: Vec::new(),
            content_type: "video/quicktime".into(),
            encryption: Encryption::default(),
            replace,
        };
        let model = Model::default();
        model.bucket.lock().unwrap().fates = fates.into();
        Self { folder, model, request: Request { id: "1".into(), path, target }, bytes, held: HELD }
    }

    fn store(&self) -> Store {
        Store::open(&self.folder.path().join("store.sqlite")).unwrap()
    }

    fn engine(&self) -> Engine<Model> {
        let mut engine = Engine::new(self.model.clone(), Journal::new(self.store(), "test"), Limit::default());
        engine.plan = |size| Ok(PartPlan::recorded(size, PART));
        engine.tools.reader.held = self.held;
        engine.tools.first_wait = Duration::from_micros(10);
        engine.tools.line = Line::counting(PART, engine.tools.reader.limit.clone());
        engine
    }

    /// One process: it ends with an answer, or with `None` when it was killed.
    async fn run(&self) -> Option<Result<Uploaded>> {
        let killed = CancellationToken::new();
        *self.model.killed.lock().unwrap() = killed.clone();
        let engine = self.engine();
        let (progress, token) = (Progress::default(), CancellationToken::new());
        tokio::select! {
            biased;
            result = engine.send(&self.request, &progress, &token) => Some(result),
            () = killed.cancelled() => None,
        }
    }

    fn object(&self) -> Option<Vec<u8>> {
        self.model.bucket.lock().unwrap().objects.get("video/master.mov").cloned()
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Well),
        2 => Just(Fate::Busy),
        2 => Just(Fate::Broken),
        1 => Just(Fate::Unreached),
        2 => Just(Fate::Lost),
        1 => Just(Fate::Damaged),
        1 => Just(Fate::Forgotten),
        1 => Just(Fate::KilledBefore),
        2 => Just(Fate::KilledAfter),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_object_is_the_file_or_an_error_says_why(
        size in prop_oneof![Just(0_usize), 1..200_000_usize, 300_000..700_000_usize],
        replace in any::<bool>(),
        held in prop_oneof![Just(HELD), Just(PART / 2)],
        refuses_headers in any::<bool>(),
        fates in prop::collection::vec(fate(), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World { held, ..World::new(size, replace, fates) };
            world.model.bucket.lock().unwrap().refuses_headers = refuses_headers;
            // Started again after each kill and each error: the fates run out, so that it must end well.
            for _ in 0..200 {
                match world.run().await {
                    None => continue,
                    Some(Ok(uploaded)) => {
                        assert_eq!(uploaded.checksum, Checksum::of_bytes(&world.bytes));
                        assert_eq!(uploaded.size, size as u64);
                        assert!(world.object().unwrap() == world.bytes, "the object is not the file");
                        assert!(uploaded.sent >= size as u64);
                        return;
                    }
                    Some(Err(error)) => {
                        // Named, and nothing wrong is there.
                        assert!(matches!(error.code, Code::Network | Code::Integrity | Code::Internal), "{error:?}");
                        assert!(world.object().is_none_or(|object| object == world.bytes));
                    }
                }
            }
            panic!("it never ends");
        });
    }
}

fn with_replace(request: &Request) -> Request {
    Request { target: Target { replace: true, ..request.target.clone() }, ..request.clone() }
}

/// Takes all places of the line.
async fn all_turns(engine: &Engine<Model>) -> Vec<Turn> {
    let other = engine.tools.line.join();
    let mut turns = Vec::new();
    for _ in 0..4 {
        turns.push(engine.tools.line.turn(other, PART).await);
    }
    turns
}
