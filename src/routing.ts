/** Names that every process of one application derives in the same way. */
export interface Names {
  readonly prefix: string;
  /** A partition's mailbox. */
  partition(partition: number): string;
  /** Work for activity workers. */
  activity(workflow: string, activity: string): string;
  /** Answers to the requesters of one process. */
  reply(process: string): string;
  /** Events that other services publish for workflows, before their instance is found. */
  readonly ingress: string;
}

/** The queue names of the application with this prefix. */
export function namesFor(prefix: string): Names {
  return {
    prefix,
    partition: (partition) => `${prefix}.p.${partition}`,
    activity: (workflow, activity) => `${prefix}.activity.${workflow}.${activity}`,
    reply: (process) => `${prefix}.reply.${process}`,
    ingress: `${prefix}.ingress`,
  };
}

/**
 * The partition of an instance: FNV-1a (32 bit) over the UTF-16 code units of `workflow/id`, avalanched,
 * modulo the count. On our side rather than by the broker's consistent-hash plugin, which is 10 to 95 %
 * slower and not always enabled.
 */
export function partitionOf(key: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) % partitions;
}
