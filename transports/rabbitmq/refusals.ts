import { WaybillError } from "../../src/errors.ts";
import { type Address, nameOf } from "./address.ts";

const inequivalent =
  /inequivalent arg '([^']+)' for (queue|exchange) '([^']+)' in vhost '[^']*': received (.+?) but current is (.+?)(?:"|$)/;

/** What the broker said, without the client's words around it. */
export function textOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, said] = /with message "(.*)"/s.exec(message) ?? [];
  return said ?? message;
}

/** Why a queue or an exchange was not made or not found, as an error that says what to do. */
export function refusal(error: unknown, name: string): WaybillError {
  if (error instanceof WaybillError) return error;
  const [, argument, what = "queue", conflicting = name, wanted, found] =
    inequivalent.exec(textOf(error)) ?? [];
  if (argument !== undefined) {
    return new WaybillError({
      code: `${what}-mismatch`,
      message: `The ${what} "${conflicting}" exists with another "${argument}": ${found}, not ${wanted}.`,
      action: `Use another prefix, or delete the ${what} once it is empty and start again.`,
      details: { name: conflicting, argument, wanted, found },
      cause: error,
    });
  }
  return byCode(error, name);
}

function byCode(error: unknown, name: string): WaybillError {
  const message = `RabbitMQ refused "${name}": ${textOf(error)}`;
  const facts = { message, details: { name }, cause: error };
  switch (codeOf(error)) {
    case 403:
      return new WaybillError({
        ...facts,
        code: "access-refused",
        action: "Give the user the configure, write and read permissions for names of this prefix.",
      });
    case 404:
      return new WaybillError({
        ...facts,
        code: "unknown-queue",
        message: `There is no queue "${name}": ${textOf(error)}`,
        action: "Declare the queue before it is consumed or bound.",
      });
    case 405:
      return new WaybillError({
        ...facts,
        code: "queue-locked",
        retryable: true,
        action: "The queue belongs to another connection; it is free when that one has ended.",
      });
    default:
      return unavailable(textOf(error), error);
  }
}

/** Nothing can be done now, because there is no connection. */
export function unavailable(reason: string, cause?: unknown): WaybillError {
  return new WaybillError({
    code: "unavailable",
    message: `The broker cannot be used now: ${reason}.`,
    action: "Open the transport first, or try again when its state is up.",
    retryable: true,
    cause,
  });
}

/** Why a host could not be connected to. Waiting does not help against those that are not `retryable`. */
export function connectRefusal(error: unknown, address: Address): WaybillError {
  const said = textOf(error);
  const facts = { cause: error, details: { host: nameOf(address) } };
  if (/ACCESS.REFUSED/.test(said) && !/vhost/.test(said)) {
    return new WaybillError({
      ...facts,
      code: "login-refused",
      message: `RabbitMQ at ${nameOf(address)} refused the login of user "${address.username}".`,
      action: "Correct user and password in the broker's URL.",
    });
  }
  const vhost = decodeURIComponent(address.vhost);
  // All that the client tells of a refused vhost is that it was closed instead of opened.
  if (/NOT.ALLOWED|vhost|ConnectionOpenOk.*ConnectionClose/.test(said)) {
    return new WaybillError({
      ...facts,
      code: "vhost-refused",
      message: `RabbitMQ at ${nameOf(address)} does not open vhost "${vhost}" for user "${address.username}".`,
      action: "Create the vhost and give the user permissions in it, or correct the broker's URL.",
    });
  }
  return new WaybillError({
    ...facts,
    code: "unreachable",
    message: `RabbitMQ at ${nameOf(address)} cannot be reached: ${said}`,
    action: "Start the broker or correct its URL; the transport goes on trying.",
    retryable: true,
  });
}

/** The AMQP reply code of a channel or connection error. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
