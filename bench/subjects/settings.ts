/** Where a subject works, as the benchmark tells it. */
export interface SubjectSettings {
  readonly broker: string;
  readonly store: string;
  readonly prefix: string;
  readonly partitions: number;
  /** Long where a process stands still while its queues are filled. */
  readonly leaseMs?: number;
  /** Whether parcels have no history and are not indexed. */
  readonly lean?: boolean;
}

export function settings(): SubjectSettings {
  return JSON.parse(process.argv[2] ?? "{}") as SubjectSettings;
}

/** Says that it is ready, and what else there is to say; then it ends with the benchmark. */
export function ready(stop: () => Promise<void>, said = ""): void {
  process.stdin.resume();
  process.stdin.on("end", () => {
    void stop().finally(() => process.exit());
  });
  process.stdout.write(`ready ${said}\n`);
}
