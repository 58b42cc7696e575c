import { WaybillError } from "../../errors.ts";

interface Reason {
  readonly starts: RegExp;
  readonly code: string;
  readonly action: string;
  readonly retryable: boolean;
}

const noLogAction =
  "`replicaFsync=yes` needs `appendonly yes` and `appendfsync always`, on the master, its replicas and every server that may become master.";

const reasons: readonly Reason[] = [
  {
    starts: /^(NOAUTH|WRONGPASS|NOPERM)\b|ERR AUTH|ACL failure|invalid username-password/i,
    code: "store-unauthorized",
    action: "Give the URL a user that may do what src/stores/redis/README.md lists.",
    retryable: false,
  },
  {
    starts: /^(CORRUPT|WRONGTYPE)\b/,
    code: "store-unreadable",
    action: "Something else writes under this prefix; give it another one, or restore the data.",
    retryable: false,
  },
  {
    starts: /^OOM\b/,
    code: "store-unavailable",
    action: "Redis is at `maxmemory`: give it more memory; nothing was written.",
    retryable: true,
  },
  {
    starts: /^MISCONF\b/,
    code: "store-unavailable",
    action: "Redis cannot write its files: look at its disk and its log.",
    retryable: true,
  },
  {
    starts: /^NOREPLICAS\b/,
    code: "store-unavailable",
    action: "Redis has too few replicas (`min-replicas-to-write`): bring one back.",
    retryable: true,
  },
  {
    starts: /^ERR unknown command .waitaof/i,
    code: "store-unsupported",
    action:
      "`replicaFsync=yes` needs Redis 7.2 or Valkey, on every server that may become master; without it commits wait until replicas have them in memory.",
    retryable: false,
  },
  {
    starts: /^ERR WAITAOF cannot be used when numlocal/,
    code: "store-unsupported",
    action: noLogAction,
    retryable: false,
  },
  {
    starts: /^(BADARGS|ERR)\b/,
    code: "store-failed",
    action: "Report this with the message; the server may also be older than Redis 7.",
    retryable: false,
  },
];

const unreachable: Omit<Reason, "starts"> = {
  code: "store-unavailable",
  action: "Look whether Redis runs and can be reached; it is tried again by itself.",
  retryable: true,
};

/** The error of ours for anything that Redis or its client threw. */
export function storeFailure(thrown: unknown): WaybillError {
  if (thrown instanceof WaybillError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const { code, action, retryable } =
    reasons.find(({ starts }) => starts.test(text)) ?? unreachable;
  const isCut = text === "" || /isn't writeable|Connection is closed/.test(text);
  const message = isCut ? "The connection to Redis broke." : `Redis: ${text}`;
  return new WaybillError({ code, message, action, retryable, cause: thrown });
}

/** The error of a master that cannot tell what it has on disk. */
export function noLog(): WaybillError {
  return new WaybillError({
    code: "store-unsupported",
    message: "Redis keeps no append-only file, so commits cannot wait until they are on disk.",
    action: noLogAction,
  });
}

/** Fewer replicas have a commit than it waits for. */
export class TooFewReplicas extends WaybillError {
  constructor(message: string, action = unreachable.action) {
    super({ code: unreachable.code, message, action, retryable: unreachable.retryable });
  }
}

/** The error of a call whose outcome nobody knows, or that could not be made. */
export function unavailable(message: string, cause?: unknown): WaybillError {
  const { code, action, retryable } = unreachable;
  return new WaybillError({ code, message, action, retryable, cause });
}

/** The error of a call after `close()` or before `open()`. */
export function storeClosed(): WaybillError {
  return new WaybillError({
    code: "store-closed",
    message: "The Redis store is not open.",
    action: "Open the store first.",
  });
}

/** The error of a call for a partition that the store does not have. */
export function unknownPartition(partition: number): WaybillError {
  return new WaybillError({
    code: "unknown-partition",
    message: `There is no partition ${partition}.`,
    action: "Open the store first, and name a partition below the number it was opened with.",
  });
}
