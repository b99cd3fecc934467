//! The main job on the command line: every kind of source comes out right.

use reeldesk_tests::{Ended, Reelctl, ffprobe, film, make};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};

/// A sandbox of its own process on the data folder, so that the streams can be played afterwards.
fn sandbox(reelctl: &Reelctl) -> (Ended, Value) {
    let mut child = reelctl.start(&["sandbox"]).unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Ended(child), serde_json::from_str(&line).unwrap())
}

fn ready(reelctl: &Reelctl, file: &std::path::Path) -> Value {
    let (well, lines) = reelctl.run(&["ingest", file.to_str().unwrap(), "--wait"]).unwrap();
    let last = lines.last().unwrap().clone();
    assert!(well && last["state"] == "ready", "{last:#}");
    last
}

#[test]
fn a_film_becomes_a_ladder_that_plays() {
    let reelctl = Reelctl::new().unwrap();
    let (_sandbox, endpoints) = sandbox(&reelctl);
    let last = ready(&reelctl, &film());
    let url = last["hlsUrl"].as_str().unwrap();
    assert!(url.starts_with(endpoints["cdn"].as_str().unwrap()));

    let (_, lines) = reelctl.run(&["hls", "show", url]).unwrap();
    let renditions = lines[0]["renditions"].as_array().unwrap().clone();
    let sizes: Vec<_> = renditions.iter().map(|one| (one["width"].as_u64(), one["height"].as_u64())).collect();
    assert_eq!(sizes, [(480, 270), (640, 360), (960, 540), (1280, 720)].map(|(w, h)| (Some(w), Some(h))));
    for rendition in &renditions {
        assert!(rendition["codecs"].as_str().unwrap().starts_with("avc1.6400"));
        assert_eq!(rendition["frameRate"], 25.0);
        assert!(rendition["averageBandwidth"].as_u64() <= rendition["bandwidth"].as_u64());
        // What ffprobe finds in the stream is what the playlist says.
        let probed = ffprobe(rendition["uri"].as_str().unwrap()).unwrap();
        let video = probed["streams"].as_array().unwrap().iter().find(|one| one["codec_type"] == "video").unwrap();
        assert_eq!(video["width"], rendition["width"]);
        let duration: f64 = probed["format"]["duration"].as_str().unwrap().parse().unwrap();
        assert!((duration - 5.28).abs() < 0.6, "{duration}");
    }

    let (_, lines) = reelctl.run(&["videos", "show", last["guid"].as_str().unwrap()]).unwrap();
    let video = &lines[0]["video"];
    assert_eq!(video["title"], "bigbuckbunny");
    assert_eq!(video["status"]["kind"], "complete");
    assert!(video["thumbnailUrl"].as_str().unwrap().contains("_thumb.000000"));
    let (_, jobs) = reelctl.run(&["jobs", "list"]).unwrap();
    assert_eq!((jobs.len(), &jobs[0]["state"], &jobs[0]["percent"]), (1, &"complete".into(), &100.into()));
}

#[test]
fn unusual_sources_come_out_right() {
    let reelctl = Reelctl::new().unwrap();
    let (_sandbox, _) = sandbox(&reelctl);
    let folder = tempfile::tempdir().unwrap();
    let h264: &[&str] = &["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
    let source = |filter: &str| vec!["-f".to_owned(), "lavfi".to_owned(), "-i".to_owned(), filter.to_owned()];
    // Name, input, more arguments, the picture's share of the 1280x720 frame that is not black bars.
    let cases: [(&str, Vec<String>, Vec<&str>); 5] = [
        ("silent.mp4", source("testsrc2=s=640x360:d=2:r=25"), h264.to_vec()),
        ("portrait.mov", source("testsrc2=s=360x640:d=2:r=30"), h264.to_vec()),
        ("odd.mkv", source("testsrc2=s=321x181:d=2:r=24"), ["-c:v", "libx264", "-pix_fmt", "yuv444p"].to_vec()),
        ("anamorphic.mp4", source("testsrc2=s=720x576:d=2:r=25,setsar=64/45"), h264.to_vec()),
        (
            "variable.mp4",
            source("testsrc2=s=640x360:d=2:r=30,select='not(mod(n,3))+lt(n,20)'"),
            [h264, &["-fps_mode", "vfr"]].concat(),
        ),
    ];
    for (name, input, more) in cases {
        let file = folder.path().join(name);
        let arguments: Vec<&str> = input.iter().map(String::as_str).chain(more).collect();
        make(&file, &arguments).unwrap();
        let last = ready(&reelctl, &file);
        let (_, lines) = reelctl.run(&["hls", "show", last["hlsUrl"].as_str().unwrap()]).unwrap();
        for rendition in lines[0]["renditions"].as_array().unwrap() {
            assert!(!rendition["codecs"].as_str().unwrap().contains("mp4a"), "{name} has no sound");
            let probed = ffprobe(rendition["uri"].as_str().unwrap()).unwrap();
            let video = &probed["streams"][0];
            assert_eq!(video["sample_aspect_ratio"], "1:1", "{name} has square pixels");
            assert_eq!((&video["width"], &video["height"]), (&rendition["width"], &rendition["height"]), "{name}");
            let duration: f64 = probed["format"]["duration"].as_str().unwrap().parse().unwrap();
            assert!((duration - 2.0).abs() < 0.6, "{name}: {duration}");
        }
    }
}

#[test]
fn the_template_follows_the_height_of_the_source() {
    let reelctl = Reelctl::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (size, template, renditions) in [("1280x720", "720p", 4), ("1920x1080", "1080p", 5), ("3840x2160", "2160p", 5)]
    {
        let file = folder.path().join(format!("{template}.mp4"));
        let filter = format!("testsrc2=s={size}:d=1:r=25");
        let sound = [
            "-f",
            "lavfi",
            "-i",
            "sine=d=1",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
        ];
        make(&file, &[&["-f", "lavfi", "-i", &filter][..], &sound].concat()).unwrap();
        let last = ready(&reelctl, &file);
        let (_, lines) = reelctl.run(&["videos", "show", last["guid"].as_str().unwrap()]).unwrap();
        assert!(lines[0]["video"]["jobTemplate"].as_str().unwrap().contains(&format!("_Ott_{template}_")));
        assert_eq!(lines[0]["stream"]["renditions"].as_array().unwrap().len(), renditions);
    }
}
