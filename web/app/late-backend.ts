/** The engine's ports before Supabase is loaded: they wait for it, and the music does not. */

import type { Feed, FeedSubscription, Sign } from "../engine";
import type { Backend } from "../supabase/backend";

export function lateBackend(backend: Promise<Backend>): { feed: Feed; sign: Sign } {
  return {
    sign: async (segmentId) => (await backend).sign(segmentId),
    feed: { subscribe: (runId, ears) => follow(backend, runId, ears) },
  };
}

function follow(backend: Promise<Backend>, ...[runId, ears]: Parameters<Feed["subscribe"]>) {
  let following: FeedSubscription | null = null;
  let heard = false;
  let over = false;
  void backend.then(({ feed }) => {
    if (over) return;
    following = feed.subscribe(runId, ears);
    if (heard) following.soundStarted();
  });
  return {
    soundStarted() {
      heard = true;
      following?.soundStarted();
    },
    unsubscribe() {
      over = true;
      following?.unsubscribe();
    },
  };
}
