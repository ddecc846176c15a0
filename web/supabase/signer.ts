/** Signed addresses of stored tracks (docs/specification.md#sign-track). */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { Sign } from "../engine";
import { functionError } from "./vendor-errors";

/**
 * Asks sign-track for a fresh address each time. How long one is still good is counted by the
 * engine from the moment of signing; the token in it is nobody's business here.
 */
export function signer(client: SupabaseClient): Sign {
  return async (segmentId) => {
    const { data, error } = await client.functions.invoke<{ url: string }>("sign-track", {
      body: { segmentId },
    });
    if (error || !data) throw functionError(error);
    return data.url;
  };
}
