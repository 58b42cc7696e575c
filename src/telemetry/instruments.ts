/** A value of a label, and the names of the labels, in Prometheus' words. */
export type Labels = Readonly<Record<string, string>>;

/** Something that is measured and can be written down in Prometheus' text format. */
export interface Instrument {
  lines(): readonly string[];
}

/** Counts up, by labels. */
export class Counter implements Instrument {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, number>();
  /** Labels that come again and again as the same object are written once. */
  readonly #written = new WeakMap<Labels, string>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Labels = {}, amount = 1): void {
    const known = this.#written.get(labels);
    const id = known ?? written(labels);
    if (known === undefined) this.#written.set(labels, id);
    this.#values.set(id, (this.#values.get(id) ?? 0) + amount);
  }

  lines(): readonly string[] {
    const values = [...this.#values].map(([labels, value]) => `${this.#name}${labels} ${value}`);
    return [...heading(this.#name, this.#help, "counter"), ...values];
  }
}

/** Counts how many values were at most as large as each bound. */
export class Histogram implements Instrument {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  record(value: number): void {
    this.#sum += value;
    this.#count += 1;
    const index = this.#bounds.findIndex((bound) => value <= bound);
    if (index >= 0) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  lines(): readonly string[] {
    const name = this.#name;
    let below = 0;
    const buckets = this.#bounds.map((bound, index) => {
      below += this.#counts[index] ?? 0;
      return `${name}_bucket{le="${bound}"} ${below}`;
    });
    return [
      ...heading(name, this.#help, "histogram"),
      ...buckets,
      `${name}_bucket{le="+Inf"} ${this.#count}`,
      `${name}_sum ${this.#sum}`,
      `${name}_count ${this.#count}`,
    ];
  }
}

/** A value of this moment. */
export function gauge(name: string, help: string, values: readonly (readonly [Labels, number])[]) {
  const lines = values.map(([labels, value]) => `${name}${written(labels)} ${value}`);
  return [...heading(name, help, "gauge"), ...lines];
}

function heading(name: string, help: string, type: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function written(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
