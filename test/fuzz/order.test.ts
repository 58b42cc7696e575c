import { expect, test } from "vitest";
import { Stepper } from "../../src/engine/step.ts";
import { eventBudget, firstSeed } from "../support/fuzz-budget.ts";
import { Lockstep, type Play } from "../support/lockstep.ts";
import { order, orderInput } from "../support/order-machine.ts";
import { Seeded } from "../support/seeded.ts";

const outside: readonly Play[] = [
  { event: { type: "payment.authorized", orderId: "o1", authorization: "A" } },
  { event: { type: "payment.declined", orderId: "o1" } },
  { event: { type: "picking.done" } },
  { event: { type: "packing.done", boxes: 1 } },
  { event: { type: "order.held", by: "b" } },
  { event: { type: "order.released" } },
  { event: { type: "carrier.scanned", at: "a" } },
  { event: { type: "shipment.moved", share: 1 } },
];
const cancelled: Play = { event: { type: "order.cancelled", reason: "r" } };

test("an order does the same as under live XState, whatever happens to it", () => {
  const stepper = new Stepper(order);
  const seen = { runs: 0, events: 0, ended: 0, types: new Set<string>() };
  while (seen.events < eventBudget) {
    const seed = firstSeed + seen.runs++;
    const random = new Seeded(seed);
    const lockstep = new Lockstep(order, stepper, orderInput);
    let progress = lockstep.start(orderInput);
    const history: string[] = [];
    while (progress === "going" && lockstep.events < 30) {
      const rare = random.oneIn(8) ? [cancelled] : [];
      // Answers are listed twice, or most orders would stay where they wait for one.
      const plays = [...outside, ...rare, ...lockstep.plays(), ...lockstep.plays()].map(withOutput);
      const play = random.pick(plays);
      history.push(play.event.type);
      seen.types.add(play.event.type);
      try {
        progress = lockstep.play(play);
      } catch (difference) {
        throw new Error(`seed ${seed}: ${history.join(" > ")}`, { cause: difference });
      }
      expect(progress, `seed ${seed}: ${history.join(" > ")}`).toMatch(/going|ended/);
    }
    seen.events += lockstep.events;
    if (progress === "ended") seen.ended++;
    lockstep.stop();
  }
  console.info(`${seen.events} events in ${seen.runs} orders, ${seen.ended} ended`);
  expect(seen.ended).toBeGreaterThan(0);
  expect(seen.types.size).toBeGreaterThan(20);
});

function withOutput(play: Play): Play {
  const { event, origin } = play;
  if (!event.type.startsWith("xstate.done.actor.")) return play;
  const output = { reservation: "R", tracking: "T" };
  return origin === undefined ? play : { event: { ...event, output }, origin };
}
