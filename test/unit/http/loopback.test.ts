import { describe, expect, it } from "vitest";
import { isLoopback, refuseForeign } from "../../../src/http/loopback.ts";

describe("loopback", () => {
  it.each(["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1", "[::1]"])("is %s", (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each([
    "0.0.0.0",
    "::",
    "192.168.1.4",
    "example.org",
    "127.0.0.1.example.org",
    "localhost.example.org",
    "",
  ])("is not %j", (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe("a server on loopback", () => {
  it.each(["http://localhost:3000/docs", "http://127.0.0.1:3000/docs", "http://[::1]:3000/docs"])(
    "answers to %s",
    (url) => {
      expect(refuseForeign(new Request(url))).toBeUndefined();
    },
  );

  it("refuses a name that someone else points at it", async () => {
    const answer = refuseForeign(new Request("http://evil.example:3000/workflows"));
    expect(answer?.status).toBe(403);
    expect(await answer?.json()).toMatchObject({ code: "wrong-host" });
  });

  it.each(["cross-site", "same-site"])("refuses a write that a browser calls %s", (site) => {
    const headers = { "sec-fetch-site": site };
    const write = new Request("http://localhost:3000/x", { method: "POST", headers });
    expect(refuseForeign(write)?.status).toBe(403);
    expect(refuseForeign(new Request("http://localhost:3000/x", { headers }))).toBeUndefined();
  });

  it.each(["same-origin", "none"])("takes a write that a browser calls %s", (site) => {
    const headers = { "sec-fetch-site": site };
    const write = new Request("http://localhost:3000/x", { method: "POST", headers });
    expect(refuseForeign(write)).toBeUndefined();
  });
});
