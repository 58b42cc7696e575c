import { describe } from "vitest";
import { storeCommitContract } from "./store-commit-contract.ts";
import { storeEffectsContract } from "./store-effects-contract.ts";
import { storeHeadContract } from "./store-head-contract.ts";
import { storeInboxContract } from "./store-inbox-contract.ts";
import type { StoreFactory } from "./store-lab.ts";
import { storeListContract } from "./store-list-contract.ts";
import { storeOwnershipContract } from "./store-ownership-contract.ts";

/** What every store must do: a test for each sentence of `src/store.ts` and `src/commit.ts`. */
export function storeContract(create: StoreFactory): void {
  describe("partitions and members", () => {
    storeOwnershipContract(create);
  });
  describe("commits", () => {
    storeCommitContract(create);
  });
  describe("heads", () => {
    storeHeadContract(create);
  });
  describe("effects", () => {
    storeEffectsContract(create);
  });
  describe("inboxes", () => {
    storeInboxContract(create);
  });
  describe("lists", () => {
    storeListContract(create);
  });
}
