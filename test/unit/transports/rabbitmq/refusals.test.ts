import { describe, expect, test } from "vitest";
import { refusal } from "../../../../transports/rabbitmq/refusals.ts";

function closed(code: number, text: string): Error {
  const message = `Operation failed: QueueDeclare; ${code} (NAME) with message "${text}"`;
  return Object.assign(new Error(message), { code });
}

describe("what RabbitMQ refuses", () => {
  test("names the queue, the argument and both values when arguments differ", () => {
    const text =
      "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'wf.p.1' in vhost '/': received the value 'quorum' of type 'longstr' but current is the value 'classic' of type 'longstr'";
    expect(refusal(closed(406, text), "another")).toMatchObject({
      code: "queue-mismatch",
      message:
        "The queue \"wf.p.1\" exists with another \"x-queue-type\": the value 'classic' of type 'longstr', not the value 'quorum' of type 'longstr'.",
      details: { name: "wf.p.1", argument: "x-queue-type" },
      retryable: false,
    });
  });

  test("says so of exchanges as well", () => {
    const text =
      "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'wf.events' in vhost '/': received 'topic' but current is 'fanout'";
    expect(refusal(closed(406, text), "wf.events")).toMatchObject({
      code: "exchange-mismatch",
      details: { argument: "type", wanted: "'topic'", found: "'fanout'" },
    });
  });

  test.each([
    [403, "access-refused", false],
    [404, "unknown-queue", false],
    [405, "queue-locked", true],
    [541, "unavailable", true],
  ])("%i is %s", (code, name, retryable) => {
    const error = refusal(closed(code, "NAME - because"), "wf.q");
    expect(error).toMatchObject({ code: name, retryable });
    expect(error.message).toContain("NAME - because");
    expect(error.action).toBeTruthy();
  });
});
