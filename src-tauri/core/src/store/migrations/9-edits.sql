-- What was changed of videos here: a run, and a line for each of its videos. `state`: 0 waiting, 1 being written, 2 done,
-- 3 unchanged, 4 set aside, 5 failed, 6 undone, 7 given up.
CREATE TABLE edit_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, workspace TEXT NOT NULL, run TEXT NOT NULL UNIQUE, at INTEGER NOT NULL,
  who TEXT NOT NULL, what TEXT NOT NULL, work TEXT);
CREATE INDEX edit_runs_in_order ON edit_runs (workspace, id);
CREATE TABLE edit_lines (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL REFERENCES edit_runs (run) ON DELETE CASCADE,
  position INTEGER NOT NULL, guid TEXT NOT NULL, title TEXT NOT NULL, expected INTEGER, work TEXT, undoes INTEGER,
  state INTEGER NOT NULL, changes TEXT, purged TEXT, error TEXT);
CREATE INDEX edit_lines_in_order ON edit_lines (run, position);
CREATE INDEX edit_lines_by_video ON edit_lines (guid, run);
