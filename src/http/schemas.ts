import { z } from "@hono/zod-openapi";

const time = z.iso.datetime().openapi({ example: "2026-11-22T09:30:00.000Z" });
const json = (description: string) => z.unknown().openapi({ description });
const stateValue = z
  .union([z.string(), z.record(z.string(), z.unknown())])
  .openapi({ description: "A name, or an object of regions", example: "waiting" });
const status = z.enum(["active", "done", "error", "stopped", "failed", "suspended"]);

/** An instance as examples show it. */
export const exampleInstance = {
  workflow: "hello",
  id: "ada",
  definition: "1",
  version: 1,
  status: "active",
  state: "waiting",
  tags: [],
  context: { name: "Ada" },
  timers: [{ name: "after 60000 in waiting", due: "2026-11-22T09:31:00.000Z" }],
  activities: [],
  accepts: ["hello.reply"],
  waiting: 0,
  createdAt: "2026-11-22T09:30:00.000Z",
  updatedAt: "2026-11-22T09:30:00.000Z",
};

export const instanceSchema = z
  .object({
    workflow: z.string(),
    id: z.string(),
    definition: z.string().openapi({ description: "The definition's version that it runs on" }),
    version: z.int().openapi({ description: "+1 for every event applied; its ETag" }),
    status,
    stuck: z
      .literal(true)
      .optional()
      .openapi({ description: "Set while nothing known can move an active instance" }),
    advice: z.string().optional().openapi({ description: "Why it is stuck, and what to do" }),
    state: stateValue,
    tags: z.array(z.string()),
    context: json("The machine's context"),
    output: json("What it ended with, once it is done").optional(),
    error: json("Why it ended in error, or failed").optional(),
    timers: z.array(z.object({ name: z.string(), due: time })),
    activities: z.array(z.object({ id: z.string(), name: z.string(), attempt: z.int() })),
    accepts: z
      .array(z.string())
      .openapi({ description: "The event types that the present state reacts to" }),
    waiting: z.int().openapi({ description: "Events deferred, or held behind one that failed" }),
    traces: z
      .array(z.string())
      .optional()
      .openapi({ description: "Traces of its start and of its last step, if it is traced" }),
    createdAt: time,
    updatedAt: time,
  })
  .openapi("Instance", { example: exampleInstance });

export const sentSchema = instanceSchema
  .partial()
  .extend({
    outcome: z
      .enum(["applied", "duplicate", "ignored", "deferred", "held", "parked", "accepted"])
      .openapi({
        description:
          "What became of the event. The other members are the instance after it, where there is one.",
      }),
  })
  .openapi("SentEvent", { example: { outcome: "applied", ...exampleInstance } });

export const acceptedStartSchema = z
  .object({ outcome: z.literal("accepted"), id: z.string() })
  .openapi("AcceptedStart", { example: { outcome: "accepted", id: "ada" } });

export const dryRunSchema = z
  .object({
    accepted: z.boolean(),
    state: stateValue,
    status,
    emits: z.array(z.object({ type: z.string(), payload: json("The payload") })),
    timersArmed: z.array(z.object({ name: z.string(), delayMs: z.number() })),
    timersCancelled: z.array(z.string()),
    activitiesStarted: z.array(z.object({ name: z.string(), input: json("Its input") })),
    activitiesStopped: z.array(z.string()),
  })
  .openapi("DryRun");

export const historyPageSchema = z
  .object({
    items: z.array(
      z.object({
        number: z.int(),
        at: time,
        version: z.int(),
        type: z.string(),
        messageId: z.string().optional(),
        payload: json("The event's payload").optional(),
        state: stateValue,
        traceId: z.string().optional(),
      }),
    ),
    nextAfter: z.int().optional().openapi({ description: "`after` of the next page, if any" }),
  })
  .openapi("HistoryPage");

const typed = z.array(z.object({ type: z.string(), schema: json("JSON Schema").optional() }));

export const workflowSchema = z
  .object({
    name: z.string(),
    versions: z.array(z.string()),
    states: z.array(z.string()),
    startedBy: z.array(z.string()),
    input: json("JSON Schema of its input").optional(),
    events: typed,
    emits: typed,
    counts: z
      .record(z.string(), z.int())
      .openapi({ description: "Instances by `status:…` and `state:…`" }),
  })
  .openapi("Workflow");

const exampleLetter = {
  id: "5-Yk3cQ0uJ9mWm1JfZ0cAqLw",
  messageId: "reply-17",
  partition: 5,
  at: "2026-11-22T09:40:00.000Z",
  reason: "ended",
  detail: "hello/ada has ended and takes no hello.reply.",
  key: "hello/ada",
  type: "hello.reply",
  body: '{"words":"Good day!"}',
  redrives: 0,
};

export const deadLetterSchema = z
  .object({
    id: z.string().openapi({ description: "Unique among all dead letters" }),
    messageId: z
      .string()
      .optional()
      .openapi({ description: "The message's own id, if it had one" }),
    partition: z.int(),
    at: time,
    reason: z.string().openapi({ example: "not-accepted" }),
    detail: z.string(),
    key: z.string().optional().openapi({ example: "hello/ada" }),
    type: z.string().optional(),
    body: z.string().openapi({ description: "The payload as the text that it came as" }),
    redrives: z.int().openapi({ description: "How often it was sent again before it ended here" }),
  })
  .openapi("DeadLetter", { example: exampleLetter });

export const settledLetterSchema = z
  .object({ outcome: z.enum(["redriven", "dropped"]) })
  .openapi("SettledDeadLetter", { example: { outcome: "redriven" } });

export const redrivenSchema = z
  .object({
    redriven: z.int().openapi({ description: "How many were sent again" }),
    refused: z.int().openapi({ description: "How many could not be, and stay" }),
    more: z.boolean().openapi({ description: "Whether `limit` has left some for another request" }),
  })
  .openapi("Redriven", { example: { redriven: 12, refused: 1, more: false } });

const measuresSchema = z
  .object({
    queues: z.array(z.object({ partition: z.int(), messages: z.int() })),
    ownerless: z.array(z.int()),
    stalled: z.array(z.int()),
    oldestOutboxMs: z.number(),
    overdueTimers: z.int(),
    oldestOverdueTimerMs: z.number(),
    instances: z.array(
      z.object({ workflow: z.string(), failed: z.int(), suspended: z.int(), stuck: z.int() }),
    ),
    waitingInstances: z.int(),
    oldestWaitingMs: z.number(),
    clockSkewMs: z.number(),
    eventLoopLagMs: z.number(),
  })
  .openapi({ description: "Absent while broker and store have not been reached" });

export const healthSchema = z
  .object({
    ready: z.boolean(),
    problems: z.array(z.string()).openapi({ description: "What is in the way" }),
    warnings: z
      .array(z.string())
      .openapi({ description: "What somebody should look after, and how; work goes on" }),
    findings: z
      .array(z.object({ code: z.string(), severity: z.enum(["problem", "warning"]) }))
      .openapi({ description: "The stable names of both" }),
    durability: z.string().openapi({ description: "What the store survives", example: "fsync" }),
    brokerDurability: z
      .string()
      .openapi({ description: "What the broker survives", example: "fsync" }),
    broker: z.string().openapi({ example: "up" }),
    partitions: z.array(
      z.object({
        partition: z.int(),
        epoch: z.int(),
        owner: z.string().optional(),
        leaseUntil: time,
        outboxEntries: z.int(),
        timers: z.int(),
        nextDue: time.optional(),
        deadLetters: z.int(),
      }),
    ),
    owned: z.array(z.int()),
    measures: measuresSchema.optional(),
  })
  .openapi("Health");

export const problemSchema = z
  .object({
    type: z.string().openapi({ description: "Resolves to a page about this kind of problem" }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().openapi({ description: "The stable name of the kind; branch on this" }),
    action: z.string().openapi({ description: "What you can do next" }),
    retryable: z.boolean(),
    errors: z
      .array(
        z.object({
          pointer: z.string().optional().openapi({ description: "JSON Pointer into the body" }),
          parameter: z.string().optional(),
          header: z.string().optional(),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .openapi("Problem", {
    example: {
      type: "/problems/not-accepted",
      title: "The present state does not accept the event",
      status: 409,
      detail: "hello/ada does not accept hello.again in its present state.",
      code: "not-accepted",
      action: "Send one of the events listed under accepts, or wait for another state.",
      retryable: false,
      accepts: ["hello.reply"],
    },
  });

/** One page of a list; `nextCursor` is there when more may follow. */
export function pageSchema<Item extends z.ZodType>(name: string, item: Item) {
  return z
    .object({ items: z.array(item), nextCursor: z.string().optional() })
    .openapi(`${name}Page`);
}
