import type { Client, InstanceView } from "../../../src/engine/client.ts";

export const order: InstanceView = {
  workflow: "order",
  id: "o-1",
  definition: "1",
  version: 3,
  status: "active",
  state: "awaitingPayment",
  tags: ["open"],
  context: { amount: 5 },
  timers: [{ name: "paymentDeadline", due: 1_800_000 }],
  activities: [],
  accepts: ["payment.captured"],
  waiting: 0,
  createdAt: 0,
  updatedAt: 1_000,
};

/** What was asked of a scripted client, in order. */
export type Asked = readonly [method: string, ...values: readonly unknown[]];

/** A client that answers as told, refuses to be asked anything else, and remembers what it was asked. */
export function scriptedClient(script: Partial<Client>): { client: Client; asked: Asked[] } {
  const asked: Asked[] = [];
  const client = {
    start: told("start", script.start, asked),
    startAsync: told("startAsync", script.startAsync, asked),
    send: told("send", script.send, asked),
    sendAsync: told("sendAsync", script.sendAsync, asked),
    dryRun: told("dryRun", script.dryRun, asked),
    get: told("get", script.get, asked),
    wait: told("wait", script.wait, asked),
    list: told("list", script.list, asked),
    history: told("history", script.history, asked),
    workflows: told("workflows", script.workflows, asked),
    workflow: told("workflow", script.workflow, asked),
    retry: told("retry", script.retry, asked),
    terminate: told("terminate", script.terminate, asked),
    suspend: told("suspend", script.suspend, asked),
    resume: told("resume", script.resume, asked),
    deadLetters: told("deadLetters", script.deadLetters, asked),
    redriveDeadLetter: told("redriveDeadLetter", script.redriveDeadLetter, asked),
    dropDeadLetter: told("dropDeadLetter", script.dropDeadLetter, asked),
    redriveDeadLetters: told("redriveDeadLetters", script.redriveDeadLetters, asked),
    health: told("health", script.health, asked),
  };
  return { client, asked };
}

function told<Values extends readonly unknown[], Answer>(
  method: string,
  answer: ((...values: Values) => Promise<Answer>) | undefined,
  asked: Asked[],
): (...values: Values) => Promise<Answer> {
  return (...values) => {
    asked.push([method, ...values]);
    if (answer === undefined) throw new Error(`The script has no answer to ${method}.`);
    return answer(...values);
  };
}

/** A POST or PUT request with a JSON body. */
export function writing(
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  method = "POST",
): RequestInit {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { method, body: text, headers: { "content-type": "application/json", ...headers } };
}
