import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { firstSeed } from "../support/fuzz-budget.ts";
import { isNameOf } from "../support/instance-checks.ts";
import { Seeded } from "../support/seeded.ts";
import { type Account, takeAccount } from "./account.ts";
import { ChaosLab } from "./chaos-lab.ts";
import {
  brokerFaults,
  consumerTimeout,
  diskFull,
  type Fault,
  networkFaults,
  processFaults,
  queueDeleted,
  scaling,
  storeFaults,
} from "./faults.ts";
import { tamperings } from "./tampered.ts";
import type { VoyageOptions, Workload } from "./workload.ts";

const chance = new Seeded(firstSeed);
/** A disk that can be filled: only root may make one. */
const disk = process.getuid?.() === 0 ? smallDisk() : undefined;
let seeds = 0;
let lab: ChaosLab;

beforeAll(async () => {
  lab = await ChaosLab.open(disk === undefined ? {} : { settings: ["--dir", disk] });
  await lab.begin(1, 1);
}, 120_000);
afterAll(async () => {
  await lab.close();
  if (disk === undefined) return;
  execFileSync("umount", ["--lazy", disk]);
  rmSync(disk, { recursive: true });
}, 120_000);

function smallDisk(): string {
  const folder = mkdtempSync(join(tmpdir(), "waybill-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", folder]);
  return folder;
}

function newWorkload(): Workload {
  seeds += 1;
  return lab.workload(seeds);
}

/** Plays while these things happen one after the other, and is strict about the account. */
async function playThrough(
  faults: readonly Fault[],
  options: VoyageOptions = {},
): Promise<Account> {
  const workload = newWorkload();
  let goesOn = true;
  const playing = workload.play(() => goesOn, 250, options);
  await sleep(1_000);
  for (const { name, strike } of faults) {
    process.stdout.write(`  ${name}\n`);
    await strike(lab, chance);
    await sleep(500);
  }
  goesOn = false;
  await playing;
  return lab.account(namesOf(faults), workload);
}

async function expectAllKept(faults: readonly Fault[], options: VoyageOptions = {}): Promise<void> {
  const account = await playThrough(faults, options);
  expect(account.problems).toEqual([]);
  expect(account).toMatchObject({ applied: account.accepted, parked: 0, lost: 0 });
}

describe("the account on real servers", () => {
  let workload: Workload;
  beforeAll(async () => {
    workload = newWorkload();
    for (let count = 0; count < 10; count += 1) workload.voyage();
    await workload.done(60_000);
  }, 120_000);

  test("is in order after a calm run", async () => {
    const account = await lab.account("calm", workload);
    expect(account.problems).toEqual([]);
    expect(account).toMatchObject({ instances: 10, accepted: 90, applied: 90, parked: 0, lost: 0 });
  });

  test.each(tamperings)("notices when $what", async ({ tamper, says }) => {
    const { problems } = await takeAccount(tamper(lab.evidence(workload)));
    expect(problems).toContainEqual(expect.stringMatching(says));
  });
});

describe("nothing that was accepted is lost or done twice", () => {
  test(`when ${scaling.name}`, async () => {
    await expectAllKept([scaling]);
    await lab.begin(1, 0);
  });

  test("when an event makes its machine throw, and another ends every process that looks at it", async () => {
    const workload = newWorkload();
    for (let count = 0; count < 10; count += 1) workload.voyage();
    const thrown = workload.voyage({ harm: "throw" });
    const killing = workload.voyage({ harm: "kill" });
    await expect.poll(() => lab.statusOf(thrown), { timeout: 60_000 }).toBe("failed");
    await lab.post(`/workflows/voyage/instances/${thrown}/terminate`);
    const account = await lab.account("poison", workload);
    expect(account.problems).toEqual([]);
    expect(account.lost).toBe(0);
    expect(account.parked).toBeGreaterThanOrEqual(2);
    expect(await lab.statusOf(killing)).toBe("done");
    expect(lab.deaths).toBeGreaterThanOrEqual(4);
    const letters = await lab.letters();
    for (const voyage of [killing, thrown]) {
      const harm = { key: `voyage/${voyage}`, id: `${voyage}:harm1` };
      const names = letters.map(({ messageId }) => messageId);
      expect(names.some((name) => isNameOf(harm, name, lab.partitions))).toBe(true);
    }
  });

  test(`when ${namesOf(processFaults)}`, () => expectAllKept(processFaults));
  test(`when ${namesOf(brokerFaults)}`, () => expectAllKept(brokerFaults));
  const ofStore = [...storeFaults, consumerTimeout];
  test(`when ${namesOf(ofStore)}`, () => expectAllKept(ofStore));
  test(`when ${namesOf(networkFaults)}`, () => expectAllKept(networkFaults));

  const deleted = ["chaos.p.3", "chaos.p.5", "chaos.activity.voyage.unload"].map(queueDeleted);
  test(`when, with HTTP alone, ${namesOf(deleted)}`, () =>
    expectAllKept(deleted, { onlyHttp: true }));

  const fullDisk = diskFull(disk ?? "");
  if (disk === undefined) process.stderr.write(`SKIPPED, needs root: ${fullDisk.name}\n`);
  test.skipIf(disk === undefined)(`when ${fullDisk.name}`, () => expectAllKept([fullDisk]));
});

function namesOf(faults: readonly Fault[]): string {
  return faults.map(({ name }) => name).join("; ");
}
