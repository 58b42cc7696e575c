import { Command } from "ioredis";
import { expect, test } from "vitest";
import { knownScript, newScript } from "../../../../src/stores/redis/script-command.ts";
import { scripts } from "../../../../src/stores/redis/scripts.ts";
import { WireText } from "../../../../src/stores/redis/wire-text.ts";

const args = ["Grüße 运单", 7, "", "a\r\nb"];
const key = "waybill:{waybill:p07}";
const { text, sha } = scripts.commit;

test.each([
  ["evalsha", sha, knownScript],
  ["eval", text, newScript],
] as const)("%s goes to the node of its key, with all of its words", (name, program, make) => {
  const own = new Command(name, [program, 2, key, `${key}:none`, ...args]);
  const made = make(scripts.commit, key, WireText.of(args));
  expect(made.name).toBe(name);
  expect(made.toWritable({})).toEqual(own.toWritable({}));
  expect(made.getKeys()).toEqual([key, `${key}:none`]);
  expect(made.getSlot()).toBe(own.getSlot());
});

test("texts of an answer come as texts", async () => {
  const made = knownScript(scripts.commit, key, WireText.of([]));
  made.resolve([Buffer.from("Grüße"), 1]);
  expect(await made.promise).toEqual(["Grüße", 1]);
});
