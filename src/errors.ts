/** What every error of ours says besides its message. */
export interface ErrorFacts {
  /** Stable, kebab-case name of the failure; programs branch on it. */
  readonly code: string;
  readonly message: string;
  /** What the user can do next, as one sentence. */
  readonly action: string;
  /** True when the same call may succeed later without any change. */
  readonly retryable?: boolean;
  /** Every single problem, when several were found at once. */
  readonly problems?: readonly string[];
  /** Facts about the failure as JSON, such as the events that are accepted instead. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one family of errors that this package throws. */
export class WaybillError extends Error {
  readonly code: string;
  readonly action: string;
  readonly retryable: boolean;
  readonly problems: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;

  constructor(facts: ErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "WaybillError";
    this.code = facts.code;
    this.action = facts.action;
    this.retryable = facts.retryable ?? false;
    this.problems = facts.problems ?? [];
    this.details = facts.details ?? {};
  }
}

/** An error as data that survives JSON: name, message and what else it carried. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** Turns anything that was thrown into data that survives JSON (a bare `Error` would become `{}`). */
export function toErrorRecord(thrown: unknown): ErrorRecord {
  if (thrown instanceof Error || isErrorRecord(thrown)) {
    const { name, message } = thrown;
    const fields = throughJson(Object.fromEntries(Object.entries(thrown)));
    return { ...(fields as Readonly<Record<string, unknown>> | undefined), name, message };
  }
  const message = typeof thrown === "string" ? thrown : JSON.stringify(throughJson(thrown));
  return { name: "Error", message: message ?? String(thrown) };
}

/** What JSON keeps of a value; undefined when it cannot hold it, as with the request in an error of an HTTP client. */
function throughJson(value: unknown): unknown {
  try {
    const text = JSON.stringify(value);
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

function isErrorRecord(value: unknown): value is ErrorRecord {
  return (
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    typeof value.name === "string" &&
    "message" in value &&
    typeof value.message === "string"
  );
}
