//! Files that are moved, touched or changed while they are sent.

use super::*;

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
