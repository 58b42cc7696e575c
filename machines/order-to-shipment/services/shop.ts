import type { Product } from "../order.ts";
import { carrierService } from "./carrier.ts";
import { paymentService } from "./payment.ts";
import type { Service } from "./service.ts";
import { stockService } from "./stock.ts";
import { warehouseService } from "./warehouse.ts";

/** All services of a shop that sells these products. */
export function shopServices(products: readonly Product[]): readonly Service[] {
  return [stockService(products), paymentService, warehouseService, carrierService];
}
