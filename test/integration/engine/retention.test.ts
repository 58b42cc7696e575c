import { describe, expect, it } from "vitest";
import { useDesk } from "../../support/diary.ts";
import { eventually, inState } from "../../support/memory-engine.ts";

const dayMs = 86_400_000;
const desk = useDesk();

async function finish(id = "d"): Promise<void> {
  await desk.start(id);
  await desk.send("diary.open", {}, { id });
  await desk.send("diary.shut", {}, { id });
  await inState(desk.engine, `diary/${id}`, "burnt");
}

function get() {
  return desk.engine.client.get("diary", "d");
}

/** Resolves once the engine has gone through all that is due. */
async function removed(): Promise<void> {
  await eventually(() => expect(desk.engine.seen("removed")).toEqual([expect.anything()]));
}

describe("an instance that has ended", () => {
  it("is kept for its retention, and then goes with its history and all that led to it", async () => {
    await finish();
    desk.world.skip(6.9 * dayMs);
    await desk.start("other");
    expect(await get()).toMatchObject({ status: "done" });
    desk.world.skip(0.2 * dayMs);
    await removed();
    await expect(get()).rejects.toMatchObject({ code: "unknown-instance" });
    const { items } = await desk.engine.client.list({ workflow: "diary" });
    expect(items.map(({ id }) => id)).toEqual(["other"]);
    const [mine] = await desk.world.store().partitions();
    expect(mine).toMatchObject({ outboxEntries: 0, timers: 0 });
  });

  it("may be started again afterwards, and is then another one", async () => {
    await finish();
    desk.world.skip(7.1 * dayMs);
    await removed();
    await desk.start();
    expect(await get()).toMatchObject({ state: "shut", version: 1, context: { notes: [] } });
    const history = await desk.engine.client.history("diary", "d");
    expect(history.map(({ version }) => version)).toEqual([1]);
  });

  it("stays when it was begun anew in the meantime", async () => {
    await finish();
    await finish("other");
    const again = { workflow: "diary", id: "d", input: {} };
    await desk.engine.client.start({ ...again, onConflict: "terminate-existing" });
    desk.world.skip(7.1 * dayMs);
    await removed();
    expect(desk.engine.seen("removed")).toMatchObject([{ key: "diary/other" }]);
    expect(await get()).toMatchObject({ state: "shut" });
  });
});
