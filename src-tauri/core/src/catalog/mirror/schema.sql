-- In the order in which they were first seen, so that the pages of the file are full.
CREATE TABLE videos (
  number INTEGER PRIMARY KEY, guid TEXT NOT NULL UNIQUE, place INTEGER NOT NULL, title TEXT NOT NULL, own TEXT,
  revision INTEGER NOT NULL, status INTEGER NOT NULL, error_at TEXT, error_message TEXT, started_at INTEGER, ended_at INTEGER, duration REAL,
  width INTEGER, height INTEGER, flags INTEGER NOT NULL, src_bucket INTEGER, src_video TEXT, thumbnail_url TEXT, job_id TEXT,
  workflow INTEGER, job_template INTEGER, source_size INTEGER, source_checksum TEXT, outputs_elsewhere TEXT,
  title_key TEXT NOT NULL, facets TEXT NOT NULL, digest INTEGER NOT NULL);
CREATE INDEX videos_by_title ON videos (title_key, place);
CREATE INDEX videos_by_duration ON videos (duration, place);
-- Those that the pipeline has not finished: they are read by their keys.
CREATE INDEX videos_open ON videos (place) WHERE status IN (0, 1);
-- Those whose sources Reeldesk sent: a file that another computer sent is known by them.
CREATE INDEX videos_by_source ON videos (source_size) WHERE source_size IS NOT NULL;
-- What is in `src_bucket`, `workflow` and `job_template`.
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- The order of the starts: seconds, 256 places each; below zero what is in the trash. `bits` are the facets of the first 64 ids (24 are always those). `sweep` is the reading of the
-- whole table in which it was seen last.
CREATE TABLE places (place INTEGER PRIMARY KEY, number INTEGER NOT NULL, bits INTEGER NOT NULL, sweep INTEGER NOT NULL);
-- What is searched, by place below zero, so that the newest come first: the beginnings of words, and what is filtered by. It
-- holds no text, only where each term is.
CREATE VIRTUAL TABLE terms USING fts5 (words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');
-- Bytes that are gathered before a piece of the index is written.
INSERT INTO terms (terms, rank) VALUES ('hashsize', 8388608);
CREATE TABLE facets (id INTEGER PRIMARY KEY, facet TEXT NOT NULL UNIQUE, count INTEGER NOT NULL);
CREATE INDEX facets_by_count ON facets (count) WHERE count > 0;
CREATE TABLE state (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
