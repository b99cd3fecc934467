CREATE TABLE viewers (
  workspace TEXT NOT NULL, username TEXT NOT NULL, email TEXT, name TEXT, enabled INTEGER NOT NULL, status TEXT NOT NULL,
  created_at INTEGER, modified_at INTEGER, address TEXT NOT NULL, sought TEXT NOT NULL, seen INTEGER NOT NULL,
  PRIMARY KEY (workspace, username));
CREATE INDEX viewers_by_address ON viewers (workspace, address, username, sought);
CREATE INDEX viewers_by_state ON viewers (workspace, enabled, status, address, username, modified_at);
CREATE INDEX viewers_by_created ON viewers (workspace, created_at, username);
CREATE INDEX viewers_by_modified ON viewers (workspace, modified_at, username);
CREATE TABLE viewer_members (
  workspace TEXT NOT NULL, name TEXT NOT NULL, username TEXT NOT NULL, seen INTEGER NOT NULL,
  PRIMARY KEY (workspace, name, username)) WITHOUT ROWID;
CREATE INDEX viewer_members_by_viewer ON viewer_members (workspace, username, name);
CREATE TABLE viewer_pools (
  workspace TEXT PRIMARY KEY, pool TEXT NOT NULL, read_at INTEGER, validity_days INTEGER, groups TEXT) WITHOUT ROWID;
CREATE TABLE viewer_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT, workspace TEXT NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL,
  run TEXT NOT NULL, what TEXT NOT NULL, username TEXT NOT NULL, whom TEXT, detail TEXT, outcome TEXT, inverse TEXT,
  keep TEXT);
CREATE INDEX viewer_log_in_order ON viewer_log (workspace, id);
CREATE INDEX viewer_log_by_viewer ON viewer_log (workspace, username, id);
CREATE INDEX viewer_log_by_whom ON viewer_log (workspace, whom, id);
CREATE INDEX viewer_log_by_run ON viewer_log (workspace, run);
