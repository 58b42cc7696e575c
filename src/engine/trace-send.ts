import { type Headers, instanceHeader, parseInstanceKey, republishedHeader } from "../message.ts";
import type { Names } from "../routing.ts";
import { attribute, destinationName, spanName } from "../semantic-conventions.ts";
import type { Attributes, OpenSpan, Tracer } from "../tracer.ts";
import type { Outgoing } from "../transport.ts";
import { traceOf } from "./wire.ts";

/** A message on its way out, with the span that its receivers will see as their cause. */
export interface TracedSend {
  readonly outgoing: Outgoing;
  readonly span: OpenSpan;
}

/** Begins the span of a message that is to be sent, and makes the message carry it. */
export function traceSend(
  { tracer, names }: { readonly tracer: Tracer; readonly names: Names },
  outgoing: Outgoing,
): TracedSend {
  const { exchange, routingKey, message } = outgoing;
  const destination = destinationName(exchange && `${names.prefix}.${exchange}`, routingKey);
  const span = tracer.begin({
    kind: "producer",
    name: spanName.send(destination),
    parent: traceOf(message.headers),
    details: () => ({
      attributes: {
        [attribute.operationType]: "send",
        [attribute.destination]: destination,
        [attribute.routingKey]: routingKey,
        ...messageAttributes(message),
        ...instanceAttributes(message.headers?.[instanceHeader] ?? ""),
      },
    }),
  });
  const headers = { ...message.headers, ...span.headers };
  return { span, outgoing: { ...outgoing, message: { ...message, headers } } };
}

/** The message as it goes out again; with it nobody takes a span that is there twice for two messages. */
export function republished(outgoing: Outgoing): Outgoing {
  const { message } = outgoing;
  return { ...outgoing, message: { ...message, headers: markRepublished(message.headers) } };
}

export function markRepublished(headers: Headers | undefined): Headers {
  return { ...headers, [republishedHeader]: "1" };
}

/** Sends what an earlier owner has left behind: the span of that is the child of the first one's. */
export function sendAgain(
  context: { readonly tracer: Tracer; readonly names: Names },
  outgoing: Outgoing,
): Outgoing {
  const sent = traceSend(context, republished(outgoing));
  sent.span.end();
  return sent.outgoing;
}

/** The ids that a message goes by, and whether it may have come before. */
export function messageAttributes(message: Partial<Outgoing["message"]>): Attributes {
  const { id, correlationId, headers } = message;
  return {
    ...republishedAttribute(headers),
    ...(id !== undefined && { [attribute.messageId]: id }),
    ...(correlationId !== undefined && { [attribute.conversationId]: correlationId }),
  };
}

export function republishedAttribute(headers: Headers | undefined): Attributes {
  return headers?.[republishedHeader] === undefined ? {} : { [attribute.republished]: true };
}

/** Which instance a span is about: one tag search brings its whole story, whatever traces it lies in. */
export function instanceAttributes(key: string): Attributes {
  const instance = parseInstanceKey(key);
  if (instance === undefined) return {};
  return { [attribute.machine]: instance.workflow, [attribute.instance]: instance.id };
}
