/** The player in another page that already has a Supabase client: `embed(client).start(runId)`. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { browserDecks, createPlayer, type Decks, type Player, systemClock } from "../engine";
import { RunFeed } from "../supabase/feed";
import { Runs } from "../supabase/runs";
import { signer } from "../supabase/signer";

export function embed(
  client: SupabaseClient,
  decks: Decks = browserDecks({ bedUrl: null }),
): Player {
  const runs = new Runs(client);
  const read = (runId: string) => runs.read(runId);
  const lost = () => player.stop();
  const feed = new RunFeed({ clock: systemClock, page: document, read, lost });
  const player = createPlayer({ clock: systemClock, decks, feed, sign: signer(client) });
  return player;
}
