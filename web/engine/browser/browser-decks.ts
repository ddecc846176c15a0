/** The decks of this browser. */

import type { Decks } from "../deck";
import { GraphDecks } from "./graph-decks";
import { PlainDecks } from "./plain-decks";
import { prefersGraph } from "./platform";

export interface BrowserDecksOptions {
  /** The seamless loop heard while waiting; same origin. Null: one waits in silence. */
  readonly bedUrl: string | null;
  /** `plain` is what `?output=plain` asks for. */
  readonly output?: "auto" | "web-audio" | "plain";
}

export function browserDecks({ bedUrl, output = "auto" }: BrowserDecksOptions): Decks {
  const graph = output === "auto" ? prefersGraph() : output === "web-audio";
  return graph ? new GraphDecks(bedUrl) : new PlainDecks(bedUrl);
}
