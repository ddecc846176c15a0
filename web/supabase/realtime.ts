/** Realtime notifications for RunFeed. Not tested against a hosted project. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { ChangeWatch } from "./feed";

export function realtimeWatch(client: SupabaseClient): ChangeWatch {
  return (runId, listener) => {
    const channel = client
      .channel(`parcours-run-${runId}`)
      .on(
        "postgres_changes",
        { event: "*", schema: "public", table: "parcours_segments", filter: `run_id=eq.${runId}` },
        () => listener.changed(),
      )
      .on(
        "postgres_changes",
        { event: "UPDATE", schema: "public", table: "parcours_runs", filter: `id=eq.${runId}` },
        () => listener.changed(),
      )
      .subscribe((status) => listener.alive(status === "SUBSCRIBED"));
    return () => void client.removeChannel(channel);
  };
}
