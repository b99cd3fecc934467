CREATE TABLE sources (
  workspace TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL, size INTEGER NOT NULL,
  checksum TEXT NOT NULL, guid TEXT NOT NULL, hls_url TEXT, sent_at INTEGER,
  PRIMARY KEY (workspace, key)) WITHOUT ROWID;
CREATE INDEX sources_by_size ON sources (workspace, size);
CREATE INDEX sources_by_name ON sources (workspace, name);
