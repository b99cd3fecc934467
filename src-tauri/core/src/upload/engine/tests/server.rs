//! What the server says, and what is sent again for it.

use super::*;

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
    let _turns = all_turns(&engine).await;
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

/// A small file counts as sent from the beginning, unless it never had its turn.
#[tokio::test]
async fn what_is_canceled_before_its_turn_was_not_sent() {
    let world = World::new(1000, true, Vec::new());
    let engine = world.engine();
    let turns = all_turns(&engine).await;
    let (progress, token) = (Progress::default(), CancellationToken::new());
    let cancel = async {
        while engine.tools.line.waiting() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        token.cancel();
    };
    let (sent, ()) = tokio::join!(engine.send(&world.request, &progress, &token), cancel);
    assert_eq!(sent.unwrap_err().code, Code::Canceled);
    drop(turns);
    let uploaded = engine.send(&world.request, &progress, &CancellationToken::new()).await.unwrap();
    assert_eq!((uploaded.sent, uploaded.size), (1000, 1000));
}

/// What changes between the reading for its checksum and its turn does not go.
#[tokio::test]
async fn a_part_that_changed_before_its_turn_stops_the_upload() {
    let world = World { held: 0, ..World::new(6 * PART as usize, true, Vec::new()) };
    let engine = world.engine();
    let mut turns = all_turns(&engine).await;
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
