import type { InstanceWrite } from "../../commit.ts";
import { WireText } from "./wire-text.ts";

/** What changes in one index: how many ids go and how many come, and these as the script takes them. */
class IndexChange {
  readonly #removed = new WireText();
  readonly #added = new WireText();
  #removals = 0;
  #additions = 0;

  remove(id: string): void {
    this.#removals += 1;
    this.#removed.add(id);
  }

  /** Which of the instances (the first is 1), and its id. */
  add(instance: number, id: string): void {
    this.#additions += 1;
    this.#added.addNumber(instance);
    this.#added.add(id);
  }

  addTo(args: WireText, name: string): void {
    args.add(name);
    args.addNumber(this.#removals);
    args.addNumber(this.#additions);
    args.append(this.#removed);
    args.append(this.#added);
  }
}

/**
 * What a batch changes in the indexes of its workflows: that of all their instances, and one for each term. Instances
 * often share their terms: one change of each index, not one of each instance.
 */
export class IndexChanges {
  readonly #all = new Map<string, IndexChange>();
  readonly #byTerm = new Map<string, Map<string, IndexChange>>();
  #instances = 0;

  /** The next instance of the batch, and its terms as words. */
  note(write: InstanceWrite, added: readonly string[], removed: readonly string[]): void {
    const { key, expectedVersion, record } = write;
    this.#instances += 1;
    const slash = key.indexOf("/");
    const workflow = key.slice(0, slash);
    const id = key.slice(slash + 1);
    if (record === undefined) {
      // Its terms are known to the store alone.
      if (expectedVersion > 0) changeOf(this.#all, workflow).remove(id);
      return;
    }
    if (expectedVersion === 0) changeOf(this.#all, workflow).add(this.#instances, id);
    if (added.length === 0 && removed.length === 0) return;
    const byTerm = this.#byTerm.get(workflow) ?? new Map<string, IndexChange>();
    this.#byTerm.set(workflow, byTerm);
    for (const term of removed) changeOf(byTerm, term).remove(id);
    for (const term of added) changeOf(byTerm, term).add(this.#instances, id);
  }

  addTo(args: WireText): void {
    let count = this.#all.size;
    for (const byTerm of this.#byTerm.values()) count += byTerm.size;
    args.addNumber(count);
    for (const [workflow, change] of this.#all) change.addTo(args, `w:${workflow}`);
    for (const [workflow, byTerm] of this.#byTerm) {
      for (const [term, change] of byTerm) change.addTo(args, `t:${workflow}/${term}`);
    }
  }
}

function changeOf(changes: Map<string, IndexChange>, name: string): IndexChange {
  const known = changes.get(name);
  if (known !== undefined) return known;
  const change = new IndexChange();
  changes.set(name, change);
  return change;
}
