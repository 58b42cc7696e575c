import { EventEmitter } from "node:events";
import type { Command } from "ioredis";
import { expect, test } from "vitest";
import type { RedisClient } from "../../../../src/stores/redis/connect.ts";
import { RedisLink } from "../../../../src/stores/redis/link.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

/** A client whose commands the test answers. */
class ScriptedClient extends EventEmitter {
  status = "connecting";
  readonly sent: { readonly command: string; readonly answer: (reply: unknown) => void }[] = [];

  async connect(): Promise<void> {}

  disconnect(): void {
    this.status = "end";
  }

  sendCommand(command: Command): void {
    this.sent.push({ command: command.name, answer: (reply) => command.resolve(reply) });
  }

  becomes(status: string): void {
    this.status = status;
    this.emit(status);
  }
}

function scripted() {
  const clients: ScriptedClient[] = [];
  const reconnects = { count: 0 };
  const time = new ManualClock();
  const link = new RedisLink({
    client: () => {
      const client = new ScriptedClient();
      clients.push(client);
      return client as unknown as RedisClient;
    },
    clock: {
      monotonic: () => time.now,
      after(delayMs, task) {
        const id = time.setTimeout(task, delayMs);
        return () => time.clearTimeout(id);
      },
    },
    pauseMs: (attempt) => 100 * attempt,
    onReconnect: () => {
      reconnects.count += 1;
    },
    callDeadlineMs: 1_000,
    shown: "redis://…@db",
  });
  const client = (index = 0) => {
    const found = clients[index];
    if (found === undefined) throw new Error(`there is no client ${index}`);
    return found;
  };
  const pass = (ms: number) => {
    time.now += ms;
    while (time.fireOne());
  };
  return { link, clients, client, pass, reconnects };
}

const late = { code: "store-unavailable", retryable: true };

test("a call waits for the connection, and is then made", async () => {
  const { link, client } = scripted();
  const called = link.call("get", ["a"]);
  expect(client().sent).toEqual([]);
  client().becomes("ready");
  client().sent[0]?.answer("b");
  expect(await called).toBe("b");
});

test("a call that waited too long is rejected with the address and the last error, and not made later", async () => {
  const { link, client, pass } = scripted();
  const first = link.call("get", ["a"]);
  pass(1_000);
  await expect(first).rejects.toMatchObject(late);
  await expect(first).rejects.toThrow(/redis:\/\/…@db did not answer within 1000 ms/);
  const second = link.call("get", ["a"]);
  client().emit("error", new Error("connect ECONNREFUSED"));
  pass(1_000);
  await expect(second).rejects.toThrow(/ECONNREFUSED/);
  client().becomes("ready");
  expect(client().sent).toEqual([]);
});

test("a call that the client never settles is rejected in time", async () => {
  const { link, client, pass } = scripted();
  client().becomes("ready");
  const called = link.call("get", ["a"]);
  pass(1_000);
  await expect(called).rejects.toMatchObject(late);
});

test("a broken connection rejects what was sent at once, and leaves what still waits", async () => {
  const { link, client } = scripted();
  client().becomes("ready");
  const sent = link.call("first", []);
  client().becomes("close");
  await expect(sent).rejects.toMatchObject(late);
  const waiting = link.call("second", []);
  client().becomes("close");
  client().becomes("ready");
  const commands = client().sent.map(({ command }) => command);
  expect(commands).toEqual(["first", "second"]);
  client().sent[1]?.answer("done");
  expect(await waiting).toBe("done");
});

test("a client that gave up is replaced after a pause, and what waits goes to the new one", async () => {
  const { link, clients, client, pass } = scripted();
  const waiting = link.call("get", ["a"]);
  client(0).becomes("end");
  pass(99);
  expect(clients).toHaveLength(1);
  pass(1);
  client(1).becomes("end");
  pass(199);
  expect(clients).toHaveLength(2);
  pass(1);
  client(2).becomes("ready");
  client(2).sent[0]?.answer("b");
  expect(await waiting).toBe("b");
});

test("every connection but the first is told, after what waited was made", () => {
  const { link, client, reconnects } = scripted();
  client().becomes("ready");
  expect(reconnects.count).toBe(0);
  client().becomes("close");
  void link.call("get", ["a"]).catch(() => undefined);
  client().becomes("ready");
  expect(reconnects.count).toBe(1);
});

test("a refusal on principle rejects at once what waits", async () => {
  const { link, client } = scripted();
  const waiting = link.call("get", ["a"]);
  client().emit("error", new Error("WRONGPASS invalid username-password pair"));
  await expect(waiting).rejects.toMatchObject({ code: "store-unauthorized", retryable: false });
});

test("a closed link rejects every call, and makes no new client", async () => {
  const { link, clients, client, pass } = scripted();
  const waiting = link.call("get", ["a"]);
  link.close();
  await expect(waiting).rejects.toMatchObject({ code: "store-closed" });
  await expect(link.call("get", ["a"])).rejects.toMatchObject({ code: "store-closed" });
  client().becomes("end");
  pass(60_000);
  expect(clients).toHaveLength(1);
});
