import { Command } from "ioredis";
import type { Script } from "./scripts.ts";
import { WireText } from "./wire-text.ts";

/** A script on the slot of a key, as the client sends it and as it finds the node for it. */
class ScriptCommand extends Command {
  readonly #text: string;

  constructor(name: string, program: string, key: string, args: WireText) {
    // With a second key that is never there, a cluster refuses the script while it moves the slot. It would run where
    // some of the keys that the script derives are still or already elsewhere, and take them for missing.
    const opening = [program, "2", key, `${key}:none`];
    super(name, opening, { replyEncoding: "utf8" });
    const text = WireText.of([name, ...opening]);
    text.append(args);
    this.#text = text.toString();
  }

  override toWritable(): string {
    return this.#text;
  }
}

/** Runs a script that Redis has. */
export function knownScript(script: Script, key: string, args: WireText): Command {
  return new ScriptCommand("evalsha", script.sha, key, args);
}

/** Tells Redis a script, and runs it. */
export function newScript(script: Script, key: string, args: WireText): Command {
  return new ScriptCommand("eval", script.text, key, args);
}
