import type { InboxAddition, InstanceWrite } from "../../commit.ts";
import { encodeInstance, type Instance, noteWaiting, termsOf } from "../instance.ts";
import type { Definition } from "../registry.ts";

/** One instance while a batch is being worked out. */
export interface Draft {
  readonly key: string;
  readonly before: Instance | undefined;
  current: Instance | undefined;
  readonly inbox: InboxAddition[];
  /** Ids of messages that are past their time. */
  inboxForget: readonly string[];
  readonly history: string[];
  /** Effects so far in the current version. */
  effects: number;
  /** Whether there is anything to write. */
  touched: boolean;
}

const none: readonly string[] = [];

/** Those of these terms that the others lack. */
function missing(terms: readonly string[], others: readonly string[]): readonly string[] {
  return terms === others ? none : terms.filter((term) => !others.includes(term));
}

/** Those of its terms that the store's index has. */
function indexedTerms({ terms }: Instance, definition: Definition | undefined): readonly string[] {
  return definition?.workflow.indexed === false ? none : terms;
}

/** What a draft changes in the store. Its instance takes on the terms under which it is found from then on. */
export function writeOf(
  draft: Draft,
  now: number,
  definitionOf: (instance: Instance) => Definition | undefined,
): InstanceWrite {
  const { key, before, inbox, inboxForget, history } = draft;
  const expectedVersion = before === undefined ? 0 : before.version;
  const earlier = before === undefined ? none : indexedTerms(before, definitionOf(before));
  const change = { key, expectedVersion, inbox, inboxForget, history };
  if (draft.current === undefined) {
    const gone = { version: expectedVersion, record: undefined };
    return { ...change, ...gone, termsAdded: none, termsRemoved: earlier };
  }
  const noted = noteWaiting(draft.current, now);
  const definition = definitionOf(noted);
  const current = withTerms(noted, definition);
  draft.current = current;
  const terms = indexedTerms(current, definition);
  return {
    ...change,
    version: current.version,
    record: encodeInstance(current, definition),
    termsAdded: missing(terms, earlier),
    termsRemoved: missing(earlier, terms),
  };
}

function withTerms(instance: Instance, definition: Definition | undefined): Instance {
  const terms = termsOf(instance, definition);
  return terms === instance.terms ? instance : { ...instance, terms };
}
