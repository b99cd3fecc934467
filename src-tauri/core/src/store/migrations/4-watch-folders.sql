CREATE TABLE watch_folders (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE watched (
  folder TEXT NOT NULL REFERENCES watch_folders(id) ON DELETE CASCADE, path TEXT NOT NULL, size INTEGER NOT NULL,
  modified_ns INTEGER NOT NULL, file_id TEXT NOT NULL, journey TEXT, ending TEXT, gone INTEGER NOT NULL,
  sidecars TEXT NOT NULL, taken_at INTEGER NOT NULL, PRIMARY KEY (folder, path)) WITHOUT ROWID;
CREATE INDEX watched_by_file ON watched (folder, file_id, size);
CREATE INDEX watched_by_journey ON watched (folder, journey);
