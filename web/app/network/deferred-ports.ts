/** Feed, signing and the reserve before Supabase is loaded: calls wait until it is. */

import type { Feed, FeedSubscription, FindReserve, Sign } from "../../engine";
import type { Backend } from "../../supabase/backend";

export function deferredPorts(backend: Promise<Backend>): {
  readonly feed: Feed;
  readonly sign: Sign;
  readonly reserve: FindReserve;
} {
  return {
    reserve: async (presetKey) => (await backend).reserve(presetKey),
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
