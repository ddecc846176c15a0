/** Ready pieces of a preset (docs/specification.md#reserve). */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { FindReserve, ReservePiece } from "../engine";
import { functionError } from "./vendor-errors";

/**
 * Asks parcours-xl-reserve as soon as somebody is signed in: addresses signed for an hour, for a
 * whole journey. Throws ServiceError.
 */
export function reserveFinder(client: SupabaseClient): FindReserve {
  return async (presetKey) => {
    await signedIn(client);
    const { data, error } = await client.functions.invoke<{ pieces: readonly ReservePiece[] }>(
      "parcours-xl-reserve",
      { body: { presetKey } },
    );
    if (error || !data) throw functionError(error);
    return data.pieces;
  };
}

/** At once where there is a session; it is told first of all. */
async function signedIn(client: SupabaseClient): Promise<void> {
  let unsubscribe = () => {};
  await new Promise<void>((resolve) => {
    const { data } = client.auth.onAuthStateChange((_event, session) => session && resolve());
    unsubscribe = () => data.subscription.unsubscribe();
  });
  unsubscribe();
}
