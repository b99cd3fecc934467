//! What is aborted, begun anew, or decided by the content.

use super::*;

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
        Engine::new(world.model.clone(), Journal::new(world.store(), "other"), Limit::default())
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
