import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { fromEnvironment } from "../../src/configuration.ts";

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly network_mode?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const { services, volumes } = parse(readFileSync("deploy/compose.yaml", "utf8"), {
  merge: true,
}) as Compose;
const engines = Object.values(services).filter(({ environment }) => environment?.WAYBILL_BROKER);
const shop = ["stock", "payment", "warehouse", "carrier"];

/** The variables that a source file reads. */
function readBy(path: string): readonly string[] {
  const text = readFileSync(path, "utf8");
  return [
    ...text.matchAll(/\b(?:WAYBILL|OTEL|SERVICE)_[A-Z_]+\b|\b(?:HOST|PORT|LOG_LEVEL)\b/g),
  ].map(([name]) => name);
}

test("the compose file has two engine processes, four services, and the servers that they need", () => {
  expect(engines).toHaveLength(2);
  expect(Object.keys(services)).toEqual(
    expect.arrayContaining(["rabbitmq", "redis", "jaeger", "engine-1", "engine-2", ...shop]),
  );
  expect(services["rabbitmq"]?.image).toMatch(/^rabbitmq:4/);
  expect(services["jaeger"]?.image).toMatch(/^jaegertracing\/jaeger:2/);
});

test("the compose file's engines have a configuration that is allowed, and RabbitMQ and Redis in it", () => {
  for (const { environment = {} } of engines) {
    expect(fromEnvironment(environment)).toMatchObject({
      broker: expect.stringMatching(/^amqp:/),
      store: expect.stringMatching(/^redis:/),
    });
  }
});

test("the compose file sets no variable that nobody reads", () => {
  const standard = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICE_NAME"];
  const ours = [...readBy("src/configuration.ts"), ...readBy("README.md"), ...standard];
  for (const { environment = {} } of engines) {
    expect(Object.keys(environment).filter((name) => !ours.includes(name))).toEqual([]);
  }
  const theirs = readBy("machines/order-to-shipment/services/run.ts");
  for (const name of shop) {
    const set = Object.keys(services[name]?.environment ?? {});
    expect(set.length).toBeGreaterThan(0);
    expect(set.filter((variable) => !theirs.includes(variable))).toEqual([]);
  }
});

/** What a service leans on, as `kind:name`. */
function needsOf(service: Service): readonly string[] {
  const { depends_on = {}, volumes: mounts = [], build, command = "", network_mode } = service;
  const sources = mounts.map((mount) => mount.split(":")[0] ?? "");
  const [program, script = ""] = command.split(" ");
  return [
    ...Object.entries(depends_on).map(([name, { condition }]) => `${condition}:${name}`),
    ...sources.map((source) => (source.startsWith(".") ? `file:${source}` : `volume:${source}`)),
    ...(build ? [`file:${join(build.context, build.dockerfile)}`] : []),
    ...(program === "node" ? [`file:../${script}`] : []),
    ...(network_mode === undefined ? [] : [network_mode]),
  ];
}

function isThere(need: string): boolean {
  const [kind = "", name = ""] = need.split(":");
  if (kind === "file") return existsSync(join("deploy", name));
  if (kind === "volume") return name in volumes;
  return kind === "service_healthy" ? "healthcheck" in (services[name] ?? {}) : name in services;
}

test("the compose file leans only on services, health checks, volumes and files that there are", () => {
  const needs = Object.values(services).flatMap(needsOf);
  expect(needs.length).toBeGreaterThan(20);
  expect(needs.filter((need) => !isThere(need))).toEqual([]);
  expect(isThere("service_healthy:stock")).toBe(false);
});

test("the compose file opens ports to this machine only", () => {
  const ports = Object.values(services).flatMap((service) => service.ports ?? []);
  expect(ports.length).toBeGreaterThan(2);
  expect(ports.filter((port) => !port.startsWith("127.0.0.1:"))).toEqual([]);
});

test("the compose file's Redis syncs each commit and never evicts", () => {
  const { command = "" } = services["redis"] ?? {};
  expect(command).toContain("--appendfsync always");
  expect(command).toContain("--maxmemory-policy noeviction");
});

test("the compose file's broker lets many delays leave their queues at once", () => {
  expect(readFileSync("deploy/rabbitmq/advanced.config", "utf8")).toContain(
    "{dead_letter_worker_consumer_prefetch, 512}",
  );
});

test("the image holds what the processes run, and the files that it copies are there", () => {
  const lines = readFileSync("deploy/Dockerfile", "utf8").split("\n");
  const copied = lines
    .filter((line) => line.startsWith("COPY "))
    .flatMap((line) => line.split(" ").slice(1, -1));
  expect(copied).toEqual(expect.arrayContaining(["src", "transports", "machines"]));
  const allowed = readFileSync(".dockerignore", "utf8");
  for (const path of copied) {
    expect(existsSync(path), path).toBe(true);
    expect(allowed).toContain(`!${path}\n`);
  }
});
