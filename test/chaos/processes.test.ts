import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Evidence, takeAccount } from "./account.ts";
import { ChaosLab } from "./chaos-lab.ts";
import { tamperings } from "./tampered.ts";

let lab: ChaosLab;
beforeAll(async () => {
  lab = await ChaosLab.open();
}, 90_000);
afterAll(() => lab.close(), 90_000);

describe("the account on real servers", () => {
  let evidence: Evidence;
  beforeAll(async () => {
    lab.seat();
    lab.seat();
    lab.seat({ roles: "activities" });
    await lab.atWork();
    const { workload, sink } = await lab.workload(1);
    for (let count = 0; count < 10; count += 1) workload.voyage();
    await workload.done(60_000);
    evidence = lab.evidence(workload, sink);
  }, 120_000);

  test("is in order after a calm run", async () => {
    const account = await lab.account("calm", evidence);
    expect(account.problems).toEqual([]);
    expect(account).toMatchObject({ instances: 10, accepted: 90, applied: 90, parked: 0, lost: 0 });
  }, 90_000);

  test.each(tamperings)("notices when $what", async ({ tamper, says }) => {
    const { problems } = await takeAccount(tamper(evidence));
    expect(problems).toContainEqual(expect.stringMatching(says));
  });
});
