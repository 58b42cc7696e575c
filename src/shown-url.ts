/**
 * A URL for people: without what stands before the last `@`, and without the values of its query. Also what is no
 * URL at all may hold a password.
 */
export function shownUrl(url: string): string {
  const at = url.lastIndexOf("@");
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/)?/.exec(url)?.[0] ?? "";
  const open = at < 0 ? url : `${scheme.length > at ? "" : scheme}…${url.slice(at)}`;
  return open.replaceAll(/([?&][^=&]*=)[^&]*/g, "$1…");
}
