//! The map of ARCHITECTURE.md is true: each room uses what its row names, and only rooms that stand below it. So there is no
//! circle between rooms.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The rooms that each room uses.
type Arrows = BTreeMap<String, BTreeSet<String>>;

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder, by their paths from it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let walk = ignore::WalkBuilder::new(folder).standard_filters(false).build().map(Result::unwrap);
    let files = walk.filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    files.map(|entry| entry.path().strip_prefix(folder).unwrap().to_owned()).collect()
}

/// A table of ARCHITECTURE.md below this heading: each room with the rooms that it may use, from the top of the house to
/// its bottom.
fn table(architecture: &str, heading: &str) -> Vec<(String, BTreeSet<String>)> {
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let section = architecture.split_once(&format!("\n## {heading}\n")).expect(heading).1;
    let rows = section.lines().take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        let uses: BTreeSet<_> = names(cells[2]).into_iter().collect();
        names(cells[1]).into_iter().map(move |room| (room, uses.clone()))
    })
    .collect()
}

/// What is wrong with a table, and with a house beside its table.
fn faults(table: &[(String, BTreeSet<String>)], used: &Arrows) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, (room, may_use)) in table.iter().enumerate() {
        let below: BTreeSet<_> = table[index + 1..].iter().map(|(room, _)| room.clone()).collect();
        let Some(uses) = used.get(room) else {
            faults.push(format!("there is no room {room}"));
            continue;
        };
        faults.extend(may_use.difference(&below).map(|other| format!("{other} does not stand below {room}")));
        faults
            .extend(uses.difference(may_use).map(|other| format!("{room} uses {other}, which its row does not name")));
        faults.extend(may_use.difference(uses).map(|other| format!("{room} does not use {other}")));
    }
    let rooms: BTreeSet<_> = table.iter().map(|(room, _)| room).collect();
    faults.extend(used.keys().filter(|room| !rooms.contains(room)).map(|room| format!("{room} has no row")));
    faults
}

/// What Rust code uses of its crate's root: what comes after `crate::`, or after as many `super::` as lead there.
#[derive(Default)]
struct Imports {
    names: BTreeSet<String>,
}

/// What stands for a use that cannot be followed: it is no room, and so no row allows it.
const ALL: &str = "the root of the crate as a whole";

impl Imports {
    fn of(code: &str, depth: usize) -> BTreeSet<String> {
        let mut imports = Self::default();
        imports.read(code.parse().unwrap(), depth);
        imports.names
    }

    /// Reads what stands in a module this deep below the root.
    fn read(&mut self, tokens: TokenStream, depth: usize) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Punct(hash) if hash.as_char() == '#' && is_test_only(tokens.get(at)) => {
                    at = end_of_item(&tokens, at + 1);
                }
                TokenTree::Ident(word) if word == "crate" => self.follow(&tokens, at, 0),
                TokenTree::Ident(word) if word == "super" => {
                    let mut up = 1;
                    while is_path(&tokens, at) && is_word(tokens.get(at + 2), "super") {
                        (up, at) = (up + 1, at + 3);
                    }
                    self.follow(&tokens, at, depth.saturating_sub(up));
                }
                TokenTree::Group(group) => {
                    let is_module = at >= 3 && is_word(tokens.get(at - 3), "mod");
                    self.read(group.stream(), depth + usize::from(is_module));
                }
                _ => {}
            }
        }
    }

    /// Takes the names that follow a path to a module this deep below the root.
    fn follow(&mut self, tokens: &[TokenTree], at: usize, depth: usize) {
        if !is_path(tokens, at) {
            // `use crate as root;`
            if depth == 0 && is_word(tokens.get(at), "as") {
                self.names.insert(ALL.to_owned());
            }
            return;
        }
        match tokens.get(at + 2) {
            Some(TokenTree::Ident(name)) if depth == 0 => _ = self.names.insert(name.to_string()),
            Some(TokenTree::Punct(star)) if depth == 0 && star.as_char() == '*' => {
                self.names.insert(ALL.to_owned());
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
                for path in inner.split(is_comma).filter(|path| !path.is_empty()) {
                    let supers = path.chunks(3).take_while(|chunk| is_word(chunk.first(), "super")).count();
                    match &path[0] {
                        TokenTree::Ident(_) if supers > 0 => {
                            self.follow(path, supers * 3 - 2, depth.saturating_sub(supers))
                        }
                        TokenTree::Ident(name) if depth == 0 && name == "self" => _ = self.names.insert(ALL.to_owned()),
                        TokenTree::Ident(name) if depth == 0 => _ = self.names.insert(name.to_string()),
                        TokenTree::Punct(_) if depth == 0 => _ = self.names.insert(ALL.to_owned()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == word)
}

fn is_path(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |at| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    is_colon(at) && is_colon(at + 1)
}

/// Whether these are the brackets of an attribute such as `#[cfg(test)]` or `#[cfg(all(test, unix))]`.
fn is_test_only(token: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(group)) = token else { return false };
    let words: Vec<_> = words(group.stream());
    words.first().is_some_and(|word| word == "cfg")
        && words.iter().any(|word| word == "test")
        && !words.iter().any(|word| word == "not" || word == "any")
}

fn words(tokens: TokenStream) -> Vec<String> {
    let word = |token| match token {
        TokenTree::Ident(word) => vec![word.to_string()],
        TokenTree::Group(group) => words(group.stream()),
        _ => Vec::new(),
    };
    tokens.into_iter().flat_map(word).collect()
}

/// Where the item, field or variant ends whose attribute ended here.
fn end_of_item(tokens: &[TokenTree], at: usize) -> usize {
    let is_item = |word: &proc_macro2::Ident| {
        ["use", "mod", "fn", "impl", "struct", "enum", "trait", "const", "static", "type", "macro_rules"]
            .iter()
            .any(|keyword| word == keyword)
    };
    let (mut of_item, mut of_use) = (false, false);
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ';' => return index + 1,
            // Of a field, a variant or an arm.
            TokenTree::Punct(punct) if punct.as_char() == ',' && !of_item => return index + 1,
            TokenTree::Ident(word) if word == "use" => (of_item, of_use) = (true, true),
            TokenTree::Ident(word) if is_item(word) => of_item = true,
            // The braces of `use crate::{...};` end nothing.
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && of_item && !of_use => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The rooms of a crate and what they use. What the crate's root passes on counts as its room's.
fn rust(source: &Path) -> Arrows {
    let mut arrows = Arrows::new();
    let root = read(&source.join("lib.rs"));
    let passed_on = passed_on(&root);
    for file in files(source) {
        let parts: Vec<_> = file.iter().map(|part| part.to_str().unwrap().trim_end_matches(".rs")).collect();
        if file.extension().is_none_or(|extension| extension != "rs") || matches!(parts[..], ["lib" | "main"]) {
            continue;
        }
        // The tests of a room that have files of their own.
        if parts.contains(&"tests") {
            continue;
        }
        let room = arrows.entry(parts[0].to_owned()).or_default();
        for name in Imports::of(&read(&source.join(&file)), parts.len()) {
            room.insert(passed_on.get(&name).unwrap_or(&name).clone());
        }
    }
    for (room, uses) in &mut arrows {
        uses.remove(room);
    }
    arrows
}

/// What a crate's root passes on, and from which room: `pub use room::{Name, Other as Another};`
fn passed_on(root: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for (visibility, rest) in root.split(';').filter_map(|statement| statement.rsplit_once("use ")) {
        if !visibility.trim_end().ends_with("pub") && !visibility.trim_end().ends_with("pub(crate)") {
            continue;
        }
        let Some((room, rest)) = rest.trim_start_matches("self::").split_once("::") else { continue };
        for name in rest.trim_matches(['{', '}']).split(',') {
            let name = name.rsplit(" as ").next().unwrap().trim();
            names.insert(name.rsplit("::").next().unwrap().to_owned(), room.to_owned());
        }
    }
    names
}

/// The rooms of the page (its folders, and its files outside of them) and what they use.
fn page(source: &Path) -> Arrows {
    let mut arrows = Arrows::new();
    let is_code = |file: &Path| {
        let name = file.to_str().unwrap();
        (name.ends_with(".ts") || name.ends_with(".svelte")) && !name.contains(".test.")
    };
    for file in files(source).into_iter().filter(|file| is_code(file)) {
        let code = read(&source.join(&file));
        let room = arrows.entry(room_of(&file)).or_default();
        for import in code.split(['\'', '"']).collect::<Vec<_>>().windows(2) {
            let is_import = ["from", "import", "import("].iter().any(|word| import[0].trim_end().ends_with(word));
            // A style sheet is no room.
            if is_import && import[1].starts_with('.') && !import[1].ends_with(".css") {
                let mut target: Vec<_> = file.parent().unwrap().iter().collect();
                for part in Path::new(import[1]) {
                    match part.to_str() {
                        Some(".") => {}
                        Some("..") => _ = target.pop(),
                        _ => target.push(part),
                    }
                }
                room.insert(room_of(&target.iter().collect::<PathBuf>()));
            }
        }
    }
    for (room, uses) in &mut arrows {
        uses.remove(room);
    }
    arrows
}

fn room_of(file: &Path) -> String {
    let first = file.iter().next().unwrap().to_str().unwrap();
    first.split('.').next().unwrap().to_owned()
}

/// The arrows of the first picture below a heading, between rooms.
fn drawn(architecture: &str, heading: &str) -> Vec<(String, String)> {
    let section = architecture.split_once(&format!("\n## {heading}\n")).expect(heading).1;
    let section = section.split("\n## ").next().unwrap();
    let Some((_, picture)) = section.split_once("```mermaid\n") else { return Vec::new() };
    let mut arrows = Vec::new();
    for line in picture.lines().take_while(|line| *line != "```") {
        let steps: Vec<Vec<&str>> = line.split("-->").map(|step| step.split('&').map(str::trim).collect()).collect();
        for pair in steps.windows(2) {
            for from in &pair[0] {
                arrows.extend(pair[1].iter().map(|to| ((*from).to_owned(), (*to).to_owned())));
            }
        }
    }
    arrows
}

fn check(heading: &str, used: &Arrows) {
    let architecture = read(&repository().join("ARCHITECTURE.md"));
    let table = table(&architecture, heading);
    let mut faults = faults(&table, used);
    faults.extend(drawn(&architecture, heading).into_iter().filter_map(|(from, to)| {
        let (_, uses) = table.iter().find(|(room, _)| *room == from)?;
        (!uses.contains(&to)).then(|| format!("the picture has {from} use {to}"))
    }));
    assert!(faults.is_empty(), "{heading}:\n{}", faults.join("\n"));
}

#[test]
fn of_core() {
    check("The rooms of core", &rust(&repository().join("src-tauri/core/src")));
}

#[test]
fn of_the_window() {
    check("The rooms of the window", &rust(&repository().join("src-tauri/app/src")));
}

#[test]
fn of_the_sandbox() {
    check("The rooms of the sandbox", &rust(&repository().join("src-tauri/sandbox/src")));
}

#[test]
fn of_the_page() {
    check("The rooms of the page", &page(&repository().join("ui/src")));
}

/// That the test sees what it is to see.
#[test]
fn an_arrow_that_goes_up_is_seen() {
    let code = "use crate::{Error, aws::{Aws, explain}, store as kept}; use super::super::live::x; use super::near;
        fn f() { crate::viewers::of(\"crate::no\"); } // crate::comment
        macro_rules! m { () => { crate::watch::y() } }
        #[cfg(test)] use crate::{test, only}; #[cfg(test)] mod tests { use crate::other; }
        struct S { #[cfg(test)] a: crate::no::A, b: crate::playback::P } use super::{super::check::c, inner};
        #[cfg(all(test, unix))] fn t() { crate::none::x() } #[cfg(not(test))] use crate::log;
        mod inner { use super::super::super::deep; } #[cfg(unix)] use crate::files;";
    let names = Imports::of(code, 2);
    assert_eq!(
        names.iter().map(String::as_str).collect::<Vec<_>>(),
        ["Error", "aws", "check", "deep", "files", "live", "log", "playback", "store", "viewers", "watch"]
    );
    for hidden in ["use crate::*;", "use super::super::*;", "use crate as root;", "use crate::{self as root};"] {
        assert_eq!(Imports::of(hidden, 2).into_iter().collect::<Vec<_>>(), [ALL], "{hidden}");
    }
    assert!(Imports::of("use super::*; use super::super::x;", 3).is_empty());
    let passed_on = passed_on("pub use error::{Code, Error as Failure}; use a::B; pub(crate) use self::text::shown;");
    assert_eq!((&*passed_on["Failure"], &*passed_on["shown"]), ("error", "text"));
    assert!(!passed_on.contains_key("B"));

    let map =
        "\n## Rooms\n\n| room | uses | owns |\n| --- | --- | --- |\n| `top` | `low` | `x` |\n| `low` | - | y |\n## Z\n";
    let table = table(map, "Rooms");
    let arrows = |from: &[(&str, &[&str])]| -> Arrows {
        from.iter().map(|(room, uses)| ((*room).into(), uses.iter().map(|&room| room.into()).collect())).collect()
    };
    assert!(faults(&table, &arrows(&[("top", &["low"]), ("low", &[])])).is_empty());
    assert_eq!(
        faults(&table, &arrows(&[("top", &["low"]), ("low", &["top"])])),
        ["low uses top, which its row does not name"]
    );
    assert_eq!(
        faults(&table, &arrows(&[("top", &[]), ("new", &[])])),
        ["top does not use low", "there is no room low", "new has no row"]
    );
    let circle = [("low".to_owned(), ["top".to_owned()].into()), ("top".to_owned(), ["low".to_owned()].into())];
    let up = faults(&circle, &arrows(&[("top", &["low"]), ("low", &["top"])]));
    assert_eq!(up, ["low does not stand below top"]);
}

/// The libraries that a package is built with, all the way down.
fn libraries(package: &str) -> String {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    let tree = cargo.args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--package", package]);
    let output = tree.current_dir(repository()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_package_is_built_with_what_it_needs_only() {
    let has = |tree: &str, name: &str| tree.lines().any(|line| line.starts_with(&format!("{name} ")));
    let windows = ["tauri", "wry"];
    let sandboxes = ["reeldesk-sandbox", "s3s", "dynoxide-rs"];
    for (package, needs, does_not) in [
        ("reeldesk-core", "aws-sdk-s3", [&windows[..], &sandboxes].concat()),
        ("reeldesk-sandbox", "s3s", [&windows[..], &["reeldesk-core"]].concat()),
        ("reelctl", "reeldesk-sandbox", windows.to_vec()),
    ] {
        let tree = libraries(package);
        assert!(has(&tree, needs), "{package} has {needs}");
        does_not.iter().for_each(|name| assert!(!has(&tree, name), "{package} has no {name}"));
    }
}
