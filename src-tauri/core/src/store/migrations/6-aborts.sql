ALTER TABLE uploads ADD COLUMN completing_at INTEGER;
CREATE TABLE aborts (
  bucket TEXT NOT NULL, key TEXT NOT NULL, upload_id TEXT NOT NULL, owner TEXT NOT NULL, upload TEXT NOT NULL,
  since INTEGER NOT NULL, PRIMARY KEY (bucket, key, upload_id)) WITHOUT ROWID;
ALTER TABLE watch_folders ADD COLUMN volume TEXT;
