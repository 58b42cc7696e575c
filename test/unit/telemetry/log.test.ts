import { describe, expect, it } from "vitest";
import { logObserver } from "../../../src/telemetry/log.ts";

function logging(level: string) {
  const lines: unknown[] = [];
  const observer = logObserver(level, { write: (line) => lines.push(JSON.parse(line)) });
  return { observer, lines };
}

describe("the log", () => {
  it("has a JSON line for what was observed, with the ids of its trace", () => {
    const { observer, lines } = logging("info");
    const trace = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
    observer.observe({ kind: "failed", key: "order/1", type: "go", error: "no" }, trace);
    observer.observe({ kind: "trouble", where: "store", message: "it is away" });
    expect(lines).toEqual([
      {
        level: "error",
        time: expect.any(Number),
        key: "order/1",
        type: "go",
        error: "no",
        trace_id: "a".repeat(32),
        span_id: "b".repeat(16),
        msg: "failed",
      },
      {
        level: "warn",
        time: expect.any(Number),
        where: "store",
        message: "it is away",
        msg: "it is away",
      },
    ]);
  });

  it("leaves out what is below its level", () => {
    const { observer, lines } = logging("warn");
    observer.observe({ kind: "started", key: "order/1", state: "a" });
    expect(lines).toEqual([]);
  });

  it("refuses a level that there is not", () => {
    expect(() => logging("loud")).toThrow('LOG_LEVEL is "loud".');
  });
});
