/** The one client of the page. */

import { createClient, type SupabaseClient } from "@supabase/supabase-js";

export interface Project {
  readonly supabaseUrl: string;
  readonly publishableKey: string;
}

/** The session is kept in this browser and renewed by itself. */
export function openClient({ supabaseUrl, publishableKey }: Project): SupabaseClient {
  return createClient(supabaseUrl, publishableKey, {
    // Who reads again and again needs to know at once that a reading failed.
    db: { retry: false },
    auth: { persistSession: true, autoRefreshToken: true, storageKey: "parcours-xl.session" },
  });
}
