import type { Cut } from "./guard-cutter.ts";
import type { Mutant } from "./mutants.ts";

const engine = "src/engine";

function cut(name: string, what: string, ...places: readonly Cut[]): Mutant {
  return { name, what, cuts: places.map((one) => ({ ...one, file: `${engine}/${one.file}` })) };
}

/** Guards inside of the engine: its source is loaded without them. */
export const cutMutants: readonly Mutant[] = [
  cut("sweep", "due timers are found at a claim and after a wake-up only", {
    file: "partition.ts",
    guard: "this.#watchers.sweep();\n    this.#timersMayBeDue();",
    instead: "this.#watchers.sweep();",
  }),
  cut(
    "generation of timers",
    "a timer of an earlier visit counts",
    {
      file: "plan/apply-timer.ts",
      guard: "(one) => one.name === name && one.generation === generation",
      instead: "(one) => one.name === name",
    },
    {
      file: "plan/apply-timer.ts",
      guard: "const origin = { timer: name, generation };",
      instead: "const origin = { timer: name, generation: timer.generation };",
    },
  ),
  cut("generation of activities", "a result for an earlier visit counts", {
    file: "plan/apply-activity.ts",
    guard: "(one) => one.id === id && one.generation === generation && one.ended !== true",
    instead: "(one) => one.id === id && one.ended !== true",
  }),
  cut("first end wins", "a child that has ended while its parent stood still ends again", {
    file: "plan/apply-activity.ts",
    guard:
      "if (draft.current?.held?.some((event) => isEndOf(child, event)) === true) return undefined;",
    instead: "",
  }),
  cut("prefix of the ingress", "what was confirmed behind a failure is not sent again", {
    file: "ingress.ts",
    guard: "const done = stop < 0 ? batch : batch.slice(0, stop);",
    instead: 'const done = batch.filter((_, index) => outcome[index] === "confirmed");',
  }),
  cut("prefix of the outbox", "what failed is sent again behind what was confirmed", {
    file: "outbox.ts",
    guard: "const done = failedAt < 0 ? chunk : chunk.slice(0, failedAt);",
    instead: "const done = chunk;",
  }),
  cut("doubt about refusals", "a requester is refused what was applied before", {
    file: "committer.ts",
    guard: "if (await this.#findHandled(plan)) continue;",
    instead: "",
  }),
  cut("two windows of memory", "inboxes are trimmed to nothing", {
    file: "inboxes.ts",
    guard: "const before = now - 2 * inboxWindowMs;",
    instead: "const before = now;",
  }),
  cut("patience of watchers", "requesters that wait are never forgotten", {
    file: "partition.ts",
    guard: "this.#watchers.sweep();\n",
    instead: "",
  }),
  cut("timers of suspended instances", "a timer fires although its instance is suspended", {
    file: "plan/apply-timer.ts",
    guard: "if (standsStill(draft)) return keepEvent(plan, draft, { type, payload, origin });",
    instead: "",
  }),
  cut("timers without code", "a timer is used up where nobody can run its instance", {
    file: "plan/apply-timer.ts",
    guard: "if (draft.current?.sealed !== undefined) return keepForLater(plan, arrival);",
    instead: "",
  }),
  cut("events without code", "an event is refused where nobody can run its instance", {
    file: "plan/apply-event.ts",
    guard: "if (draft.current?.sealed !== undefined) return hold(plan, draft, event);",
    instead: "",
  }),
  cut("results without code", "a result is lost where nobody can run its instance", {
    file: "plan/apply-activity.ts",
    guard: "return keepResult(plan, arrival, answerOf({ id: activity, generation }, outcome));",
    instead: "return stale(plan, key, activity);",
  }),
  cut("capable owners", "a process owns partitions although another one has more of their code", {
    file: "rendezvous.ts",
    guard: "return complete.length > 0 ? complete : members;",
    instead: "return members;",
  }),
  cut("age of lost commits", "a commit that is written again is refused for its age", {
    file: "recover.ts",
    guard: "const inboxWindowMs = Number.MAX_SAFE_INTEGER;",
    instead: "const { inboxWindowMs } = one;",
  }),
  cut("look before a hand-over", "an owner leaves without seeing that its commits are lost", {
    file: "ownership.ts",
    guard: "if (head.epoch > epoch || ring.contradiction(head) === undefined) {",
    instead: "if (epoch > 0) {",
  }),
  cut(
    "epoch given out again",
    "who has lost a partition takes the next owner's epoch for its own",
    {
      file: "ownership.ts",
      guard: "if (isBorneOut ? head.epoch <= ring.epoch : ring.after(head) !== undefined) return;",
      instead: "if (head.epoch === ring.epoch) return;",
    },
  ),
  cut(
    "claim without an answer",
    "commits are given up when a claim of one's own was not answered",
    {
      file: "ownership.ts",
      guard: "if (isBorneOut ? head.epoch <= ring.epoch : ring.after(head) !== undefined) return;",
      instead: "if (head.epoch <= ring.epoch && ring.after(head) !== undefined) return;",
    },
  ),
  cut("as many commits, but others", "an owner looks only at how many commits there are", {
    file: "ownership.ts",
    guard: "if (renewed.sequence < sequence || isOther) {",
    instead: "if (renewed.sequence < sequence) {",
  }),
  cut("store before acknowledging", "what changes nothing is acknowledged without the store", {
    file: "committer.ts",
    guard: "arrivals.some(isAcknowledged)",
    instead: "false",
  }),
  cut("history of the terminated", "to end an instance without its code leaves no history", {
    file: "plan/apply-stop.ts",
    guard: "note(plan, draft, cause);",
    instead: "update(draft, { version: (current?.version ?? 0) + 1 });",
  }),
  cut("notice of each reason", "the notices of one dead letter for two reasons bear one id", {
    file: "plan/park.ts",
    guard: "${version}:${jsonDigest(notice)}`",
    instead: "${version}`",
  }),
  {
    ...cut("attempt of a lease", "the lease of an earlier attempt ends the present one", {
      file: "plan/apply-activity.ts",
      guard: 'if (over.kind === "lease" && child.attempt !== over.attempt) return;',
      instead: "",
    }),
    covered: "the lease of an attempt is called off with it",
  },
  cut("lease before ack", "a worker acknowledges what it has no lease for", {
    file: "activities/worker.ts",
    guard: "if (wanted === undefined) return this.#giveBack(session);",
    instead: "if (wanted === undefined) return session.acknowledged.add(delivery);",
  }),
];
