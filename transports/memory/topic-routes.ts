import type { Binding, Exchange } from "../../src/transport.ts";

const longestCache = 10_000;

/** The bindings of all topic exchanges, and which queues a routing key reaches through them. */
export class TopicRoutes {
  readonly #bindings: Binding[] = [];
  readonly #cache = new Map<string, readonly string[]>();

  /** Adds a binding; one that is there already is left alone. */
  bind(binding: Binding): void {
    if (this.#bindings.some((known) => sameBinding(known, binding))) return;
    this.#bindings.push(binding);
    this.#cache.clear();
  }

  /** Forgets every binding of a queue that is gone. */
  unbindQueue(queue: string): void {
    const kept = this.#bindings.filter((binding) => binding.queue !== queue);
    this.#bindings.splice(0, this.#bindings.length, ...kept);
    this.#cache.clear();
  }

  /** The queues that get a copy, each once. */
  queuesFor(exchange: Exchange, routingKey: string): readonly string[] {
    const cacheKey = `${exchange}\n${routingKey}`;
    const known = this.#cache.get(cacheKey);
    if (known) return known;
    const matching = this.#bindings.filter(
      (binding) => binding.exchange === exchange && matchesTopic(binding.pattern, routingKey),
    );
    const queues = [...new Set(matching.map((binding) => binding.queue))];
    if (this.#cache.size >= longestCache) this.#cache.clear();
    this.#cache.set(cacheKey, queues);
    return queues;
  }
}

/** True when an AMQP topic pattern matches: `*` stands for one word, `#` for any number of them. */
export function matchesTopic(pattern: string, routingKey: string): boolean {
  return matchesWords(wordsOf(pattern), wordsOf(routingKey));
}

function wordsOf(text: string): readonly string[] {
  return text === "" ? [] : text.split(".");
}

function matchesWords(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === "#") {
    return [...words, undefined].some((_, index) => matchesWords(rest, words.slice(index)));
  }
  if (words.length === 0 || (first !== "*" && first !== words[0])) return false;
  return matchesWords(rest, words.slice(1));
}

function sameBinding(one: Binding, other: Binding): boolean {
  return (
    one.queue === other.queue && one.exchange === other.exchange && one.pattern === other.pattern
  );
}
