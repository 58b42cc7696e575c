import { z } from "zod";

/** One line of an order. `unitPrice` is before `discount`, a fraction from 0 to 1. */
export const itemSchema = z.object({
  productId: z.number().int().positive(),
  quantity: z.number().int().positive(),
  unitPrice: z.number().nonnegative(),
  discount: z.number().min(0).max(1),
});

/** An order as it is placed: the input of the workflow, and one line of a file of orders. */
export const orderSchema = z.object({
  orderId: z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/, "must be 1 to 128 of A-Z a-z 0-9 . _ : -"),
  customerId: z.string().min(1),
  orderDate: z.string().min(1),
  requiredDate: z.string().min(1),
  /** Null for an order that the carrier will never report as delivered. */
  shippedDate: z.string().min(1).nullable(),
  shipVia: z.number().int(),
  freight: z.number().nonnegative(),
  shipCountry: z.string().min(1),
  items: z.array(itemSchema).min(1),
  /** What is to be paid, in the shop's one currency. */
  amount: z.number().nonnegative(),
});

/** A product as the stock service knows it, and one line of a file of products. */
export const productSchema = z.object({
  productId: z.number().int().positive(),
  name: z.string().min(1),
  unitPrice: z.number().nonnegative(),
  unitsInStock: z.number().int().nonnegative(),
  discontinued: z.boolean(),
});

export type Item = z.infer<typeof itemSchema>;
export type Order = z.infer<typeof orderSchema>;
export type Product = z.infer<typeof productSchema>;

/** How an order can end; also the names of the machine's final states. */
export const outcomes = ["delivered", "refused", "declined", "refunded", "cancelled"] as const;
export type Outcome = (typeof outcomes)[number];
