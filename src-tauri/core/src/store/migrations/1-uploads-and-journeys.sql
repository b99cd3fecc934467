CREATE TABLE uploads (
  id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL,
  modified_ns INTEGER NOT NULL, part_size INTEGER NOT NULL, upload_id TEXT);
CREATE TABLE parts (
  upload TEXT NOT NULL REFERENCES uploads(id) ON DELETE CASCADE, number INTEGER NOT NULL, etag TEXT NOT NULL,
  checksum TEXT NOT NULL, PRIMARY KEY (upload, number)) WITHOUT ROWID;
CREATE TABLE journeys (
  id TEXT PRIMARY KEY, position INTEGER NOT NULL, workspace TEXT NOT NULL, open INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX journeys_in_order ON journeys (workspace, position);
