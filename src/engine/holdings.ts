type Sized = { readonly size: number };

/** What is in memory for one partition; at rest, nothing but instances. */
export interface Holdings {
  readonly arrivals: number;
  readonly outgoing: number;
  readonly activities: number;
  readonly watchers: number;
  readonly instances: number;
}

/** Counts what is in each place. */
export function holdingsOf(places: Readonly<Record<keyof Holdings, Sized>>): Holdings {
  const { arrivals, outgoing, activities, watchers, instances } = places;
  return {
    arrivals: arrivals.size,
    outgoing: outgoing.size,
    activities: activities.size,
    watchers: watchers.size,
    instances: instances.size,
  };
}
