import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const benches = Object.entries(scripts).filter(([name]) => /^bench\b/.test(name));

test.each(benches)(
  "%s --help says what it measures and what it takes, and starts nothing",
  async (name, command) => {
    const [, file = ""] = command.split(" ");
    const run = promisify(execFile)(process.execPath, [file, "--help"], { cwd: root });
    const { stdout, stderr } = await run;
    expect(stdout).toContain(`npm run ${name} -- [options]`);
    expect(stdout).toMatch(/^ +--json /m);
    expect(stderr).toBe("");
  },
);
