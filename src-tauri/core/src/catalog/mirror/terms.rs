//! What a text is found by: the beginnings of its words, folded. Each is a term of the full-text index, so that a search as one
//! types is a lookup, and no scan of the vocabulary.

use std::collections::BTreeSet;

use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// Letters of the longest beginning that is a term; a longer word is a term as a whole, too.
pub(super) const LONGEST: usize = 16;
/// Words of one text, and letters of one word, that are looked at: an item may hold 400 KB.
const MOST_WORDS: usize = 200;
const MOST_LETTERS: usize = 64;
/// Letters of a guid's part from which on it is found.
const OF_A_GUID: usize = 4;

/// Without case, accents and the forms of compatibility (full width, ligatures): NFKD without its marks, composed again. The
/// voicing marks of kana stay: they make another letter.
pub(super) fn fold(text: &str) -> String {
    lowercase(&without_marks(text))
}

fn without_marks(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let classes = CanonicalCombiningClassMapBorrowed::new();
    let is_letter = |c: &char| classes.get_u8(*c) == 0 || matches!(c, '\u{3099}' | '\u{309A}');
    let apart = DecomposingNormalizerBorrowed::new_nfkd();
    let letters: String = apart.normalize_iter(text.chars()).filter(is_letter).collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(&letters).into_owned()
}

fn lowercase(text: &str) -> String {
    text.to_lowercase().replace('ß', "ss").replace('ς', "σ")
}

/// Whether its script is written without spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3005}' | '\u{3040}'..='\u{30FF}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// A part of a text that one may look for.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Letters and digits, as they were written.
    Word(String),
    /// Letters of a script without spaces.
    Run(Vec<char>),
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for c in without_marks(text).chars() {
        let is_new = match (parts.last_mut(), is_unspaced(c)) {
            (_, _) if !c.is_alphanumeric() && !is_unspaced(c) => {
                parts.push(Part::Word(String::new()));
                continue;
            }
            (Some(Part::Word(word)), false) => {
                word.push(c);
                false
            }
            (Some(Part::Run(run)), true) => {
                if run.len() < MOST_WORDS {
                    run.push(c);
                }
                false
            }
            _ => true,
        };
        if is_new {
            parts.push(if is_unspaced(c) { Part::Run(vec![c]) } else { Part::Word(c.to_string()) });
        }
    }
    parts.retain(|part| !matches!(part, Part::Word(word) if word.is_empty()));
    parts.truncate(MOST_WORDS);
    parts
}

/// Where in a word one may begin to type: at its start, where digits begin or end, and at a capital after a small letter
/// (`S01E02`, `BigBuckBunny`).
fn starts(word: &str) -> impl Iterator<Item = &str> {
    let pairs = word.char_indices().zip(word.chars().skip(1));
    let inner = pairs.filter(|((_, before), after)| {
        before.is_numeric() != after.is_numeric() || before.is_lowercase() && after.is_uppercase()
    });
    let inner = inner.map(|((at, before), _)| at + before.len_utf8());
    std::iter::once(0).chain(inner).map(|at| &word[at..])
}

fn beginnings(word: &str, from: usize, terms: &mut BTreeSet<String>) {
    let word: String = lowercase(word).chars().take(MOST_LETTERS).collect();
    let letters = word.chars().count();
    let ends = word.char_indices().map(|(at, c)| at + c.len_utf8());
    terms.extend(ends.take(LONGEST).skip(from - 1).map(|end| word[..end].to_owned()));
    if letters > LONGEST {
        terms.insert(word);
    }
}

/// Adds what a text is found by.
pub(crate) fn add(text: &str, terms: &mut BTreeSet<String>) {
    for part in parts(text) {
        match part {
            Part::Word(word) => starts(&word).for_each(|rest| beginnings(rest, 1, terms)),
            Part::Run(run) => {
                terms.extend(run.iter().map(char::to_string));
                terms.extend(run.windows(2).map(|pair| pair.iter().collect::<String>()));
            }
        }
    }
}

/// Adds what a key of the table is found by: its parts, from four letters on where it is a UUID.
pub(super) fn add_guid(guid: &str, terms: &mut BTreeSet<String>) {
    if uuid::Uuid::try_parse(guid).is_err() {
        return add(guid, terms);
    }
    guid.split('-').for_each(|part| beginnings(part, OF_A_GUID, terms));
}

/// The words of a text that someone typed, folded; texts without spaces have none.
pub(super) fn words(text: &str) -> Vec<String> {
    let words = parts(text).into_iter().filter_map(|part| match part {
        Part::Word(word) => Some(lowercase(&word).chars().take(MOST_LETTERS).collect()),
        Part::Run(_) => None,
    });
    words.collect()
}

/// What has to be there for a text that someone typed, in the words of FTS5; each of them is meant. The longest comes first: it is
/// the rarest, and the others are looked at only where it is.
pub(crate) fn sought(text: &str) -> Vec<String> {
    let (mut words, mut sought) = (Vec::new(), BTreeSet::new());
    for part in parts(text) {
        match part {
            Part::Word(word) => words.push(lowercase(&word).chars().take(MOST_LETTERS).collect::<String>()),
            Part::Run(run) if run.len() == 1 => sought.extend([format!("\"{}\"", run[0])]),
            Part::Run(run) => {
                sought.extend(run.windows(2).map(|pair| format!("\"{}\"", pair.iter().collect::<String>())));
            }
        }
    }
    // What has a word has its beginnings, too.
    words.sort_unstable();
    words.dedup_by(|next, word| {
        next.starts_with(word.as_str()) && {
            std::mem::swap(next, word);
            true
        }
    });
    sought.extend(words.iter().map(|word| {
        let star = if word.chars().count() > LONGEST { "*" } else { "" };
        format!("\"{word}\"{star}")
    }));
    let mut sought: Vec<String> = sought.into_iter().collect();
    sought.sort_by_key(|term| std::cmp::Reverse(term.len()));
    sought
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> BTreeSet<String> {
        let mut terms = BTreeSet::new();
        add(text, &mut terms);
        terms
    }

    /// Whether a text that is typed finds another.
    fn finds(typed: &str, text: &str) -> bool {
        let terms = terms(text);
        sought(typed).iter().all(|one| {
            let word = one.trim_end_matches('*').trim_matches('"');
            if one.ends_with('*') { terms.iter().any(|term| term.starts_with(word)) } else { terms.contains(word) }
        })
    }

    #[test]
    fn beginnings_of_words_in_any_order() {
        for typed in ["b", "buc", "bunny big", "BUNN", "bu bi", ""] {
            assert!(finds(typed, "Big Buck Bunny"), "{typed}");
        }
        for typed in ["unny", "bigbuck", "bunnyx", "c"] {
            assert!(!finds(typed, "Big Buck Bunny"), "{typed}");
        }
        assert!(
            finds("internationalisi", "Internationalisierung") && !finds("internationalix", "Internationalisierung")
        );
    }

    #[test]
    fn parts_of_file_names() {
        for typed in ["s01e02", "e02", "01", "final_v3", "v3.mov", "buck", "Episode", "1080p"] {
            assert!(finds(typed, "S01E02_BigBuckEpisode_final_v3_1080p.MOV"), "{typed}");
        }
    }

    #[test]
    fn case_accents_and_forms_are_folded() {
        assert!(finds("episode", "Épisode") && finds("ÉPI", "e\u{301}pisode") && finds("e\u{301}p", "épisode"));
        assert!(finds("strasse", "STRASSE") && finds("strasse", "Straße") && finds("straße", "STRASSE"));
        assert!(finds("abc", "ＡＢＣ") && finds("fi", "ﬁlm") && finds("κοσμοσ", "ΚΌΣΜΟΣ") && finds("κόσμος", "κοσμοσ"));
        assert!(finds("istanbul", "İstanbul") && finds("йод", "Йод") && finds("한국", "한국어"));
    }

    #[test]
    fn words_inside_of_texts_without_spaces() {
        assert!(finds("物語", "東京物語") && finds("京", "東京物語") && !finds("東語", "東京物語"));
        assert!(finds("ガラス", "ステンドガラス") && !finds("カラス", "ステンドガラス"));
        assert!(finds("รัก", "แม่รักลูก") && finds("电影", "中文电影2024") && finds("2024", "中文电影2024"));
    }

    #[test]
    fn what_is_hostile_is_only_text() {
        assert_eq!(sought("\" OR * NEAR( -x"), ["\"near\"", "\"or\"", "\"x\""]);
        assert_eq!(sought("bu bun BUN bunny b big bu"), ["\"bunny\"", "\"big\""]);
        assert_eq!(sought("\u{0}\u{202e}<b>"), ["\"b\""]);
        assert!(sought("!!! … — 🙂").is_empty());
        assert!(terms(&"word ".repeat(100_000)).len() < 10);
        assert!(terms(&"x".repeat(400_000)).iter().all(|term| term.len() <= MOST_LETTERS));
    }

    #[test]
    fn a_guid_is_found_by_its_parts() {
        let mut terms = BTreeSet::new();
        add_guid("3F2A91B0-0000-4abc-8000-deadbeef0000", &mut terms);
        assert!(terms.contains("3f2a") && terms.contains("deadbe") && terms.contains("deadbeef0000"));
        assert!(!terms.contains("3f2"));
    }
}
