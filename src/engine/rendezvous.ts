import type { Member } from "../member.ts";

/**
 * The members that can run whatever any other of them can: while a new version is rolled out beside the old one,
 * only those that hold both should own instances of both. When no member holds all, every one is as good.
 */
export function mostCapable(members: readonly Member[]): readonly Member[] {
  const all = new Set(members.flatMap(({ workflows }) => workflows));
  const complete = members.filter(({ workflows }) => new Set(workflows).size === all.size);
  return complete.length > 0 ? complete : members;
}

/**
 * Who of the members should own a partition: highest random weight (rendezvous hashing), so that a member that
 * comes or goes moves only its own share. The weight is FNV-1a over `partition:member`, avalanched.
 */
export function ownerOf(partition: number, members: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestWeight = -1;
  for (const member of members.toSorted()) {
    const weight = weigh(`${partition}:${member}`);
    if (weight <= bestWeight) continue;
    best = member;
    bestWeight = weight;
  }
  return best;
}

function weigh(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
