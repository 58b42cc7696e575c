import { problemResponse, refusal } from "./problems.ts";

/** True for a name or address that only this machine can reach: localhost, 127.0.0.0/8, ::1. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

/**
 * Refuses what a web page of another site can make a browser send to a server on loopback: requests under a
 * name of the site's own that it points at 127.0.0.1 (DNS rebinding), and writes across sites. Answers the
 * problem, or undefined for a request that may pass.
 */
export function refuseForeign(request: Request): Response | undefined {
  const { hostname } = new URL(request.url);
  if (!isLoopback(hostname)) {
    return problemResponse(refusal("wrong-host", `This server is not "${hostname}".`), "");
  }
  const isWrite = request.method !== "GET" && request.method !== "HEAD";
  const site = request.headers.get("sec-fetch-site") ?? "none";
  if (isWrite && site !== "none" && site !== "same-origin") {
    return problemResponse(refusal("cross-site", `The browser says "${site}".`), "");
  }
  return undefined;
}
