/** JSON text that is the same whatever the order of keys. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(
            Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)),
          )
        : inner,
    ) ?? "undefined"
  );
}
