import { reply, type Service } from "./service.ts";

/** Picks the goods and packs them. */
export const warehouseService: Service = {
  name: "warehouse",
  patterns: ["warehouse.pick", "warehouse.pack"],
  handle(request) {
    const done = request.type === "warehouse.pick" ? "warehouse.picked" : "warehouse.packed";
    return [reply(request, done, {})];
  },
};
