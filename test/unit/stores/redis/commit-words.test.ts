import { expect, test } from "vitest";
import { oneWord, textOfWord } from "../../../../src/stores/redis/commit-words.ts";

test.each(["", "plain", "two words", "\n", "\\", "\\n", "\\\\s \n", "Grüße 运单"])(
  "%j is one word in the store and itself again outside",
  (text) => {
    expect(oneWord(text)).not.toMatch(/[ \n]/);
    expect(textOfWord(oneWord(text))).toBe(text);
  },
);
