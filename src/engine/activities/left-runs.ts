import type { Clock } from "../../clock.ts";
import type { Observer } from "../../observer.ts";
import type { RerunArrival, ResultArrival } from "../arrival.ts";
import type { TrialRoom } from "../trial-room.ts";
import type { ActivityTask, RunContent } from "../wire.ts";

export interface LeftRunsOptions {
  readonly clock: Clock;
  readonly observer: Observer;
  readonly room: TrialRoom;
  /** How many processes may end over one run. */
  readonly deaths: number;
  /** Takes what is to be written down, or what has come of a run, to the partition. */
  readonly arrive: (arrival: RerunArrival | ResultArrival) => void;
  readonly isRunning: (task: ActivityTask) => boolean;
}

interface LeftRun {
  readonly seq: number;
  readonly content: RunContent;
  readonly deaths: number;
}

/** A message that ends processes has shown by then that it was not the activity. */
const restMs = 5_000;
/** How long a suspect has the process to itself; one that a process has ended over twice has it until it ends. */
const aloneMs = 1_000;

/**
 * The local activities that earlier owners of a partition have left. Each is written down in its own outbox entry
 * before it runs again, so that the next owner knows over which of them a process may have ended: those it runs one
 * after the other, and a run that has ended as many processes as may be ends as an error.
 */
export class LeftRuns {
  readonly #options: LeftRunsOptions;
  /** What this owner has started again, by outbox entry. */
  readonly #started = new Map<number, LeftRun>();
  readonly #pauses = new Set<() => void>();
  #isClosed = false;

  constructor(options: LeftRunsOptions) {
    this.#options = options;
  }

  take(seq: number, content: RunContent): void {
    const { by, deaths: before = 0 } = content.tried ?? {};
    const hasDied = by !== undefined && !this.#options.room.isAlive(by);
    const deaths = before + (hasDied ? 1 : 0);
    const run = { seq, content, deaths };
    if (deaths >= this.#options.deaths) this.#giveUp(run);
    else if (deaths === 0) this.#start(run);
    else void this.#startAlone(run);
  }

  /** What to write down when the partition is handed over: nothing of it runs any more, and no process has ended. */
  handBack(): readonly RerunArrival[] {
    return [...this.#started.values()]
      .filter(({ content }) => this.#options.isRunning(content.task))
      .map((run) => rerun(run, { deaths: run.deaths }));
  }

  close(): void {
    this.#isClosed = true;
    for (const end of this.#pauses) end();
  }

  #start(run: LeftRun): void {
    const { room, arrive } = this.#options;
    this.#started.set(run.seq, run);
    arrive(rerun(run, { by: room.by, deaths: run.deaths }));
  }

  async #startAlone(run: LeftRun): Promise<void> {
    await this.#pause(restMs);
    this.#options.room.runActivity(async () => {
      if (this.#isClosed) return;
      this.#start(run);
      do await this.#pause(aloneMs);
      while (run.deaths > 1 && this.#options.isRunning(run.content.task) && !this.#isClosed);
    });
  }

  #giveUp({ seq, content: { task, trace }, deaths }: LeftRun): void {
    const { observer, arrive } = this.#options;
    const { key, activity, generation, attempt } = task;
    const message = `${deaths} processes have ended while they ran it`;
    const trouble = `${key}: the activity ${activity} fails, since ${message}`;
    observer.observe({ kind: "trouble", where: "engine", message: trouble }, trace);
    const error = { name: "ProcessEnded", message, retryable: false };
    const outcome = { kind: "error", error } as const;
    const receipt = { seq };
    arrive({ kind: "result", receipt, key, trace, activity, generation, attempt, outcome });
  }

  #pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const cancel = this.#options.clock.after(durationMs, end);
      this.#pauses.add(end);
    });
  }
}

function rerun({ seq, content }: LeftRun, tried: NonNullable<RunContent["tried"]>): RerunArrival {
  const { key } = content.task;
  return { kind: "rerun", receipt: {}, key, trace: {}, seq, content: { ...content, tried } };
}
