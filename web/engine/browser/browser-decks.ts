/** The decks of this browser. */

import { GraphDecks } from "./graph-decks";
import { PlainDecks } from "./plain-decks";
import { prefersGraph } from "./platform";

export interface BrowserDecksOptions {
  /** The seamless loop heard while waiting; same origin. Null: one waits in silence. */
  readonly bedUrl: string | null;
  /** A few seconds of it, which sound until the whole has arrived; same origin. */
  readonly bedStartUrl?: string | null;
  /** `plain` is what `?output=plain` asks for. */
  readonly output?: "auto" | "web-audio" | "plain";
}

export function browserDecks({
  bedUrl,
  bedStartUrl = null,
  output = "auto",
}: BrowserDecksOptions): GraphDecks | PlainDecks {
  const graph = output === "auto" ? prefersGraph() : output === "web-audio";
  const files = { url: bedUrl, startUrl: bedStartUrl };
  return graph ? new GraphDecks(files) : new PlainDecks(files);
}
