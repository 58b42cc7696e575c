import { WaybillError } from "../../errors.ts";
import { uuidV5 } from "../../ids.ts";
import { instanceHeader, isReservedType, type Message } from "../../message.ts";
import { validate } from "../../schema.ts";
import type { Workflow } from "../../workflow.ts";
import type { SendRequest, StartRequest } from "../client.ts";
import { invalidPayload } from "../plan/refuse.ts";
import { type EnginePorts, textOf } from "../ports.ts";
import { ifVersionHeader, jsonMessage, wire } from "../wire.ts";
import type { Reader } from "./reader.ts";

const namespace = "waybill.idempotency-key";

/** A message for an instance, and where it goes. */
export interface Admitted {
  readonly key: string;
  readonly id: string;
  readonly routingKey: string;
  readonly partition: number;
  readonly messageId: string;
  readonly message: Message;
}

type Address = Omit<Admitted, "message">;

/** Checks requests before they cost the broker anything, and makes messages of them. */
export class Admission {
  readonly #ports: EnginePorts;
  readonly #reader: Reader;

  constructor(ports: EnginePorts, reader: Reader) {
    this.#ports = ports;
    this.#reader = reader;
  }

  /** Decides the id of a start. @throws WaybillError `unknown-workflow`, `invalid-payload`, `invalid-id`, `overloaded`, `too-large` */
  async start(request: StartRequest): Promise<Admitted> {
    const { workflow } = this.#ports.registry.latest(request.workflow);
    const input = validate(workflow.input, request.input);
    if (!input.ok) throw new WaybillError(invalidPayload("input", input.problems).problem);
    const { idempotencyKey, onConflict } = request;
    const id =
      request.id ??
      idOf(workflow, input.value) ??
      (idempotencyKey === undefined
        ? this.#ports.ids.next()
        : uuidV5(namespace, `${request.workflow}\n${idempotencyKey}`));
    const to = this.#address(request.workflow, id, idempotencyKey);
    await this.#checkBacklog(to.routingKey);
    const body = { input: request.input, ...(onConflict !== undefined && { onConflict }) };
    return this.#addressed(to, wire.start, request.traceHeaders, body);
  }

  /** @throws WaybillError `unknown-workflow`, `invalid-id`, `reserved-type`, `invalid-payload`, `too-large` */
  event(request: SendRequest): Admitted {
    const { workflow, id, type, payload, idempotencyKey, ifVersion } = request;
    const to = this.#address(workflow, id, idempotencyKey);
    if (isReservedType(type)) {
      throw new WaybillError({
        code: "reserved-type",
        message: `Events of type ${type} are the engine's own.`,
        action: 'Choose a type that begins neither with "xstate." nor with "waybill.".',
      });
    }
    const rule = this.#ports.registry.latest(workflow).workflow.events.get(type);
    const checked = validate(rule?.schema, payload);
    if (!checked.ok) throw new WaybillError(invalidPayload(type, checked.problems).problem);
    const guard = ifVersion === undefined ? {} : { [ifVersionHeader]: String(ifVersion) };
    return this.#addressed(to, type, { ...request.traceHeaders, ...guard }, payload);
  }

  async #checkBacklog(routingKey: string): Promise<void> {
    const depth = await this.#ports.transport.depth(routingKey);
    if (depth <= this.#ports.limits.backlogMessages) return;
    throw new WaybillError({
      code: "overloaded",
      message: `${depth} messages wait before this one.`,
      action: "Start it later; running instances go on.",
      retryable: true,
    });
  }

  #address(workflow: string, id: string, idempotencyKey: string | undefined): Address {
    const { key, partition } = this.#reader.locate(workflow, id);
    const routingKey = this.#ports.names.partition(partition);
    return { key, id, partition, routingKey, messageId: idempotencyKey ?? this.#ports.ids.next() };
  }

  #addressed(
    to: Address,
    type: string,
    headers: SendRequest["traceHeaders"],
    body: unknown,
  ): Admitted {
    const message = jsonMessage(
      {
        id: to.messageId,
        type,
        timestamp: this.#ports.storeClock.latest(),
        headers: { ...headers, [instanceHeader]: to.key },
      },
      body,
    );
    const { bodyBytes } = this.#ports.limits;
    if (Buffer.byteLength(message.body) <= bodyBytes) return { ...to, message };
    throw new WaybillError({
      code: "too-large",
      message: `The body is larger than ${bodyBytes} bytes.`,
      action: "Keep large data elsewhere and send a reference.",
    });
  }
}

/** The id that the workflow takes from an input; what its code throws means that the input has none. */
function idOf(workflow: Workflow, input: unknown): string | undefined {
  try {
    return workflow.instanceId?.(input);
  } catch (error) {
    const detail = `it gives no instance id: ${textOf(error)}`;
    throw new WaybillError(invalidPayload("input", [{ pointer: "", detail }]).problem);
  }
}
