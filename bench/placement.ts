import { partitionOf } from "../src/routing.ts";
import { loadsBy, sum } from "./spread.ts";

/** What can be moved on its own: a tenant, or a part of one that several cells share. */
export interface Unit {
  readonly name: string;
  /** Of all traffic; those of all units add up to 1. */
  readonly share: number;
}

/** Units and the cell that each is in, with the load of each cell. */
export interface Placement {
  readonly units: readonly Unit[];
  readonly cellOf: readonly number[];
  readonly loads: readonly number[];
}

/** Divides what is larger than `limit` into equal parts that are not; each is hashed by a name of its own. */
export function split(units: readonly Unit[], limit: number): readonly Unit[] {
  return units.flatMap((unit) => {
    const parts = Math.ceil(unit.share / limit);
    if (parts <= 1) return [unit];
    return Array.from({ length: parts }, (_, part) => ({
      name: `${unit.name}/${part}`,
      share: unit.share / parts,
    }));
  });
}

/** Each unit in the cell that its name hashes to: what one has without a directory. */
export function placedByHash(units: readonly Unit[], cells: number): Placement {
  const cellOf = units.map(({ name }) => partitionOf(name, cells));
  return placed(units, cellOf, cells);
}

/**
 * Moves the largest units, one after the other, to whichever cell then has the least. Since the unit's own cell is
 * among those, no move makes the busiest cell busier.
 */
export function moveLargest(placement: Placement, count: number): Placement {
  const { units } = placement;
  const cellOf = [...placement.cellOf];
  const loads = [...placement.loads];
  for (const index of bySize(units).slice(0, count)) {
    const moved = shareOf(units, index);
    const from = cellOf[index] ?? 0;
    loads[from] = (loads[from] ?? 0) - moved;
    const to = loads.indexOf(Math.min(...loads));
    loads[to] = (loads[to] ?? 0) + moved;
    cellOf[index] = to;
  }
  return placed(units, cellOf, loads.length);
}

/**
 * How many moves make every cell at most `limit` times the mean: out of the busiest cell goes the largest unit that
 * the idlest has room for. Not a number when that ends before all are below.
 */
export function movesToLevel({ units, cellOf, loads: before }: Placement, limit: number): number {
  const loads = [...before];
  const allowed = (limit * sum(loads)) / loads.length;
  const waiting = loads.map((): number[] => []);
  for (const index of bySize(units)) waiting[cellOf[index] ?? 0]?.push(index);
  for (let moves = 0; ; moves += 1) {
    const [most, least] = [Math.max(...loads), Math.min(...loads)];
    if (most <= allowed) return moves;
    const from = loads.indexOf(most);
    // What has moved is where it fits, and need not move again.
    const moved = takeFirst(
      waiting[from] ?? [],
      (index) => least + shareOf(units, index) <= allowed,
    );
    if (moved === undefined) return Number.NaN;
    loads[loads.indexOf(least)] = least + shareOf(units, moved);
    loads[from] = most - shareOf(units, moved);
  }
}

function takeFirst(items: number[], isWanted: (item: number) => boolean): number | undefined {
  const at = items.findIndex(isWanted);
  return at === -1 ? undefined : items.splice(at, 1)[0];
}

function placed(units: readonly Unit[], cellOf: readonly number[], cells: number): Placement {
  const shares = units.map(({ share }) => share);
  return { units, cellOf, loads: loadsBy(shares, cells, (index) => cellOf[index] ?? 0) };
}

function bySize(units: readonly Unit[]): readonly number[] {
  return [...units.keys()].toSorted((left, right) => shareOf(units, right) - shareOf(units, left));
}

function shareOf(units: readonly Unit[], index: number): number {
  return units[index]?.share ?? 0;
}
