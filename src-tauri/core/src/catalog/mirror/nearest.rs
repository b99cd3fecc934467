//! What someone may have meant whose words nothing has: one letter is another, is missing or too many, or two are swapped.

use std::collections::BTreeSet;

use rusqlite::{Connection, TransactionBehavior, params};

use super::search::row_of;
use super::{Mirror, VideoQuery, row, terms};
use crate::Result;
use crate::catalog::summary::VideoSummary;

/// Letters of a word that have to be like its own: of a longer one the end may be wrong.
const OF_A_WORD: usize = 6;
/// Words that are tried instead of one.
const MOST_INSTEAD: usize = 20;

impl Mirror {
    /// The newest videos that have words like those of a query, where none has the words themselves.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn nearest(&self, query: VideoQuery, most: usize) -> Result<Vec<VideoSummary>> {
        let found = self.counter.call(move |db| {
            let db = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let mut all = Vec::new();
            for word in terms::words(&query.text) {
                let instead = instead_of(&db, &word)?;
                if instead.is_empty() {
                    return Ok(Vec::new());
                }
                let any: Vec<_> = instead.iter().map(|word| format!("\"{word}\"")).collect();
                all.push(format!("({})", any.join(" OR ")));
            }
            let others = VideoQuery { text: String::new(), ..query.clone() };
            let Some(facets) = others.expression(&db, None)? else { return Ok(Vec::new()) };
            if all.is_empty() {
                return Ok(Vec::new());
            }
            let (from, until) = others.rows();
            let like = format!("{} AND {facets}", all.join(" AND "));
            let newest =
                "SELECT rowid FROM terms WHERE terms MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rowid LIMIT ?4";
            let mut statement = db.prepare_cached(newest)?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let places = statement.query_map(params![like, from, until, most], |row| row.get(0).map(row_of))?;
            let places = places.collect::<rusqlite::Result<Vec<_>>>()?;
            places.into_iter().filter_map(|place| row::at(&db, place).transpose()).collect()
        });
        self.unless_damaged(found.await)
    }
}

/// The beginnings of words that are there and like this one: the word itself, where it is.
fn instead_of(db: &Connection, word: &str) -> Result<Vec<String>> {
    let mut there = db.prepare_cached("SELECT 1 FROM terms WHERE terms MATCH ?1 LIMIT 1")?;
    let beginning: String = word.chars().take(OF_A_WORD).collect();
    if there.exists([format!("\"{beginning}\"")])? {
        return Ok(vec![beginning]);
    }
    let mut instead = Vec::new();
    for like in like(&beginning) {
        if there.exists([format!("\"{like}\"")])? {
            instead.push(like);
            if instead.len() == MOST_INSTEAD {
                break;
            }
        }
    }
    Ok(instead)
}

/// All that is one mistake away (Damerau and Levenshtein): swapped letters first, then another one, one less, one more.
fn like(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    // With fewer letters everything is like it.
    if letters.len() < 3 {
        return Vec::new();
    }
    let alphabet: Vec<char> = match letters.iter().find(|letter| !letter.is_ascii()) {
        Some('\u{370}'..='\u{3FF}') => ('α'..='ω').collect(),
        Some('\u{400}'..='\u{4FF}') => ('а'..='я').collect(),
        _ => ('a'..='z').chain('0'..='9').collect(),
    };
    let (mut all, mut seen) = (Vec::new(), BTreeSet::from([word.to_owned()]));
    let mut add = |letters: Vec<char>| {
        let like: String = letters.into_iter().collect();
        if seen.insert(like.clone()) {
            all.push(like);
        }
    };
    for at in 1..letters.len() {
        let mut swapped = letters.clone();
        swapped.swap(at - 1, at);
        add(swapped);
    }
    for at in 0..letters.len() {
        for letter in &alphabet {
            let mut other = letters.clone();
            other[at] = *letter;
            add(other);
        }
    }
    for at in 0..letters.len() {
        let mut less = letters.clone();
        less.remove(at);
        add(less);
    }
    for at in 0..=letters.len() {
        for letter in &alphabet {
            let mut more = letters.clone();
            more.insert(at, *letter);
            more.truncate(OF_A_WORD);
            add(more);
        }
    }
    all
}
