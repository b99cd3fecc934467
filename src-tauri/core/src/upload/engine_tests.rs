//! The engine against a model of S3 that loses answers, breaks lines, damages bytes and forgets uploads.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::BodyExt as _;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::super::body::PartBody;
use super::super::checksum::Checksum;
use super::super::line::Line;
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
        let mut engine = Engine::new(self.model.clone(), Journal::new(self.store(), "test"));
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

#[tokio::test]
async fn after_a_kill_only_what_was_on_its_way_goes_again() {
    let parts = 40;
    for after in 1..parts {
        // The begin, some parts, then the kill.
        let mut fates = vec![Fate::Well; after];
        fates.push(Fate::KilledAfter);
        let world = World::new(parts * PART as usize, true, fates);
        assert!(world.run().await.is_none());
        let uploaded = world.run().await.unwrap().unwrap();
        let resent = uploaded.sent - uploaded.size;
        assert!(resent <= 4 * PART, "killed after {after}: {resent} bytes were sent again");
        assert!(world.object().unwrap() == world.bytes);
    }
}

#[tokio::test]
async fn a_lost_answer_to_the_beginning_leaves_nothing_behind() {
    let world = World::new(5 * PART as usize, true, vec![Fate::Lost]);
    world.run().await.unwrap().unwrap();
    let bucket = world.model.bucket.lock().unwrap();
    assert_eq!((bucket.begun, bucket.uploads.len()), (1, 0));
}

#[tokio::test]
async fn what_is_there_already_is_not_sent() {
    let world = World::new(300_000, false, Vec::new());
    world.run().await.unwrap().unwrap();
    let arrived = world.model.bucket.lock().unwrap().arrived;
    let again = World { folder: tempfile::tempdir().unwrap(), ..world };
    let uploaded = again.run().await.unwrap().unwrap();
    assert_eq!((uploaded.sent, again.model.bucket.lock().unwrap().arrived), (0, arrived));
}

#[tokio::test]
async fn another_object_of_the_name_is_left_alone() {
    for size in [1000, 300_000] {
        let world = World::new(size, false, Vec::new());
        world.model.bucket.lock().unwrap().objects.insert("video/master.mov".into(), b"another".to_vec());
        assert_eq!(world.run().await.unwrap().unwrap_err().code, Code::Exists);
        assert_eq!(world.object().unwrap(), b"another");
        let replaced = World { request: with_replace(&world.request), ..world };
        replaced.run().await.unwrap().unwrap();
        assert!(replaced.object().unwrap() == replaced.bytes);
    }
}

/// Some servers list a part that they then do not take: what was taken up is sent again, or else everything is.
#[tokio::test]
async fn a_server_that_does_not_take_its_own_parts() {
    for (fates, distrusts, parts_again) in [
        (vec![Fate::Well, Fate::Well, Fate::Well, Fate::KilledAfter], 1, 8),
        (vec![Fate::Well, Fate::Well, Fate::Well, Fate::KilledAfter], 2, 24),
        (Vec::new(), 1, 20),
    ] {
        let is_killed = !fates.is_empty();
        let world = World::new(20 * PART as usize, true, fates);
        world.model.bucket.lock().unwrap().distrusts = distrusts;
        if is_killed {
            assert!(world.run().await.is_none());
        }
        let uploaded = world.run().await.unwrap().unwrap();
        let resent = uploaded.sent - uploaded.size;
        assert!(resent > 0 && resent <= parts_again * PART, "{distrusts}: {resent} bytes were sent again");
        assert!(world.object().unwrap() == world.bytes);
        assert!(world.model.bucket.lock().unwrap().uploads.is_empty(), "nothing is left behind");
    }
}

#[tokio::test]
async fn a_server_that_knows_no_such_header_gets_the_checksum_behind() {
    let world = World::new(100_000, false, Vec::new());
    world.model.bucket.lock().unwrap().refuses_headers = true;
    world.run().await.unwrap().unwrap();
    assert!(world.object().unwrap() == world.bytes);
}

/// Where files do not come out of the file cache they are read once; a server that refuses that is sent what it takes.
#[tokio::test]
async fn a_folder_whose_files_are_slow_to_read_again() {
    for refuses_trailers in [false, true] {
        let world = World { held: 0, ..World::new(6 * PART as usize, false, Vec::new()) };
        world.model.bucket.lock().unwrap().refuses_trailers = refuses_trailers;
        let engine = world.engine();
        let readahead = engine.tools.reader.readahead(&world.request.path);
        for _ in 0..3 {
            let slow = Duration::from_secs(1);
            readahead.measured(PART, slow, slow);
        }
        let (progress, token) = (Progress::default(), CancellationToken::new());
        engine.send(&world.request, &progress, &token).await.unwrap();
        assert!(world.object().unwrap() == world.bytes);
        let trailers = world.model.bucket.lock().unwrap().trailers;
        // What was on its way when the first was refused comes to no more than all.
        assert!(if refuses_trailers { trailers <= 6 } else { trailers == 6 }, "{trailers}");
        let other = engine.send(&Request { id: "2".into(), ..with_replace(&world.request) }, &progress, &token).await;
        other.unwrap();
        let later = world.model.bucket.lock().unwrap().trailers - trailers;
        assert_eq!(later, if refuses_trailers { 0 } else { 6 }, "that is remembered");
    }
}

/// Someone else sent the same file to the same key in the meantime: nothing of ours stays in S3.
#[tokio::test]
async fn what_someone_else_completed_leaves_no_parts() {
    let world = World::new(8 * PART as usize, false, [vec![Fate::Well; 6], vec![Fate::KilledAfter]].concat());
    assert!(world.run().await.is_none());
    let engine = world.engine();
    let (progress, token) = (Progress::default(), CancellationToken::new());
    // Theirs is another upload, in a journal of their own.
    let theirs = Request { id: "theirs".into(), ..world.request.clone() };
    let journal = Journal::new(Store::open(&world.folder.path().join("theirs.sqlite")).unwrap(), "theirs");
    let mut other = world.engine();
    other.tools.journal = journal;
    other.send(&theirs, &progress, &token).await.unwrap();
    assert_eq!(world.model.bucket.lock().unwrap().uploads.len(), 1, "ours is there yet");
    engine.send(&world.request, &progress, &token).await.unwrap();
    assert!(world.object().unwrap() == world.bytes);
    assert!(world.model.bucket.lock().unwrap().uploads.is_empty());
}

/// What never reached a connection was not sent.
#[tokio::test]
async fn without_a_connection_nothing_counts_as_sent() {
    for size in [20_000, 6 * PART as usize] {
        let world = World::new(size, true, [vec![Fate::Well], vec![Fate::Unreached; 4]].concat());
        let uploaded = match world.run().await.unwrap() {
            Ok(uploaded) => uploaded,
            Err(_) => world.run().await.unwrap().unwrap(),
        };
        assert_eq!(uploaded.sent, size as u64);
    }
}

/// A refusal that has nothing to do with the checksum changes nothing for the others.
#[tokio::test]
async fn a_server_that_refuses_both_ways_is_believed() {
    let world = World::new(6 * PART as usize, false, Vec::new());
    let engine = world.engine();
    {
        let mut bucket = world.model.bucket.lock().unwrap();
        (bucket.refuses_headers, bucket.refuses_trailers) = (true, true);
    }
    let (progress, token) = (Progress::default(), CancellationToken::new());
    engine.send(&world.request, &progress, &token).await.unwrap_err();
    let before = {
        let mut bucket = world.model.bucket.lock().unwrap();
        (bucket.refuses_headers, bucket.refuses_trailers) = (false, false);
        bucket.trailers
    };
    engine.send(&world.request, &progress, &token).await.unwrap();
    assert_eq!(world.model.bucket.lock().unwrap().trailers, before, "headers are tried first again");
}

/// A newer version cuts files in another way; what an older one began goes on as it was cut.
#[tokio::test]
async fn an_upload_goes_on_with_the_parts_that_it_began_with() {
    let world = World::new(8 * PART as usize, true, [vec![Fate::Well; 4], vec![Fate::KilledAfter]].concat());
    assert!(world.run().await.is_none());
    let mut engine = world.engine();
    engine.plan = |size| Ok(PartPlan::recorded(size, PART / 2));
    let (progress, token) = (Progress::default(), CancellationToken::new());
    let uploaded = engine.send(&world.request, &progress, &token).await.unwrap();
    assert_eq!(uploaded.parts, 8);
    assert!(uploaded.sent < 2 * uploaded.size && world.object().unwrap() == world.bytes);
}

#[tokio::test]
async fn a_cancel_is_heard_by_what_waits_for_its_turn() {
    let world = World { held: 0, ..World::new(30 * PART as usize, true, Vec::new()) };
    let engine = world.engine();
    let other = engine.tools.line.join();
    let mut turns = Vec::new();
    for _ in 0..4 {
        turns.push(engine.tools.line.turn(other, PART).await);
    }
    let (progress, token) = (Progress::default(), CancellationToken::new());
    let sending = engine.send(&world.request, &progress, &token);
    let cancel = async {
        while engine.tools.line.waiting() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        token.cancel();
    };
    let (sent, ()) = tokio::join!(sending, cancel);
    assert_eq!(sent.unwrap_err().code, Code::Canceled);
    assert_eq!(world.model.bucket.lock().unwrap().arrived, 0);
}

/// What changes between the reading for its checksum and its turn does not go.
#[tokio::test]
async fn a_part_that_changed_before_its_turn_stops_the_upload() {
    let world = World { held: 0, ..World::new(6 * PART as usize, true, Vec::new()) };
    let engine = world.engine();
    let other = engine.tools.line.join();
    let mut turns = Vec::new();
    for _ in 0..4 {
        turns.push(engine.tools.line.turn(other, PART).await);
    }
    let (progress, token) = (Progress::default(), CancellationToken::new());
    let sending = engine.send(&world.request, &progress, &token);
    let change = async {
        while engine.tools.line.waiting() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Size and time stay: only the bytes tell.
        let before = std::fs::metadata(&world.request.path).unwrap().modified().unwrap();
        let file = std::fs::File::options().write(true).open(&world.request.path).unwrap();
        std::io::Write::write_all(&mut &file, &vec![1; world.bytes.len()]).unwrap();
        file.set_modified(before).unwrap();
        turns.clear();
    };
    let (sent, ()) = tokio::join!(sending, change);
    assert_eq!(sent.unwrap_err().code, Code::FileChanged);
    assert_eq!(world.object(), None);
    let bucket = world.model.bucket.lock().unwrap();
    assert!(bucket.uploads.is_empty() && bucket.arrived < 6 * PART, "{}", bucket.arrived);
}

fn with_replace(request: &Request) -> Request {
    Request { target: Target { replace: true, ..request.target.clone() }, ..request.clone() }
}

#[tokio::test]
async fn a_file_that_changed_stops_and_leaves_nothing() {
    // So many that some are in the journal when the kill comes: what is not there yet is no proof of a change.
    let size = 20 * PART as usize;
    let world = World::new(size, true, [vec![Fate::Well; 16], vec![Fate::KilledAfter]].concat());
    assert!(world.run().await.is_none());
    std::fs::write(&world.request.path, vec![1; size]).unwrap();
    assert_eq!(world.run().await.unwrap().unwrap_err().code, Code::FileChanged);
    assert!(world.model.bucket.lock().unwrap().uploads.is_empty());
    assert_eq!(world.object(), None);
    // Told once; the next time it is a new upload of the new file.
    world.run().await.unwrap().unwrap();
    assert!(world.object().unwrap() == vec![1; size]);
}

#[tokio::test]
async fn a_file_that_is_gone_waits_for_it() {
    let world = World::new(5 * PART as usize, true, vec![Fate::Well, Fate::Well, Fate::KilledAfter]);
    assert!(world.run().await.is_none());
    let aside = world.folder.path().join("unplugged");
    std::fs::rename(&world.request.path, &aside).unwrap();
    assert_eq!(world.run().await.unwrap().unwrap_err().code, Code::FileMissing);
    std::fs::rename(&aside, &world.request.path).unwrap();
    let uploaded = world.run().await.unwrap().unwrap();
    assert!(uploaded.sent <= uploaded.size + 4 * PART, "it went on where it stopped");
}

/// Copies a file away and back: another name on the disk, another time, the same bytes. So is each file of a disk that
/// numbers its files anew.
fn copied_back(world: &World) {
    let (path, aside) = (&world.request.path, world.folder.path().join("elsewhere"));
    let before = files::Identity::of(path).unwrap();
    std::fs::copy(path, &aside).unwrap();
    std::fs::remove_file(path).unwrap();
    // The number of what was removed is the first to be given again.
    let _taken = std::fs::File::create(world.folder.path().join("taken")).unwrap();
    std::fs::copy(&aside, path).unwrap();
    assert!(!before.is_same(&files::Identity::of(path).unwrap()));
}

#[tokio::test]
async fn a_file_that_was_copied_away_and_back_goes_on() {
    let parts = 40;
    let world = World::new(parts * PART as usize, true, [vec![Fate::Well; 30], vec![Fate::KilledAfter]].concat());
    assert!(world.run().await.is_none());
    copied_back(&world);
    let uploaded = world.run().await.unwrap().unwrap();
    assert!(uploaded.sent - uploaded.size <= 4 * PART, "{} bytes were sent again", uploaded.sent - uploaded.size);
    assert!(world.object().unwrap() == world.bytes);
}

#[tokio::test]
async fn a_file_that_was_renamed_goes_on() {
    let world = World::new(40 * PART as usize, true, [vec![Fate::Well; 30], vec![Fate::KilledAfter]].concat());
    assert!(world.run().await.is_none());
    let path = world.folder.path().join("renamed.mov");
    std::fs::rename(&world.request.path, &path).unwrap();
    let renamed = World { request: Request { path, ..world.request.clone() }, ..world };
    let uploaded = renamed.run().await.unwrap().unwrap();
    assert!(uploaded.sent - uploaded.size <= 4 * PART);
    assert!(renamed.object().unwrap() == renamed.bytes);
}

/// One changed byte among what was sent is found, though size and all other parts are the same.
#[tokio::test]
async fn a_copy_with_another_byte_is_another_file() {
    let world = World::new(8 * PART as usize, true, [vec![Fate::Well; 7], vec![Fate::KilledAfter]].concat());
    assert!(world.run().await.is_none());
    copied_back(&world);
    let mut bytes = world.bytes.clone();
    bytes[10] ^= 1;
    std::fs::write(&world.request.path, &bytes).unwrap();
    assert_eq!(world.run().await.unwrap().unwrap_err().code, Code::FileChanged);
    assert_eq!(world.object(), None);
}

/// What only touches a file while it is sent (a virus scanner, a backup) does not stop it.
#[tokio::test]
async fn a_file_that_was_touched_while_it_was_sent_is_compared() {
    for size in [20_000, 8 * PART as usize] {
        for is_changed in [false, true] {
            let world = World::new(size, true, Vec::new());
            let (path, bytes) = (world.request.path.clone(), world.bytes.clone());
            *world.model.while_it_is_sent.lock().unwrap() = Some(Box::new(move || {
                let mut file = std::fs::File::options().write(true).open(path).unwrap();
                // Of each part a byte, so that one is among what has arrived.
                for at in (0..size).step_by(PART as usize) {
                    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(at as u64)).unwrap();
                    std::io::Write::write_all(&mut file, &[bytes[at] ^ u8::from(is_changed)]).unwrap();
                }
                file.set_modified(std::time::SystemTime::now() + Duration::from_secs(2)).unwrap();
            }));
            let sent = world.run().await.unwrap();
            if is_changed {
                assert_eq!(sent.unwrap_err().code, Code::FileChanged);
            } else {
                sent.unwrap();
                assert!(world.object().unwrap() == world.bytes);
            }
        }
    }
}

/// What S3 could not be told of is kept, whatever becomes of the record, and worked off when it answers.
#[tokio::test]
async fn what_could_not_be_aborted_is_not_forgotten() {
    let world = World::new(8 * PART as usize, true, [vec![Fate::Well; 5], vec![Fate::KilledAfter]].concat());
    assert!(world.run().await.is_none());
    let engine = world.engine();
    world.model.bucket.lock().unwrap().fates = vec![Fate::Busy, Fate::Busy].into();
    assert!(engine.abort("1").await.unwrap());
    assert_eq!(engine.tools.clean_up().await.unwrap().len(), 1, "S3 is still down");
    assert_eq!(world.model.bucket.lock().unwrap().uploads.len(), 1);
    // Another connection's is not this one's to abort.
    assert!(
        Engine::new(world.model.clone(), Journal::new(world.store(), "other"))
            .tools
            .clean_up()
            .await
            .unwrap()
            .is_empty()
    );
    assert!(engine.tools.clean_up().await.unwrap().is_empty());
    assert!(world.model.bucket.lock().unwrap().uploads.is_empty());
    assert!(!engine.abort("1").await.unwrap(), "there is none any more");
}

/// A cancel and a retry: what is begun anew has nothing of what is being aborted.
#[tokio::test]
async fn what_is_begun_anew_is_apart_from_what_is_aborted() {
    let world = World::new(8 * PART as usize, true, [vec![Fate::Well; 5], vec![Fate::KilledAfter]].concat());
    assert!(world.run().await.is_none());
    let engine = world.engine();
    engine.tools.journal.give_up("1").await.unwrap();
    // S3 is told in the middle of the new upload.
    let (model, aborting) = (world.model.clone(), engine.clone());
    *model.while_it_is_sent.lock().unwrap() = Some(Box::new(move || {
        tokio::spawn(async move { aborting.tools.clean_up().await });
    }));
    world.run().await.unwrap().unwrap();
    assert!(world.object().unwrap() == world.bytes);
    engine.tools.clean_up().await.unwrap();
    assert!(world.model.bucket.lock().unwrap().uploads.is_empty());
}

/// An upload that S3 began while someone canceled is known, and aborted.
#[tokio::test]
async fn a_cancel_in_the_moment_of_the_beginning_leaves_nothing() {
    let world = World::new(8 * PART as usize, true, Vec::new());
    let engine = world.engine();
    let token = CancellationToken::new();
    let (begun, go_on) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Semaphore::new(0)));
    *world.model.slow_begin.lock().unwrap() = Some((begun.clone(), go_on.clone()));
    let progress = Progress::default();
    let (sent, ()) = tokio::join!(engine.send(&world.request, &progress, &token), async {
        begun.notified().await;
        token.cancel();
    });
    assert_eq!(sent.unwrap_err().code, Code::Canceled);
    assert!(engine.abort("1").await.unwrap());
    go_on.add_permits(1);
    // The answer comes now, to nobody.
    while engine.tools.journal.to_abort().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(engine.tools.clean_up().await.unwrap().is_empty());
    assert!(world.model.bucket.lock().unwrap().uploads.is_empty());
}

/// S3 wants a multipart upload begun anew after this, not completed once more.
#[tokio::test]
async fn a_conflict_at_the_completion_begins_anew() {
    let world = World::new(8 * PART as usize, false, Vec::new());
    world.model.bucket.lock().unwrap().conflicts = 1;
    let uploaded = world.run().await.unwrap().unwrap();
    assert_eq!(uploaded.sent, 2 * uploaded.size);
    assert!(world.object().unwrap() == world.bytes);
    let bucket = world.model.bucket.lock().unwrap();
    assert_eq!((bucket.begun, bucket.uploads.len()), (2, 0));
}

/// Where a server keeps no checksum of the whole, the object is read back: one of the same size is not enough.
#[tokio::test]
async fn without_a_checksum_the_content_decides() {
    for is_ours in [true, false] {
        // The answer to the completion is lost, and the next one finds the upload gone.
        let size = 8 * PART as usize;
        let world = World::new(size, true, [vec![Fate::Well; 9], vec![Fate::Lost]].concat());
        world.model.bucket.lock().unwrap().keeps_no_checksums = true;
        if !is_ours {
            world.model.replaces_objects.lock().unwrap().replace(vec![7; size]);
        }
        let sent = world.run().await.unwrap();
        if is_ours {
            let sent = sent.unwrap();
            assert_eq!(sent.sent, size as u64);
            // Asked later, before its file is deleted, the content decides too.
            let held = world.engine().checksum_of_object("bucket", "video/master.mov", size as u64).await.unwrap();
            assert_eq!(held, Some(sent.checksum));
        } else {
            assert_eq!(sent.unwrap_err().code, Code::Integrity);
        }
    }
    // A small one too.
    let world = World::new(1000, true, Vec::new());
    world.model.bucket.lock().unwrap().keeps_no_checksums = true;
    world.run().await.unwrap().unwrap();
}

/// A change whose time was put back: the system knows that something was done to the file.
#[cfg(unix)]
#[tokio::test]
async fn a_change_under_the_old_time_is_found() {
    let world = World::new(8 * PART as usize, true, Vec::new());
    let (path, bytes) = (world.request.path.clone(), world.bytes.clone());
    *world.model.while_it_is_sent.lock().unwrap() = Some(Box::new(move || {
        let mut file = std::fs::File::options().write(true).open(&path).unwrap();
        let before = file.metadata().unwrap().modified().unwrap();
        for at in (0..bytes.len()).step_by(PART as usize) {
            std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(at as u64)).unwrap();
            std::io::Write::write_all(&mut file, &[bytes[at] ^ 1]).unwrap();
        }
        file.set_modified(before).unwrap();
    }));
    assert_eq!(world.run().await.unwrap().unwrap_err().code, Code::FileChanged);
}
