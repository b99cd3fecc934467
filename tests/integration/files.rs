//! Files that are no films, and names that are hard: a sentence or a stream, and nothing left behind.

use std::path::Path;

use reeldesk_sandbox::Sandbox;
use reeldesk_tests::{Reelctl, film, make, s3};

#[tokio::test]
async fn what_is_no_video_gets_a_sentence_before_a_byte_is_sent() {
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("text.mp4"), "This is a text, many times over. ".repeat(500)).unwrap();
    std::fs::write(path("zero.mp4"), "").unwrap();
    std::fs::create_dir_all(path("empty folder/inner")).unwrap();
    std::fs::write(path("empty folder/notes.txt"), "x").unwrap();
    let cut = std::fs::read(film()).unwrap();
    std::fs::write(path("cut\noff.mp4"), &cut[..40_000]).unwrap();
    make(&path("sound.mp4"), &["-f", "lavfi", "-i", "sine=d=1"]).unwrap();
    make(&path("picture.jpg"), &["-f", "lavfi", "-i", "testsrc=d=1", "-frames:v", "1"]).unwrap();
    for (name, code) in [
        ("text.mp4", "not-a-video"),
        ("zero.mp4", "not-a-video"),
        ("empty folder", "no-videos"),
        ("missing.mp4", "file-missing"),
        ("cut\noff.mp4", "incomplete"),
        ("sound.mp4", "not-a-video"),
        ("picture.jpg", "not-a-video"),
    ] {
        let (well, lines) = reelctl.run(&["ingest", path(name).to_str().unwrap(), "--wait"]).unwrap();
        let last = lines.last().unwrap();
        assert!(!well, "{name}");
        assert_eq!((&last["state"], &last["code"]), (&"failed".into(), &code.into()), "{name}: {last:#}");
        let shown = name.replace('\n', "\u{FFFD}");
        assert!(last["message"].as_str().unwrap().contains(&shown), "the sentence names the file: {last:#}");
        assert!(!last["remedy"].as_str().unwrap().is_empty());
    }
    let sandbox = Sandbox::start(&reelctl.data.path().join("sandbox")).await.unwrap();
    let endpoints = sandbox.endpoints();
    let client = s3(&endpoints.api, &endpoints.credentials.access_key_id, &endpoints.credentials.secret_access_key);
    let objects = client.list_objects_v2().bucket(&endpoints.source_bucket).send().await.unwrap();
    let uploads = client.list_multipart_uploads().bucket(&endpoints.source_bucket).send().await.unwrap();
    assert_eq!((objects.contents().len(), uploads.uploads().len()), (0, 0));
    sandbox.stop().await;
}

#[test]
fn hard_names_work_and_become_safe_keys() {
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let long = format!("{}.mp4", "n".repeat(251));
    let names = [
        "with spaces.MP4",
        "emoji 🎬 épisode.Mp4",
        "quote \"and' more.mp4",
        "new\nline.mp4",
        "-dash.mp4",
        "concat:a.mp4",
        &long,
    ];
    for name in names {
        let file = folder.path().join(name);
        std::fs::copy(film(), &file).unwrap();
    }
    // One folder, all of them at once.
    let (well, lines) = reelctl.run(&["ingest", "--again", folder.path().to_str().unwrap()]).unwrap();
    assert!(well, "{lines:#?}");
    let ended: Vec<_> = lines.iter().filter(|line| line["state"] == "uploaded").collect();
    assert_eq!(ended.len(), names.len());
    for line in ended {
        let key = line["key"].as_str().unwrap();
        assert!(key.starts_with("video/") && key.ends_with(".mp4"), "{key}");
        assert!(key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "/.-".contains(c)), "{key}");
    }
}

/// The bytes of a film whose index comes first.
fn index_first(folder: &Path) -> Vec<u8> {
    let file = folder.join("index-first.mp4");
    let film = film();
    make(&file, &["-i", film.to_str().unwrap(), "-c", "copy", "-movflags", "+faststart"]).unwrap();
    std::fs::read(file).unwrap()
}

/// A film that is not all there is refused before a byte is sent: ffprobe, which reads its index, sees a healthy one.
#[test]
fn what_is_not_all_there_is_not_sent() {
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let film = film();
    let source = film.to_str().unwrap();
    let whole = index_first(folder.path());
    let part = |bytes: &[u8], percent: usize| bytes[..bytes.len() * percent / 100].to_vec();
    std::fs::write(path("cut.mp4"), part(&whole, 60)).unwrap();
    // A copy that made its room first, and has not come that far.
    let mut preallocated = part(&whole, 60);
    preallocated.resize(whole.len(), 0);
    std::fs::write(path("zeros.mp4"), &preallocated).unwrap();
    // The same where the box of the pictures has been made to fit: only the tables know.
    let mut fitted = part(&whole, 60);
    let at = fitted.windows(4).position(|name| name == b"mdat").unwrap() - 4;
    let length = u32::try_from(fitted.len() - at).unwrap();
    fitted[at..at + 4].copy_from_slice(&length.to_be_bytes());
    std::fs::write(path("fitted.mp4"), &fitted).unwrap();
    for (name, arguments) in [
        ("matroska.mkv", &["-i", source, "-c", "copy"][..]),
        ("fragments.mp4", &["-i", source, "-c", "copy", "-movflags", "frag_keyframe+empty_moov"]),
        ("stream.ts", &["-i", source, "-c", "copy", "-muxrate", "8M"]),
    ] {
        make(&path(name), arguments).unwrap();
        let bytes = std::fs::read(path(name)).unwrap();
        let mut empty = part(&bytes, 60);
        empty.resize(bytes.len(), 0);
        std::fs::write(path(&format!("zeros {name}")), empty).unwrap();
        std::fs::write(path(&format!("cut {name}")), part(&bytes, 60)).unwrap();
    }
    for (name, words) in [
        ("cut.mp4", "cut off"),
        ("zeros.mp4", "% of it is empty"),
        ("fitted.mp4", "cut off"),
        ("cut matroska.mkv", "cut off"),
        ("zeros matroska.mkv", "% of it is empty"),
        ("cut fragments.mp4", "cut off"),
        ("zeros stream.ts", "% of it is empty"),
    ] {
        let (well, lines) = reelctl.run(&["ingest", path(name).to_str().unwrap()]).unwrap();
        let last = lines.last().unwrap();
        assert!(!well && last["code"] == "incomplete", "{name}: {last:#}");
        assert!(last["message"].as_str().unwrap().contains(words), "{name}: {last:#}");
        assert!(last["remedy"].as_str().unwrap().contains("Copy or download it again"), "{name}: {last:#}");
    }
    // Who knows better says so.
    let cut = path("cut.mp4");
    let (well, lines) = reelctl.run(&["ingest", "--as-is", cut.to_str().unwrap()]).unwrap();
    assert!(well, "{:#}", lines.last().unwrap());
    // What is whole is none of these: silence and black, pictures that are not compressed, other programs' tags, raw streams.
    let black = ["-f", "lavfi", "-i", "color=black:s=320x180:d=8:r=25", "-f", "lavfi", "-i", "anullsrc=r=48000:cl=7.1"];
    for (name, more) in [
        ("silence.mov", &["-c:v", "libx264", "-c:a", "pcm_s24le", "-t", "8"][..]),
        ("silence.mkv", &["-c:v", "libx264", "-c:a", "pcm_s24le", "-t", "8"]),
        ("black.mov", &["-c:v", "r210", "-c:a", "pcm_s16le", "-t", "2"]),
        ("black.ts", &["-c:v", "libx264", "-t", "8"]),
        ("film.mxf", &["-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ac", "2", "-t", "2"]),
    ] {
        make(&path(name), &[&black[..], more].concat()).unwrap();
    }
    make(&path("raw.h264"), &["-i", source, "-c:v", "copy", "-an", "-f", "h264"]).unwrap();
    std::fs::write(path("tagged.mp4"), [&whole[..], b"APETAGEX and what another program put there"].concat()).unwrap();
    std::fs::write(path("padded.mp4"), [&whole[..], b"\0\0\0"].concat()).unwrap();
    for name in [
        "index-first.mp4",
        "matroska.mkv",
        "fragments.mp4",
        "stream.ts",
        "silence.mov",
        "silence.mkv",
        "black.mov",
        "black.ts",
        "film.mxf",
        "raw.h264",
        "tagged.mp4",
        "padded.mp4",
    ] {
        let (well, lines) = reelctl.run(&["ingest", "--again", path(name).to_str().unwrap()]).unwrap();
        assert!(well, "{name}: {:#}", lines.last().unwrap());
    }
}

/// What is no film says what it is, and what to do about just that.
#[test]
fn what_is_no_film_says_what_it_is() {
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let picture = folder.path().join("still.jpg");
    make(&picture, &["-f", "lavfi", "-i", "testsrc=d=1", "-frames:v", "1"]).unwrap();
    for (name, bytes, words, remedy) in [
        ("page.mp4", &b"<html><body>404 Not Found</body></html>"[..], "it is a web page", "Download"),
        ("error.mov", error.as_bytes(), "error message (AccessDenied)", "Download"),
        ("list.mp4", b"#EXTM3U\n#EXT-X-VERSION:3\n", "a playlist", "Download"),
        ("notes.mp4", b"Notes on the film.\n", "it is a text file", "take it off the list"),
        ("still.mp4", &std::fs::read(picture).unwrap(), "it is a picture", "take it off the list"),
        ("random.mp4", &[0x9A, 0x03, 0xFF, 0x80].repeat(5000), "no video can be found", "export it again"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let (well, lines) = reelctl.run(&["ingest", path.to_str().unwrap()]).unwrap();
        let last = lines.last().unwrap();
        assert!(!well && last["code"] == "not-a-video", "{name}: {last:#}");
        assert!(last["message"].as_str().unwrap().contains(words), "{name}: {last:#}");
        assert!(last["remedy"].as_str().unwrap().contains(remedy), "{name}: {last:#}");
    }
}

/// Films whose containers say little of themselves.
#[test]
fn what_the_container_does_not_say_is_found() {
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    // The movie's header says 0 (ISO/IEC 14496-12, 8.2.2), its tracks say the truth.
    let mut bytes = index_first(folder.path());
    let at = bytes.windows(4).position(|name| name == b"mvhd").unwrap();
    bytes[at + 20..at + 24].fill(0);
    let headless = folder.path().join("mvhd.mp4");
    std::fs::write(&headless, bytes).unwrap();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("media/cases");
    for (path, seconds, codec, size) in [
        (headless, 5.3, "h264", 1280),
        (cases.join("webm-vp8-no-duration.webm"), 2.0, "vp8", 160),
        (cases.join("mjpeg-one-frame-first-track-not-flagged.mkv"), 3.0, "h264", 320),
    ] {
        let (well, lines) = reelctl.run(&["ingest", path.to_str().unwrap()]).unwrap();
        assert!(well, "{}: {:#}", path.display(), lines.last().unwrap());
        let (_, listed) = reelctl.run(&["uploads", "list"]).unwrap();
        let own = listed.iter().find(|one| one["path"] == path.to_str().unwrap()).unwrap();
        let media = &own["media"];
        assert!((media["duration"].as_f64().unwrap() - seconds).abs() < 0.2, "{media:#}");
        assert_eq!((&media["videoCodec"], &media["width"]), (&codec.into(), &size.into()), "{media:#}");
    }
}

/// Small files of each kind that people have: which are refused, and what is said of those that are not.
#[test]
fn films_of_all_kinds() {
    let reelctl = Reelctl::new().unwrap();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("media/cases");
    let (_, lines) = reelctl.run(&["ingest", "--wait", cases.to_str().unwrap()]).unwrap();
    let last = |name: &str| {
        let of = |line: &&serde_json::Value| line["path"].as_str().is_some_and(|path| path.ends_with(name));
        lines.iter().rfind(of).unwrap_or_else(|| panic!("{name}: {lines:#?}"))
    };
    for (name, code, words) in [
        ("html-error-page-named.mp4", "not-a-video", "it is a web page"),
        ("truncated-50pct.mkv", "incomplete", "is cut off"),
    ] {
        let told = last(name);
        assert_eq!((&told["state"], &told["code"]), (&"failed".into(), &code.into()), "{name}: {told:#}");
        assert!(told["message"].as_str().unwrap().contains(words), "{name}: {told:#}");
    }
    let (_, videos) = reelctl.run(&["videos", "list"]).unwrap();
    for (name, seconds, notice) in [
        ("one-frame", 0.04, None),
        ("gap-of-6s-in-timestamps", 10.0, None),
        ("audio-longer-than-video-2s-vs-6s", 6.0, Some("Its picture lasts 2 s, its sound 6 s.")),
        ("audio-3tracks-eng-spa-fra-default-spa", 3.0, None),
        ("two-video-tracks-320x180-and-640x360", 2.0, None),
        ("hevc-10bit-hdr10-pq", 2.0, None),
    ] {
        let told = last(&format!("/{name}.{}", if name.starts_with("gap") { "mkv" } else { "mp4" }));
        assert_eq!((&told["state"], told["notice"].as_str()), (&"ready".into(), notice), "{told:#}");
        let video = videos.iter().find(|one| one["title"] == name).unwrap();
        assert!((video["duration"].as_f64().unwrap() - seconds).abs() < 0.05, "{name}: {video:#}");
        // The sandbox of a command ends with it.
        let served_by = format!("reelctl --data-dir {} sandbox", reelctl.data.path().display());
        assert_eq!(told["servedBy"], served_by);
        assert_eq!(video["isShorter"], false, "{name}: {video:#}");
    }
}

/// One name that is no text stops no other file, and is no reason not to send its own.
#[cfg(unix)]
#[test]
fn a_name_that_is_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join(std::ffi::OsStr::from_bytes(b"latin1-caf\xE9.mp4"));
    std::fs::copy(film(), &raw).unwrap();
    std::fs::copy(film(), folder.path().join("plain.mp4")).unwrap();
    let (well, lines) = reelctl.run(&["ingest", "--again", folder.path().to_str().unwrap()]).unwrap();
    assert!(well, "{:#}", lines.last().unwrap());
    let sent: Vec<_> = lines.iter().filter(|line| line["state"] == "uploaded").collect();
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().any(|line| line["path"].as_str().unwrap().ends_with("latin1-caf\u{FFFD}.mp4")), "{sent:#?}");
    // The store knows the file itself.
    let (well, lines) = reelctl.run(&["uploads", "list"]).unwrap();
    assert!(well && lines.iter().any(|one| one["title"] == "latin1-caf\u{FFFD}"), "{lines:#?}");
}

/// A folder in a folder that may not be read is a row of its own, and no silence.
#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("films/closed");
    std::fs::create_dir_all(&closed).unwrap();
    std::fs::copy(film(), folder.path().join("films/open.mp4")).unwrap();
    std::fs::copy(film(), closed.join("hidden.mp4")).unwrap();
    let mode = |path: &Path, mode: u32| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(&closed, 0o000);
    mode(folder.path(), 0o777);
    let reelctl = Reelctl::at(&folder.path().join("data"));
    let mut command = reelctl.command(&["ingest", folder.path().join("films").to_str().unwrap()]).unwrap();
    // Root may read everything.
    if std::fs::read_dir(&closed).is_ok() {
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().unwrap();
    mode(&closed, 0o755);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success() && said.contains("\\\"closed\\\" may not be read"), "{said}");
    assert!(said.lines().any(|line| line.contains("open.mp4") && line.contains("\"uploaded\"")), "{said}");
}
