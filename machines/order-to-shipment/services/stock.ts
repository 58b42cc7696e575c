import type { Item, Product } from "../order.ts";
import { reply, type Service } from "./service.ts";

interface Reserve {
  readonly orderId: string;
  readonly items: readonly Item[];
}

/** Reserves whatever is ordered, unless it holds a product that is discontinued. */
export function stockService(products: readonly Product[]): Service {
  const discontinued = new Map(
    products
      .filter((product) => product.discontinued)
      .map(({ productId, name }) => [productId, name]),
  );

  function reserve({ orderId, items }: Reserve) {
    const item = items.find(({ productId }) => discontinued.has(productId));
    return item === undefined
      ? { type: "stock.reserved", payload: { reservationId: `R-${orderId}` } }
      : {
          type: "stock.refused",
          payload: { reason: `${discontinued.get(item.productId)} is discontinued.` },
        };
  }

  return {
    name: "stock",
    patterns: ["stock.reserve", "stock.release"],
    handle(request) {
      if (request.type === "stock.release") return [reply(request, "stock.released", {})];
      const { type, payload } = reserve(JSON.parse(request.body) as Reserve);
      return [reply(request, type, payload)];
    },
  };
}
