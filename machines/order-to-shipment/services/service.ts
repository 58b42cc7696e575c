/** A request as it arrives, in the words of AMQP 0-9-1. */
export interface Request {
  readonly id?: string;
  readonly type?: string;
  readonly body: string;
  readonly correlationId?: string;
  readonly replyTo?: string;
}

/** What a service says: where to, what, and how long after the request was taken in. */
export interface Answer {
  /** `""`: `routingKey` names a queue. `inbound`: `routingKey` is the event type. */
  readonly exchange: "" | "inbound";
  readonly routingKey: string;
  readonly message: {
    readonly id: string;
    readonly type: string;
    readonly body: string;
    readonly correlationId?: string;
  };
  readonly delayMs?: number;
}

/**
 * One of the shop's services. It decides from the request alone and keeps nothing, so that a request that
 * is delivered twice gets the same answers with the same ids.
 */
export interface Service {
  /** Also names its queue. */
  readonly name: string;
  /** Which requests it takes, as routing patterns of the topic exchange `events`. */
  readonly patterns: readonly string[];
  /** All that the request leads to. @throws when the request cannot be understood. */
  handle(request: Request): readonly Answer[];
}

/**
 * An answer as in any AMQP RPC: to the request's reply queue, with its correlation id, and with an id that
 * follows from the request's.
 */
export function reply(request: Request, type: string, payload: object): Answer {
  const { id, replyTo, correlationId } = request;
  if (id === undefined || replyTo === undefined) {
    throw new Error(
      `A ${request.type ?? "request"} without message id or reply queue has no answer.`,
    );
  }
  return {
    exchange: "",
    routingKey: replyTo,
    message: {
      id: `re:${id}`,
      type,
      body: JSON.stringify(payload),
      ...(correlationId === undefined ? {} : { correlationId }),
    },
  };
}
