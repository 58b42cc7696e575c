import type { Facts, Finding, Lasting } from "./facts.ts";
import type { HealthLimits } from "./limits.ts";
import { settingFindings } from "./setting-findings.ts";

type Judge = (facts: Facts, limits: HealthLimits) => readonly Finding[];

/** What an operator should know of these facts; problems come first. */
export function findingsOf(facts: Facts, limits: HealthLimits): readonly Finding[] {
  const all = judges.flatMap((judge) => judge(facts, limits));
  const of = (wanted: Finding["severity"]) => all.filter(({ severity }) => severity === wanted);
  return [...of("problem"), ...of("warning")];
}

const judges: readonly Judge[] = [
  servers,
  ownerless,
  stalled,
  overdueTimers,
  outbox,
  queues,
  deadLetters,
  instances,
  waiting,
  settingFindings,
];

function servers({ broker, storeTrouble }: Facts): readonly Finding[] {
  const found: Finding[] = [];
  if (broker.status !== "up") {
    const freed = "Free memory or disk on it";
    const back = "See that it runs and that WAYBILL_BROKER names it";
    found.push({
      code: "broker-away",
      severity: "problem",
      about: broker.status,
      message: `the broker is ${broker.status}: ${broker.reason ?? "it has not said why"}`,
      action: `${broker.status === "blocked" ? freed : back}; work goes on by itself then.`,
    });
  }
  if (storeTrouble === undefined) return found;
  const message = `the store does not answer: ${storeTrouble}`;
  const action = "See that it runs and that WAYBILL_STORE names it; work goes on by itself then.";
  return [...found, { code: "store-away", severity: "problem", about: "", message, action }];
}

function ownerless(facts: Facts, { ownerlessMs }: HealthLimits): readonly Finding[] {
  const { partitionCount, engine, storeTrouble } = facts;
  if (storeTrouble !== undefined || facts.ownerless.length === 0) return [];
  const none = facts.ownerless.length === partitionCount;
  const long = facts.ownerless.filter(({ forMs }) => forMs >= ownerlessMs);
  if (none && engine) {
    return [
      {
        code: "no-owner",
        severity: "problem",
        about: "",
        message: "no partition has an owner",
        action: "This process should own some: its log says why it cannot claim them.",
      },
    ];
  }
  if (long.length === 0) return [];
  return [
    {
      code: "partitions-without-owner",
      severity: "warning",
      about: numbersOf(long),
      message: `${partitionsOf(long)} had no owner for ${longest(long)}: their instances stand still.`,
      action:
        "See that enough processes with the role `engine` run and reach broker and store; their logs say what they lost and why.",
    },
  ];
}

function stalled(facts: Facts, { stalledMs }: HealthLimits): readonly Finding[] {
  const long = facts.stalled.filter(({ forMs }) => forMs >= stalledMs);
  if (long.length === 0) return [];
  const isAll = long.length === facts.owned.length;
  const has = `${partitionsOf(long)} had work for ${longest(long)} and committed nothing`;
  const action =
    "Look into this process's log for what store and broker answer, then restart it: another one takes over meanwhile.";
  const about = numbersOf(long);
  return [
    isAll
      ? {
          code: "no-progress",
          severity: "problem",
          about,
          message: `${has}: nothing moves here`,
          action,
        }
      : {
          code: "partitions-without-progress",
          severity: "warning",
          about,
          message: `${has}.`,
          action,
        },
  ];
}

function overdueTimers(facts: Facts, { timerOverdueMs }: HealthLimits): readonly Finding[] {
  const { oldestOverdueMs, overdueTimers: count } = facts;
  if (oldestOverdueMs < timerOverdueMs) return [];
  const many = count === 1 ? "1 timer is" : `${Math.max(count, 1)} timers are`;
  return [
    {
      code: "overdue-timers",
      severity: "warning",
      about: "",
      message: `${many} overdue, the oldest by ${spanOf(oldestOverdueMs)}.`,
      action:
        "None is lost: they fire in order once their partition has an owner that keeps up. Look at queues and owners.",
    },
  ];
}

function outbox(facts: Facts, limits: HealthLimits): readonly Finding[] {
  const found: Finding[] = [];
  if (facts.oldestOutboxMs >= limits.outboxAgeMs) {
    found.push({
      code: "old-outbox",
      severity: "warning",
      about: "",
      message: `A message has been promised for ${spanOf(facts.oldestOutboxMs)} and the broker has not taken it.`,
      action:
        "Look at the broker's alarms, and into this process's log for a queue that does not exist; it is sent as soon as it can be.",
    });
  }
  const large = facts.partitions.filter(
    ({ outboxEntries }) => outboxEntries >= limits.outboxEntries,
  );
  if (large.length === 0) return found;
  const most = Math.max(...large.map(({ outboxEntries }) => outboxEntries));
  return [
    ...found,
    {
      code: "large-outbox",
      severity: "warning",
      about: numbersOf(large),
      message: `${partitionsOf(large)} up to ${most} effects that are promised and not done: messages for the broker, or local activities.`,
      action:
        "See whether the broker confirms and whether activities hang; above 10000 unsent messages a partition takes nothing in.",
    },
  ];
}

function queues(facts: Facts, { queueMessages }: HealthLimits): readonly Finding[] {
  const long = facts.queues.filter(({ messages }) => messages >= queueMessages);
  if (long.length === 0) return [];
  const most = Math.max(...long.map(({ messages }) => messages));
  return [
    {
      code: "long-queue",
      severity: "warning",
      about: numbersOf(long),
      message: `${partitionsOf(long)} up to ${most} messages waiting.`,
      action:
        "Add processes or slow the senders down; above 10000 new starts are refused with 429.",
    },
  ];
}

function deadLetters({ partitions }: Facts): readonly Finding[] {
  const count = partitions.reduce((sum, one) => sum + one.deadLetters, 0);
  if (count === 0) return [];
  return [
    {
      code: "dead-letters",
      severity: "warning",
      about: "",
      message: count === 1 ? "1 message is set aside." : `${count} messages are set aside.`,
      action: "GET /dead-letters lists them with the reason: send each again or drop it.",
    },
  ];
}

function instances(facts: Facts): readonly Finding[] {
  const withSome = (kind: "failed" | "stuck") => facts.instances.filter((one) => one[kind] > 0);
  const list = (kind: "failed" | "stuck") =>
    withSome(kind)
      .map((one) => `${one[kind]} of ${one.workflow}`)
      .join(", ");
  const named = (kind: "failed" | "stuck") => withSome(kind).map(({ workflow }) => workflow);
  const found: Finding[] = [];
  if (named("stuck").length > 0) {
    found.push({
      code: "stuck-instances",
      severity: "warning",
      about: named("stuck").join(),
      message: `Instances are stuck, nothing known can move them: ${list("stuck")}.`,
      action: `GET /workflows/${named("stuck")[0]}/instances?stuck=true lists them, each with advice.`,
    });
  }
  if (named("failed").length > 0) {
    found.push({
      code: "failed-instances",
      severity: "warning",
      about: named("failed").join(),
      message: `Instances have failed and hold their events back: ${list("failed")}.`,
      action: `GET /workflows/${named("failed")[0]}/instances?status=failed lists them; mend the code, then POST …/retry.`,
    });
  }
  return found;
}

function waiting(facts: Facts, { waitingMs }: HealthLimits): readonly Finding[] {
  if (facts.oldestWaitingMs < waitingMs) return [];
  return [
    {
      code: "old-waiting-events",
      severity: "warning",
      about: "",
      message: `${facts.waitingInstances} instances keep events waiting, one of them for ${spanOf(facts.oldestWaitingMs)}.`,
      action:
        "GET /workflows/{workflow}/instances?waiting=true lists them: deferred events want another state; held ones retry, resume, or the missing code.",
    },
  ];
}

function numbersOf(ones: readonly { readonly partition: number }[]): string {
  return ones.map(({ partition }) => partition).join(", ");
}

function partitionsOf(ones: readonly { readonly partition: number }[]): string {
  return ones.length === 1
    ? `Partition ${numbersOf(ones)} has`
    : `Partitions ${numbersOf(ones)} have`;
}

function longest(ones: readonly Lasting[]): string {
  return spanOf(Math.max(...ones.map(({ forMs }) => forMs)));
}

/** A duration as a person would say it. */
export function spanOf(durationMs: number): string {
  const seconds = Math.round(durationMs / 1_000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}
