/** The queues and bindings that were declared; the order of the rows is the order of their declaration. */
export const topologyTable = `
CREATE TABLE IF NOT EXISTS queues (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS bindings (
  queue TEXT NOT NULL,
  exchange TEXT NOT NULL,
  pattern TEXT NOT NULL,
  PRIMARY KEY (queue, exchange, pattern)
) STRICT;
`;

export const loadQueues = "SELECT name, kind FROM queues ORDER BY rowid";
export const loadBindings = "SELECT queue, exchange, pattern FROM bindings ORDER BY rowid";
export const declareQueue = "INSERT OR IGNORE INTO queues (name, kind) VALUES (?, ?)";
export const declareBinding =
  "INSERT OR IGNORE INTO bindings (queue, exchange, pattern) VALUES (?, ?, ?)";

/** One row for each copy of a message in a queue; the order of `id` is the order of arrival. */
export const queueTable = `
CREATE TABLE IF NOT EXISTS queue_entries (
  id INTEGER PRIMARY KEY,
  queue TEXT NOT NULL,
  body TEXT NOT NULL,
  properties TEXT NOT NULL,
  due_at REAL,
  handed_out INTEGER NOT NULL DEFAULT 0
) STRICT;
`;

export const loadEntries =
  "SELECT id, queue, body, properties, due_at, handed_out FROM queue_entries ORDER BY id";

export const appendEntry =
  "INSERT INTO queue_entries (id, queue, body, properties, due_at) VALUES (?, ?, ?, ?, ?)";

export const handOutEntry = "UPDATE queue_entries SET handed_out = handed_out + 1 WHERE id = ?";

export const removeEntry = "DELETE FROM queue_entries WHERE id = ?";
