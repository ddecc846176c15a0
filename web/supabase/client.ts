/** The one client of the page. */

import { createClient, type SupabaseClient } from "@supabase/supabase-js";

export interface Project {
  readonly supabaseUrl: string;
  readonly publishableKey: string;
}

/** Seconds after which a call counts as unanswered: a network may take a request and never answer. */
export const ANSWER_S_MAX = 15;
/** A function may write a brief first. */
export const FUNCTION_S_MAX = 60;

/** The session is kept in this browser and renewed by itself. */
export function openClient({ supabaseUrl, publishableKey }: Project): SupabaseClient {
  return createClient(supabaseUrl, publishableKey, {
    // Who reads again and again needs to know at once that a reading failed.
    db: { retry: false },
    global: { fetch: fetchInTime },
    auth: { persistSession: true, autoRefreshToken: true, storageKey: "parcours-xl.session" },
  });
}

function fetchInTime(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const address = input instanceof Request ? input.url : String(input);
  const seconds = address.includes("/functions/v1/") ? FUNCTION_S_MAX : ANSWER_S_MAX;
  const late = AbortSignal.timeout(seconds * 1000);
  const signal = init.signal ? AbortSignal.any([init.signal, late]) : late;
  return fetch(input, { ...init, signal });
}
