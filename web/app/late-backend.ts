/** The engine's ports before Supabase is loaded: they wait for it, and the music does not. */

import type { Feed, Following, Sign } from "../engine";
import type { Backend } from "../supabase/backend";

export function lateBackend(backend: Promise<Backend>): { feed: Feed; sign: Sign } {
  return {
    sign: async (segmentId) => (await backend).sign(segmentId),
    feed: { follow: (runId, ears) => follow(backend, runId, ears) },
  };
}

function follow(backend: Promise<Backend>, ...[runId, ears]: Parameters<Feed["follow"]>) {
  let following: Following | null = null;
  let heard = false;
  let over = false;
  void backend.then(({ feed }) => {
    if (over) return;
    following = feed.follow(runId, ears);
    if (heard) following.heard();
  });
  return {
    heard() {
      heard = true;
      following?.heard();
    },
    stop() {
      over = true;
      following?.stop();
    },
  };
}
