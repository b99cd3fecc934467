-- `place` is the time of the submission, negative, in 1/16 ms: the newest come first, and each has its own. `seen_at` is when MediaConvert
-- last told of it, in milliseconds since the epoch.
CREATE TABLE jobs (place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state INTEGER NOT NULL, seen_at INTEGER NOT NULL, job TEXT NOT NULL);
CREATE INDEX jobs_open ON jobs (seen_at) WHERE state IN (0, 1);
-- Queues and templates, by which jobs are found.
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE VIRTUAL TABLE terms USING fts5 (words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
