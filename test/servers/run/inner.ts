import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Child } from "../../support/child-process.ts";
import { RabbitMqServer } from "../../support/rabbitmq-server.ts";
import { RedisServer } from "../../support/redis-server.ts";

test("hangs with servers and a process", async () => {
  const servers = [RedisServer.start()];
  const brokers = [RabbitMqServer.start()];
  const child = new Child({ args: ["--eval", "console.log('here'); setInterval(() => {}, 1000)"] });
  await Promise.all([...servers, ...brokers, child.says(/here/, 200_000)]);
  process.stdout.write(`everything runs in ${tmpdir()}\n`);
  await new Promise(() => undefined);
});

test("leaves a process behind", () => {
  spawn("sleep", ["600"], { detached: true, stdio: "ignore" }).unref();
});

test("fails once", () => {
  const mark = join(tmpdir(), "failed");
  const isSecond = existsSync(mark);
  writeFileSync(mark, "");
  expect(isSecond, "the first attempt").toBe(true);
});
