import { expect, test } from "vitest";
import { proveTraces } from "../support/jaeger-proof.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";

test("Spans go out over OTLP, and as Jaeger shows them every parent and link is there, errors show and each burst has one root", async () => {
  const receiver = await startOtlpReceiver();
  const { traces, problems } = await proveTraces({ otlp: receiver.url, query: receiver.url });
  await receiver.close();
  expect(problems.join("\n")).toBe("");
  expect(traces.length).toBeGreaterThan(10);
});
