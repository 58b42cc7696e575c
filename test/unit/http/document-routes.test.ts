import { describe, expect, it } from "vitest";
import { waybillRoutes } from "../../../src/http/routes.ts";
import { scriptedClient } from "./scripted-client.ts";

const app = waybillRoutes(scriptedClient({ workflows: async () => [] }).client);

async function documentText(): Promise<string> {
  return (await app.request("/openapi.json")).text();
}

describe("the OpenAPI document", () => {
  it("is version 3.1 and has every route", async () => {
    const { openapi, paths } = JSON.parse(await documentText());
    expect(openapi).toBe("3.1.0");
    const routes = Object.entries<object>(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.toSorted()).toEqual([
      "DELETE /dead-letters/{id}",
      "GET /dead-letters",
      "GET /healthz",
      "GET /readyz",
      "GET /workflows",
      "GET /workflows/{workflow}",
      "GET /workflows/{workflow}/instances",
      "GET /workflows/{workflow}/instances/{id}",
      "GET /workflows/{workflow}/instances/{id}/history",
      "POST /dead-letters/redrive",
      "POST /dead-letters/{id}/redrive",
      "POST /workflows/{workflow}/instances",
      "POST /workflows/{workflow}/instances/{id}/events",
      "POST /workflows/{workflow}/instances/{id}/resume",
      "POST /workflows/{workflow}/instances/{id}/retry",
      "POST /workflows/{workflow}/instances/{id}/suspend",
      "POST /workflows/{workflow}/instances/{id}/terminate",
      "PUT /workflows/{workflow}/instances/{id}",
    ]);
  });

  it("refers only to what it holds", async () => {
    const text = await documentText();
    const { components } = JSON.parse(text);
    const refs = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, ref]) => ref ?? "");
    expect(refs.length).toBeGreaterThan(10);
    for (const ref of refs) {
      const name = ref.replace("#/components/schemas/", "");
      expect(components.schemas, ref).toHaveProperty([name]);
    }
  });

  it("declares every parameter that its paths name, and no operation id twice", async () => {
    const { paths } = JSON.parse(await documentText());
    const ids: string[] = [];
    for (const [path, methods] of Object.entries<Record<string, Operation>>(paths)) {
      const named = [...path.matchAll(/{(\w+)}/g)].map(([, name]) => name);
      for (const { operationId, parameters = [] } of Object.values(methods)) {
        ids.push(operationId);
        const declared = parameters.filter((parameter) => parameter.in === "path");
        expect(declared.map(({ name }) => name)).toEqual(named);
      }
    }
    expect(new Set(ids).size).toBe(ids.length);
  });
});

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}

describe("the reference page", () => {
  it("shows every operation of the document", async () => {
    const { paths } = JSON.parse(await documentText());
    const page = await (await app.request("/docs")).text();
    for (const { operationId } of Object.values<Record<string, Operation>>(paths).flatMap(
      (methods) => Object.values(methods),
    )) {
      expect(page).toContain(`id="${operationId}"`);
    }
  });

  it("shows what an operation answers in its own example", async () => {
    const page = await (await app.request("/docs")).text();
    const shown = page.slice(page.indexOf('id="suspendInstance"'), page.indexOf('id="resumeInst'));
    expect(shown).toContain("&quot;status&quot;: &quot;suspended&quot;");
  });

  it("loads nothing from anywhere else, and its policy forbids it to", async () => {
    const answer = await app.request("/docs");
    const page = await answer.text();
    const loaded = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url);
    expect(loaded.filter((url) => url?.includes("//"))).toEqual([]);
    expect(page).not.toMatch(/<style|<script>|style="|onclick=/);
    const policy = answer.headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:/);
  });

  it("has links that lead somewhere", async () => {
    const page = await (await app.request("/docs")).text();
    for (const [, id] of page.matchAll(/href="#([^"]+)"/g)) expect(page).toContain(`id="${id}"`);
    for (const [, path] of page.matchAll(/(?:src|href)="(\/[^"]*)"/g)) {
      expect((await app.request(path ?? "")).status, path).toBe(200);
    }
  });

  it("shows the workflows and their events, whatever they are called", async () => {
    const { client } = scriptedClient({
      workflows: async () => [
        {
          name: "<b>order</b>",
          versions: ["1"],
          states: [],
          startedBy: ["order.placed"],
          events: [{ type: "order.cancel", schema: { type: "object" } }, { type: "plain" }],
          emits: [],
          counts: {},
        },
      ],
    });
    const page = await (await waybillRoutes(client).request("/docs")).text();
    expect(page).toContain("&lt;b&gt;order&lt;/b&gt;");
    expect(page).not.toContain("<b>order");
    expect(page).toContain("order.cancel");
  });

  it("is there even when the engine is not", async () => {
    const { client } = scriptedClient({ workflows: () => Promise.reject(new Error("away")) });
    expect((await waybillRoutes(client).request("/docs")).status).toBe(200);
  });
});
