import { request } from "node:http";
import { Hono } from "hono";
import { afterEach, describe, expect, it } from "vitest";
import { type Listening, type ListenOptions, listen } from "../../src/http/listen.ts";

const open: Listening[] = [];

async function serve(app: Hono, options: Partial<ListenOptions> = {}): Promise<Listening> {
  const listening = await listen(app, { port: 0, ...options });
  open.push(listening);
  return listening;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((listening) => listening.close()));
});

/** An app whose one route answers when `answer` is called; `asked` resolves when a request has come. */
function slowApp() {
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const app = new Hono().get("/", async (c) => {
    asked.resolve();
    await gate.promise;
    return c.text("late");
  });
  return { app, answer: gate.resolve, asked: asked.promise };
}

describe("listen", () => {
  it("serves on a free port of 127.0.0.1", async () => {
    const { url, port } = await serve(new Hono().get("/", (c) => c.text("here")));
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect(await (await fetch(url)).text()).toBe("here");
  });

  it.each(["0.0.0.0", "::", "192.168.0.1", "example.org"])(
    "refuses to listen on %s",
    async (host) => {
      await expect(listen(new Hono(), { host, port: 0 })).rejects.toMatchObject({
        code: "not-loopback",
      });
    },
  );

  it("says so when the port is taken", async () => {
    const { port } = await serve(new Hono());
    await expect(listen(new Hono(), { port })).rejects.toMatchObject({ code: "port-in-use" });
  });

  it("answers 403 to a request under a foreign name", async () => {
    const { port } = await serve(new Hono().get("/", (c) => c.text("here")));
    const status = await new Promise((resolve, reject) => {
      const headers = { host: "evil.example" };
      const sent = request({ host: "127.0.0.1", port, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on("error", reject).end();
    });
    expect(status).toBe(403);
  });
});

describe("close", () => {
  it("lets a running request finish, and takes no new one", async () => {
    const { app, answer, asked } = slowApp();
    const { url, ...server } = await serve(app);
    const running = fetch(url);
    await asked;
    const closed = server.close();
    await expect(fetch(url)).rejects.toThrow("fetch failed");
    answer();
    const response = await running;
    expect(await response.text()).toBe("late");
    expect(response.headers.get("connection")).toBe("close");
    await closed;
  });

  it("does not wait for connections that are kept alive", async () => {
    const { url, ...server } = await serve(
      new Hono().get("/", (c) => c.text("here")),
      {
        closeWithin: "1h",
      },
    );
    await (await fetch(url)).text();
    await expect(server.close()).resolves.toBeUndefined();
  });

  it("cuts what still runs at the deadline", async () => {
    const { app, asked } = slowApp();
    const { url, ...server } = await serve(app, { closeWithin: "20ms" });
    const running = fetch(url).then(
      () => "answered",
      () => "cut",
    );
    await asked;
    await server.close();
    expect(await running).toBe("cut");
  });

  it("may be called twice", async () => {
    const server = await serve(new Hono());
    await server.close();
    await expect(server.close()).resolves.toBeUndefined();
  });
});
