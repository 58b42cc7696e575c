/** How deep objects and lists may be nested in what comes from outside. */
export const deepestJson = 100;

/** The value that a JSON text stands for, or what is wrong with it. */
export type JsonRead =
  | { readonly value: unknown }
  | { readonly fault: "malformed" | "unfit"; readonly detail: string };

/**
 * Reads JSON from outside. What would be trouble later on is unfit: values nested deeper than `levels`, which overflow
 * the stack of whoever walks through them, and the key `__proto__`, which is lost or worse where objects are copied.
 * It never throws, and takes time in proportion to the text.
 */
export function readJsonText(text: string, levels = deepestJson): JsonRead {
  if (isDeeperThan(levels, text)) {
    return { fault: "unfit", detail: `is nested deeper than ${levels} levels` };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { fault: "malformed", detail: error instanceof Error ? error.message : "is not JSON" };
  }
  // The key may be written with escapes.
  const mayHaveKey = text.includes("__proto__") || text.includes("\\u00");
  if (!mayHaveKey || !hasPrototypeKey(value)) return { value };
  return { fault: "unfit", detail: 'has an object with the key "__proto__"' };
}

// Characters by their number: a string for each costs three times as much.
const [quote, backslash] = [0x22, 0x5c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

function isDeeperThan(levels: number, json: string): boolean {
  // Each level takes two characters.
  if (json.length <= 2 * levels) return false;
  let depth = 0;
  let isText = false;
  // A regular expression would overflow the stack on a long text, and take its square in time on a broken one.
  for (let at = 0; at < json.length; at += 1) {
    const mark = json.charCodeAt(at);
    if (mark === quote) isText = !isText;
    else if (isText) at += mark === backslash ? 1 : 0;
    else if (mark === openBracket || mark === openBrace) depth += 1;
    else if (mark === closeBracket || mark === closeBrace) depth -= 1;
    if (depth > levels) return true;
  }
  return false;
}

function hasPrototypeKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Object.hasOwn(value, "__proto__")) return true;
  return Object.values(value).some(hasPrototypeKey);
}
