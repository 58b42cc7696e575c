import { describe } from "vitest";
import { transportConsumeContract } from "./transport-consume-contract.ts";
import type { TransportFactory } from "./transport-lab.ts";
import { transportLifeContract } from "./transport-life-contract.ts";
import { transportPublishContract } from "./transport-publish-contract.ts";

/** What every transport must do, whatever carries its messages: a test for each sentence of `src/transport.ts`. */
export function transportContract(create: TransportFactory): void {
  describe("publishing", () => {
    transportPublishContract(create);
  });
  describe("consuming", () => {
    transportConsumeContract(create);
  });
  describe("life", () => {
    transportLifeContract(create);
  });
}
