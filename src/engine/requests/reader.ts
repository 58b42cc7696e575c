import type { StoredInstance } from "../../commit.ts";
import { toErrorRecord, WaybillError } from "../../errors.ts";
import { isInstanceId } from "../../message.ts";
import { partitionOf } from "../../routing.ts";
import type { Schema } from "../../schema.ts";
import type { Page } from "../../store.ts";
import type {
  DeadLetter,
  DeadLetterQuery,
  HistoryEntry,
  InstanceView,
  ListRequest,
  WorkflowView,
} from "../client.ts";
import { partitionOfLetter, redrivesOf } from "../dead-letter.ts";
import { within } from "../deadline.ts";
import { decodeInstance, type Instance } from "../instance.ts";
import type { EnginePorts } from "../ports.ts";
import type { Definition } from "../registry.ts";
import { statesOf } from "../statechart/states.ts";
import { readHistory, readLetter } from "../stored-text.ts";
import { stuckTerm } from "../stuck.ts";
import { brokenView, viewOf } from "../view.ts";
import { anyWaitingTerm, isHourTerm } from "../waiting-since.ts";

const defaultPage = 50;
const historyPage = 500;

/** Reads what the store holds. Any process can, whether it owns anything or not. */
export class Reader {
  readonly #ports: EnginePorts;

  constructor(ports: EnginePorts) {
    this.#ports = ports;
  }

  /** The store's clock, in milliseconds since the Unix epoch. */
  now(): Promise<number> {
    return this.#ask(this.#ports.store.now());
  }

  /** The partition of an instance. @throws WaybillError `unknown-workflow`, `invalid-id` */
  locate(workflow: string, id: string): { readonly key: string; readonly partition: number } {
    this.#ports.registry.latest(workflow);
    if (!isInstanceId(id)) {
      throw new WaybillError({
        code: "invalid-id",
        message: `"${id.slice(0, 200)}" cannot be the id of an instance.`,
        action: "Use 1 to 128 of the characters A-Z a-z 0-9 . _ : -",
      });
    }
    const key = `${workflow}/${id}`;
    return { key, partition: partitionOf(key, this.#ports.partitions) };
  }

  /** The stored instance, or undefined. */
  async find(workflow: string, id: string): Promise<Instance | undefined> {
    const { key, partition } = this.locate(workflow, id);
    const [stored] = await this.#ask(this.#ports.store.load(partition, [key]));
    return stored === undefined ? undefined : decodeInstance(stored, this.#ports.registry);
  }

  /** @throws WaybillError `unknown-instance` */
  async load(workflow: string, id: string): Promise<Instance> {
    const found = await this.find(workflow, id);
    if (found !== undefined && (found.actor ?? found.sealed) !== undefined) return found;
    throw new WaybillError({
      code: "unknown-instance",
      message: `There is no instance ${workflow}/${id}.`,
      action: "Check the id, or start it first.",
    });
  }

  view(instance: Instance): InstanceView {
    return viewOf(instance, this.definition(instance));
  }

  definition(instance: Instance): Definition | undefined {
    const name = instance.key.slice(0, instance.key.indexOf("/"));
    return this.#ports.registry.find(name, instance.definition);
  }

  async list(request: ListRequest): Promise<Page<InstanceView>> {
    const { store, registry } = this.#ports;
    registry.latest(request.workflow);
    const { workflow, updatedAfter, cursor } = request;
    const page = await this.#ask(
      store.list({
        workflow,
        terms: termsOfRequest(request),
        limit: request.limit ?? defaultPage,
        ...(updatedAfter !== undefined && { updatedAfter }),
        ...(cursor !== undefined && { cursor }),
      }),
    );
    const items = page.items.map((stored) => this.#listed(stored));
    return { ...page, items: items.filter((item) => item !== undefined) };
  }

  /** One line of a list: nothing for events that wait for their instance, and the bare facts of a broken record. */
  #listed(stored: StoredInstance): InstanceView | undefined {
    try {
      const instance = decodeInstance(stored, this.#ports.registry);
      return (instance.actor ?? instance.sealed) === undefined ? undefined : this.view(instance);
    } catch (error) {
      return brokenView(stored, toErrorRecord(error));
    }
  }

  async history(
    workflow: string,
    id: string,
    options: { readonly after?: number; readonly limit?: number } = {},
  ): Promise<readonly HistoryEntry[]> {
    const { key, partition } = this.locate(workflow, id);
    const { after = 0, limit = historyPage } = options;
    const entries = await this.#ask(this.#ports.store.history(partition, key, after, limit));
    if (entries.length === 0 && after === 0) await this.load(workflow, id);
    return entries.map(({ number, entry }) => readHistory(number, entry));
  }

  async workflows(): Promise<readonly WorkflowView[]> {
    return Promise.all(this.#ports.registry.names().map((name) => this.workflow(name)));
  }

  async workflow(name: string): Promise<WorkflowView> {
    const { registry, store } = this.#ports;
    const { workflow } = registry.latest(name);
    const input = jsonSchema(workflow.input);
    return {
      name,
      versions: registry.versions(name),
      states: statesOf(workflow.machine),
      startedBy: workflow.startedBy,
      ...(input !== undefined && { input }),
      events: [...workflow.events].map(([type, { schema }]) => described(type, schema)),
      emits: [...workflow.emits].map(([type, { schema }]) => described(type, schema)),
      counts: summed(await this.#ask(store.count(name))),
    };
  }

  /** A page that is empty has no successor, however few of all dead letters the query means. */
  async deadLetters(query: DeadLetterQuery = {}): Promise<Page<DeadLetter>> {
    const { limit = defaultPage, workflow, reason } = query;
    for (let { cursor } = query; ; ) {
      const asked = { limit, ...(cursor !== undefined && { cursor }) };
      const page = await this.#ask(this.#ports.store.deadLetters(asked));
      const items = page.items
        .map((row) => letterView(row))
        .filter((letter) => reason === undefined || letter.reason === reason)
        .filter(({ key }) => workflow === undefined || key?.startsWith(`${workflow}/`) === true);
      if (items.length > 0 || page.nextCursor === undefined) return { ...page, items };
      cursor = page.nextCursor;
    }
  }

  /** What is known of one dead letter and where it is, or undefined. */
  async deadLetter(
    id: string,
  ): Promise<{ readonly partition: number; readonly key?: string } | undefined> {
    const partition = partitionOfLetter(id);
    if (partition === undefined || partition >= this.#ports.partitions) return undefined;
    const [row] = await this.#ask(this.#ports.store.loadDeadLetters(partition, [id]));
    if (row === undefined) return undefined;
    const { key } = readLetter(id, row.entry);
    return { partition, ...(key !== undefined && { key }) };
  }

  #ask<T>(asked: Promise<T>): Promise<T> {
    const { clock, limits } = this.#ports;
    return within(clock, limits.storeDeadlineMs, asked, "The store");
  }
}

function letterView(row: {
  readonly id: string;
  readonly entry: string;
  readonly partition: number;
  readonly at: number;
}): DeadLetter {
  const { trace: _, isInternal: __, ...letter } = readLetter(row.id, row.entry);
  const { partition, at } = row;
  return { ...letter, partition, at, redrives: redrivesOf(letter) };
}

function termsOfRequest(request: ListRequest): readonly string[] {
  const { status, state, tag, stuck, waiting, attributes = {} } = request;
  return [
    ...(status === undefined ? [] : [`status:${status}`]),
    ...(state === undefined ? [] : [`state:${state}`]),
    ...(tag === undefined ? [] : [`tag:${tag}`]),
    ...(stuck === true ? [stuckTerm] : []),
    ...(waiting === true ? [anyWaitingTerm] : []),
    ...Object.entries(attributes).map(([name, value]) => `attribute:${name}=${value}`),
  ];
}

function described(type: string, schema: Schema): { type: string; schema?: unknown } {
  const found = jsonSchema(schema);
  return found === undefined ? { type } : { type, schema: found };
}

/** JSON Schema by way of Standard JSON Schema, where the validator offers it (zod 4.6 does). */
function jsonSchema(schema: Schema | undefined): unknown {
  if (schema === undefined) return undefined;
  const standard = schema["~standard"] as {
    jsonSchema?: { input: (options: { target: string }) => unknown };
  };
  try {
    return standard.jsonSchema?.input({ target: "draft-2020-12" });
  } catch {
    return undefined;
  }
}

/** Counts by status, state, tag, being stuck and keeping events waiting; those by attribute are as many as there are customers. */
function summed(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(counts).filter(([term]) => !term.startsWith("attribute:") && !isHourTerm(term)),
  );
}
