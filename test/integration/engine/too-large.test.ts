import { describe, expect, it } from "vitest";
import { useDesk } from "../../support/diary.ts";
import { deadLetter } from "../../support/memory-engine.ts";

describe("an instance that would grow too large", () => {
  const desk = useDesk({ recordBytes: 1_500 });
  const long = "x".repeat(700);

  it("takes what fits and sets aside the message that does not, from then on too", async () => {
    await desk.start();
    await desk.send("diary.open");
    const texts = [`${long}1`, `${long}2`, "short"];
    for (const [index, text] of texts.entries()) {
      await desk.sendAsync("diary.note", { text }, { idempotencyKey: `m${index}` });
    }
    expect(await deadLetter(desk.engine, "m1")).toMatchObject({
      reason: "too-large",
      detail: expect.stringContaining("1500 bytes"),
      type: "diary.note",
    });
    await expect(desk.send("diary.note", { text: long })).rejects.toMatchObject({
      code: "too-large",
    });
    expect(await desk.send("diary.note", { text: "last" })).toMatchObject({ outcome: "applied" });
    expect((await desk.notes()).map((text) => text.length)).toEqual([701, 5, 4]);
    expect(desk.engine.seen("partition").filter(({ change }) => change === "lost")).toEqual([]);
  });
});
