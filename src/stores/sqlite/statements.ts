/** Every statement of the store, each prepared once per opened file. */
export const statements = {
  setting: "SELECT value FROM settings WHERE name = ?",
  setSetting: "INSERT INTO settings (name, value) VALUES (?, ?)",
  addPartition: "INSERT OR IGNORE INTO partitions (partition) VALUES (?)",
  endLeases: "UPDATE partitions SET lease_until = 0",
  forgetMembers: "DELETE FROM members",

  announce: "INSERT OR REPLACE INTO members (id, workflows, alive_until) VALUES (?, ?, ?)",
  aliveUntil: "SELECT alive_until FROM members WHERE id = ?",
  living: "SELECT id, workflows FROM members WHERE alive_until > ? ORDER BY id",
  leave: "DELETE FROM members WHERE id = ?",

  hasBase: "SELECT 1 FROM pragma_table_info('partitions') WHERE name = 'base'",
  head: `SELECT epoch, owner, lease_until, sequence, last_seq, commit_id, committed_at, base
    FROM partitions WHERE partition = ?`,
  claim: `UPDATE partitions SET epoch = ?, base = sequence, owner = ?, lease_until = ?
    WHERE partition = ?`,
  addClaim: `INSERT OR REPLACE INTO claims (partition, epoch, sequence)
    SELECT partition, epoch, base FROM partitions WHERE partition = ?`,
  trimClaims: `DELETE FROM claims WHERE partition = ?1 AND epoch NOT IN (
    SELECT epoch FROM claims WHERE partition = ?1 ORDER BY epoch DESC LIMIT ?2)`,
  baseSince: "SELECT min(sequence) AS base FROM claims WHERE partition = ? AND epoch > ?",
  renew: "UPDATE partitions SET lease_until = ? WHERE partition = ? AND epoch = ?",
  release: "UPDATE partitions SET lease_until = 0 WHERE partition = ? AND epoch = ?",
  committed: `UPDATE partitions SET sequence = ?, last_seq = max(last_seq, ?), commit_id = ?,
    committed_at = ? WHERE partition = ?`,

  load: `SELECT key, version, record, created_at, updated_at
    FROM instances WHERE partition = ? AND key = ?`,
  version: "SELECT version, created_at FROM instances WHERE partition = ? AND key = ?",
  putInstance: `INSERT INTO instances
      (partition, key, workflow, version, record, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
      version = excluded.version, record = excluded.record, updated_at = excluded.updated_at`,
  removeInstance: "DELETE FROM instances WHERE partition = ? AND key = ?",

  addTerm: `INSERT OR IGNORE INTO terms (workflow, term, created_at, key, partition)
    VALUES (?, ?, ?, ?, ?)`,
  removeTerm: `DELETE FROM terms
    WHERE workflow = ? AND term = ? AND created_at = ? AND key = ? AND partition = ?`,
  removeTerms: "DELETE FROM terms WHERE key = ? AND partition = ?",
  countTerms: "SELECT term, count(*) AS instances FROM terms WHERE workflow = ? GROUP BY term",
  countTheseTerms: `SELECT term, count(*) AS instances FROM terms
    WHERE workflow = ? AND term IN (SELECT value FROM json_each(?)) GROUP BY term`,

  remembers: "SELECT 1 FROM inbox WHERE partition = ? AND key = ? AND id = ?",
  remember: "INSERT INTO inbox (partition, key, id, at) VALUES (?, ?, ?, ?)",
  forget: "DELETE FROM inbox WHERE partition = ? AND key = ? AND id = ?",
  forgetAll: "DELETE FROM inbox WHERE partition = ? AND key = ?",
  inbox: "SELECT id, at FROM inbox WHERE partition = ? AND key = ? AND id > ? ORDER BY id LIMIT ?",

  lastHistory: `SELECT number FROM history WHERE partition = ? AND key = ?
    ORDER BY number DESC LIMIT 1`,
  removeHistory: "DELETE FROM history WHERE partition = ? AND key = ?",
  addHistory: "INSERT INTO history (partition, key, number, entry) VALUES (?, ?, ?, ?)",
  history: `SELECT number, entry FROM history WHERE partition = ? AND key = ? AND number > ?
    ORDER BY number LIMIT ?`,

  addOutbox: "INSERT OR REPLACE INTO outbox (partition, seq, entry) VALUES (?, ?, ?)",
  settleOutbox: "DELETE FROM outbox WHERE partition = ? AND seq = ?",
  outbox: "SELECT seq, entry FROM outbox WHERE partition = ? AND seq > ? ORDER BY seq LIMIT ?",

  arm: "INSERT OR REPLACE INTO timers (partition, id, due) VALUES (?, ?, ?)",
  disarm: "DELETE FROM timers WHERE partition = ? AND id = ?",
  postpone: "UPDATE timers SET due = ? WHERE partition = ? AND id = ?",
  armed: "SELECT id, due FROM timers WHERE partition = ? ORDER BY due, id LIMIT ?",

  addDeadLetter:
    "INSERT OR IGNORE INTO dead_letters (partition, id, at, entry) VALUES (?, ?, ?, ?)",
  removeDeadLetter: "DELETE FROM dead_letters WHERE partition = ? AND id = ?",
  deadLetter: "SELECT entry FROM dead_letters WHERE partition = ? AND id = ?",
  deadLetters: `SELECT at, partition, id, entry FROM dead_letters
    WHERE (at, partition, id) > (?, ?, ?) ORDER BY at, partition, id LIMIT ?`,

  status: `SELECT partition, epoch, owner, lease_until,
      (SELECT count(*) FROM outbox WHERE outbox.partition = partitions.partition)
        AS outbox_entries,
      (SELECT count(*) FROM timers WHERE timers.partition = partitions.partition) AS timers,
      (SELECT min(due) FROM timers WHERE timers.partition = partitions.partition) AS next_due,
      (SELECT count(*) FROM dead_letters WHERE dead_letters.partition = partitions.partition)
        AS dead_letters
    FROM partitions ORDER BY partition`,
} as const;

/** Instances of a workflow that carry all of this many terms (at least one), newest first; see `Store.list`. */
export function listByTerms(terms: number): string {
  const others = Array.from({ length: terms - 1 }, () => alsoTerm).join(" ");
  return `SELECT instances.key, version, record, instances.created_at, updated_at
    FROM terms AS first CROSS JOIN instances
      ON instances.partition = first.partition AND instances.key = first.key
    WHERE first.workflow = ? AND first.term = ? AND (first.created_at, first.key) < (?, ?)
      AND updated_at > ? ${others}
    ORDER BY first.created_at DESC, first.key DESC LIMIT ?`;
}

const alsoTerm = `AND EXISTS (SELECT 1 FROM terms AS other
  WHERE other.workflow = first.workflow AND other.term = ? AND other.created_at = first.created_at
    AND other.key = first.key AND other.partition = first.partition)`;

/** All instances of a workflow, newest first. */
export const listAll = `SELECT key, version, record, created_at, updated_at FROM instances
  WHERE workflow = ? AND (created_at, key) < (?, ?) AND updated_at > ?
  ORDER BY created_at DESC, key DESC LIMIT ?`;
