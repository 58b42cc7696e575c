/** Where a subject works, as the benchmark tells it. */
export interface SubjectSettings {
  readonly broker: string;
  readonly store: string;
  readonly prefix: string;
  readonly partitions: number;
  /** Long where a process stands still while its queues are filled. */
  readonly leaseMs?: number;
}

export function settings(): SubjectSettings {
  return JSON.parse(process.argv[2] ?? "{}") as SubjectSettings;
}

/** Says that it is ready, and then ends with the benchmark. */
export function ready(stop: () => Promise<void>): void {
  process.stdin.resume();
  process.stdin.on("end", () => {
    void stop().finally(() => process.exit());
  });
  process.stdout.write("ready\n");
}
