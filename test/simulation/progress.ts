import type { Campaign } from "./campaign.ts";

const width = 30;
/** Fewer seeds than this are done before anybody looks. */
const longCampaign = 500;

/** A bar on stderr for a long campaign: drawn over and over on a terminal, a line every twentieth elsewhere. */
export function showProgress(seeds: number): (done: Campaign) => void {
  if (seeds < longCampaign) return () => undefined;
  const { isTTY } = process.stderr;
  const startedAt = performance.now();
  let shown = -1;
  return (done) => {
    const part = done.seeds / seeds;
    const step = Math.floor(part * (isTTY ? 1_000 : 20));
    if (step === shown) return;
    shown = step;
    const seconds = (performance.now() - startedAt) / 1_000;
    const bar = "#".repeat(Math.round(part * width)).padEnd(width, ".");
    const left = Math.round(seconds / part - seconds);
    const text = `[${bar}] ${done.seeds}/${seeds} seeds, ${done.violations} violations, ${left} s left`;
    process.stderr.write(isTTY ? `\r${text.padEnd(100)}${part === 1 ? "\n" : ""}` : `${text}\n`);
  };
}
