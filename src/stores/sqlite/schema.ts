/**
 * The tables of the store. Whatever belongs to a partition begins with it; `terms` begins with the workflow
 * because lists go over all partitions, newest first.
 */
export const schema = `
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS members (
  id TEXT PRIMARY KEY, workflows TEXT NOT NULL, alive_until REAL NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS partitions (
  partition INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL DEFAULT 0,
  owner TEXT NOT NULL DEFAULT '',
  lease_until REAL NOT NULL DEFAULT 0,
  sequence INTEGER NOT NULL DEFAULT 0,
  last_seq INTEGER NOT NULL DEFAULT 0,
  commit_id TEXT NOT NULL DEFAULT '',
  committed_at REAL NOT NULL DEFAULT 0,
  base INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE IF NOT EXISTS claims (
  partition INTEGER NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY (partition, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS instances (
  partition INTEGER NOT NULL,
  key TEXT NOT NULL,
  workflow TEXT NOT NULL,
  version INTEGER NOT NULL,
  record TEXT NOT NULL,
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  PRIMARY KEY (partition, key)
) STRICT;
CREATE INDEX IF NOT EXISTS instances_newest ON instances (workflow, created_at, key);

CREATE TABLE IF NOT EXISTS terms (
  workflow TEXT NOT NULL,
  term TEXT NOT NULL,
  created_at REAL NOT NULL,
  key TEXT NOT NULL,
  partition INTEGER NOT NULL,
  PRIMARY KEY (workflow, term, created_at, key, partition)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS terms_of_instance ON terms (key, partition);

CREATE TABLE IF NOT EXISTS inbox (
  partition INTEGER NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (partition, key, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS history (
  partition INTEGER NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL, entry TEXT NOT NULL,
  PRIMARY KEY (partition, key, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS outbox (
  partition INTEGER NOT NULL, seq INTEGER NOT NULL, entry TEXT NOT NULL,
  PRIMARY KEY (partition, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS timers (
  partition INTEGER NOT NULL, id TEXT NOT NULL, due REAL NOT NULL,
  PRIMARY KEY (partition, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS timers_due ON timers (partition, due, id);

CREATE TABLE IF NOT EXISTS dead_letters (
  partition INTEGER NOT NULL, id TEXT NOT NULL, at REAL NOT NULL, entry TEXT NOT NULL,
  PRIMARY KEY (partition, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS dead_letters_oldest ON dead_letters (at, partition, id);
`;

/** For files that were made before this column was there. */
export const addBase = "ALTER TABLE partitions ADD COLUMN base INTEGER NOT NULL DEFAULT 0";
