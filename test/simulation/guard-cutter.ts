import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

/** A guard in the engine's source, and what stands there without it. */
export interface Cut {
  /** From the project's root. */
  readonly file: string;
  /** Text that stands in the file exactly once. */
  readonly guard: string;
  readonly instead: string;
}

const root = new URL("../../", import.meta.url);

/** Sees to it that modules which are loaded from now on come without these guards. */
export function cutOut(cuts: readonly Cut[]): void {
  const changed = new Map<string, string>();
  for (const cut of cuts) {
    const { href } = new URL(cut.file, root);
    changed.set(href, without(changed.get(href) ?? readFileSync(new URL(href), "utf8"), cut));
  }
  registerHooks({
    load(url, context, nextLoad) {
      const source = changed.get(url);
      if (source === undefined) return nextLoad(url, context);
      return { format: "module-typescript", source, shortCircuit: true };
    },
  });
}

/** @throws Error when the guard is not where it was: then the mutant has to follow it. */
export function without(source: string, { file, guard, instead }: Cut): string {
  const parts = source.split(guard);
  if (parts.length === 2) return parts.join(instead);
  throw new Error(`${file} holds "${guard}" ${parts.length - 1} times; the mutant needs it once.`);
}
