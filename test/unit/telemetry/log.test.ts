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

  it("counts a trouble that comes again at once instead of saying it each time", () => {
    const lines: unknown[] = [];
    let now = 0;
    const to = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const observer = logObserver("info", to, () => now);
    const trouble = (message: string) =>
      observer.observe({ kind: "trouble", where: "transport", message });
    for (now = 0; now < 10_000; now += 200) trouble("it is away");
    trouble("it is away");
    trouble("it has another reason");
    observer.observe({ kind: "ended", key: "o/1", status: "done", state: "a", output: 1 });
    observer.observe({ kind: "ended", key: "o/1", status: "done", state: "a", output: 1 });
    expect(lines).toMatchObject([
      { msg: "it is away" },
      { msg: "it is away", repeated: 49 },
      { msg: "it has another reason" },
      { msg: "ended" },
      { msg: "ended" },
    ]);
    expect(lines[0]).not.toHaveProperty("repeated");
  });

  it("tells findings by their severity, and their end as good news", () => {
    const { observer, lines } = logging("info");
    const finding = { kind: "finding", code: "c", message: "m" } as const;
    observer.observe({ ...finding, severity: "problem", change: "appeared" });
    observer.observe({ ...finding, severity: "warning", change: "appeared" });
    observer.observe({ ...finding, severity: "problem", change: "gone" });
    const levels = lines.map((line) => (line as { readonly level: string }).level);
    expect(levels).toEqual(["error", "warn", "info"]);
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
