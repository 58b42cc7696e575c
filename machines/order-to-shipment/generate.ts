import type { Item, Order, Product } from "./order.ts";

const names = [
  ["Ash broom", 12.5],
  ["Beeswax candle", 6.2],
  ["Brass hook", 3.4],
  ["Copper kettle", 64],
  ["Cork board", 21.9],
  ["Dust pan", 8.75],
  ["Enamel mug", 9.5],
  ["Felt slippers", 34],
  ["Garden twine", 4.8],
  ["Hand drill", 89],
  ["Iron trivet", 17.3],
  ["Jute mat", 26],
  ["Linen towel", 14.6],
  ["Maple board", 38.5],
  ["Nail brush", 5.9],
  ["Oil lamp", 72],
  ["Paper lantern", 11.2],
  ["Quartz clock", 58],
  ["Rake", 29.9],
  ["Sewing box", 45],
  ["Tea strainer", 7.1],
  ["Umbrella stand", 95],
  ["Watering can", 33.3],
  ["Wool blanket", 79],
] as const;
const countries = ["Austria", "Brazil", "Denmark", "France", "Germany", "Ghana", "India", "Peru"];

/** The shop's own range, for runs without a file of products; every ninth product is discontinued. */
export const generatedProducts: readonly Product[] = names.map(([name, unitPrice], index) => ({
  productId: index + 1,
  name,
  unitPrice,
  unitsInStock: (index * 37) % 120,
  discontinued: index % 9 === 4,
}));

/** Order number `index` (from 0) of the endless series that belongs to `seed`: always the same one. */
export function generatedOrder(seed: number, index: number): Order {
  const random = randomFrom(seed, index);
  const items = Array.from({ length: 1 + random(4) }, () => generatedItem(random));
  const day = Math.floor(index / 200);
  return {
    orderId: `G${seed}-${String(index + 1).padStart(6, "0")}`,
    customerId: `C${String(1 + random(900)).padStart(3, "0")}`,
    orderDate: dateOf(day),
    requiredDate: dateOf(day + 28),
    shippedDate: random(50) === 0 ? null : dateOf(day + 1 + random(20)),
    shipVia: 1 + random(3),
    freight: random(20_000) / 100,
    shipCountry: countries[random(countries.length)] ?? "Austria",
    items,
    amount: amountOf(items),
  };
}

function generatedItem(random: (below: number) => number): Item {
  const product = generatedProducts[random(generatedProducts.length)];
  const wholesale = random(25) === 0;
  return {
    productId: product?.productId ?? 1,
    quantity: 1 + random(wholesale ? 120 : 20),
    unitPrice: product?.unitPrice ?? 1,
    discount: random(5) === 0 ? 0.1 : 0,
  };
}

function amountOf(items: readonly Item[]): number {
  const cents = items.reduce(
    (sum, { quantity, unitPrice, discount }) => sum + quantity * unitPrice * (1 - discount) * 100,
    0,
  );
  return Math.round(cents) / 100;
}

function dateOf(day: number): string {
  return new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10);
}

/** Whole numbers from 0 up to, not including, `below`: mulberry32, started from seed and index. */
function randomFrom(seed: number, index: number): (below: number) => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b);
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
