/** Feed and signing for the engine before Supabase is loaded: calls wait until it is. */

import type { Feed, FeedSubscription, Sign } from "../../engine";
import type { Backend } from "../../supabase/backend";

export function deferredPorts(backend: Promise<Backend>): { feed: Feed; sign: Sign } {
  return {
    sign: async (segmentId) => (await backend).sign(segmentId),
    feed: { subscribe: (runId, listener) => follow(backend, runId, listener) },
  };
}

function follow(backend: Promise<Backend>, ...[runId, listener]: Parameters<Feed["subscribe"]>) {
  let following: FeedSubscription | null = null;
  let heard = false;
  let over = false;
  void backend.then(({ feed }) => {
    if (over) return;
    following = feed.subscribe(runId, listener);
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
