import { WaybillError } from "../../src/errors.ts";

/** One host of a broker, in the words of `amqplib`'s connect options. */
export interface Address {
  readonly protocol: "amqp" | "amqps";
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Percent-encoded. */
  readonly vhost: string;
}

const urlPattern = /^(amqps?):\/\/(?:([^@/]*)@)?([^@/?]+)(?:\/([^/?]*))?$/;
const hostPattern = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/;

/**
 * The hosts of `amqp(s)://user:password@host:port,host:port/vhost`; ports, user and vhost default as in AMQP.
 * @throws WaybillError `invalid-configuration`
 */
export function parseAddresses(url: string): readonly [Address, ...Address[]] {
  const [, scheme, credentials, hosts, vhost] = urlPattern.exec(url) ?? [];
  if (scheme === undefined || hosts === undefined) throw badUrl();
  const protocol = scheme === "amqps" ? "amqps" : "amqp";
  const [username = "guest", password = "guest"] = credentials?.split(":").map(decoded) ?? [];
  const [first, ...others] = hosts.split(",").map((text): Address => {
    const [, host, port] = hostPattern.exec(text.trim()) ?? [];
    if (host === undefined) throw badUrl();
    const hostname = host.replace(/^\[|\]$/g, "");
    const number = port === undefined ? defaultPorts[protocol] : Number(port);
    if (number < 1 || number > 65_535) throw badUrl();
    return { protocol, hostname, port: number, username, password, vhost: vhost || "%2F" };
  });
  if (first === undefined) throw badUrl();
  return [first, ...others];
}

/** A host as messages name it: without the credentials. */
export function nameOf({ protocol, hostname, port }: Address): string {
  return `${protocol}://${hostname}:${port}`;
}

const defaultPorts = { amqp: 5_672, amqps: 5_671 } as const;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl();
  }
}

function badUrl(): WaybillError {
  return new WaybillError({
    code: "invalid-configuration",
    // Not the URL itself: it may hold a password.
    message: "The broker's URL is none of AMQP.",
    action:
      'Use "amqp://user:password@host:port/vhost"; percent-encode special characters of user, password and vhost.',
  });
}
