/** The names of all keys; README.md beside this file has the table of them. */
export interface RedisKeys {
  /** Belongs to all partitions together; has a slot of its own. */
  readonly meta: string;
  readonly members: string;
  /** The head of a partition; its other keys begin with it. */
  head(partition: number): string;
  instance(partition: number, key: string): string;
  outbox(partition: number): string;
  letterEntries(partition: number): string;
}

/** Keys that begin with the prefix, for ACLs, and have the partition as hash tag, for clusters. */
export function redisKeys(prefix: string): RedisKeys {
  const heads: string[] = [];
  const head = (partition: number) => {
    heads[partition] ??= headOf(prefix, partition);
    return heads[partition];
  };
  return {
    meta: `${prefix}:{${prefix}:meta}`,
    members: `${prefix}:{${prefix}:meta}:members`,
    head,
    instance: (partition, key) => `${head(partition)}:i:${key}`,
    outbox: (partition) => `${head(partition)}:outbox`,
    letterEntries: (partition) => `${head(partition)}:letter-entries`,
  };
}

function headOf(prefix: string, partition: number): string {
  const number = String(partition).padStart(2, "0");
  return `${prefix}:{${prefix}:p${number}}`;
}
