/** The one client of the page. */

import { SupabaseClient } from "@supabase/supabase-js";

export interface Project {
  readonly supabaseUrl: string;
  /** Where the functions answer, when not at the project's own address; relative to the page. */
  readonly functionsUrl?: string;
  readonly publishableKey: string;
}

/** Seconds after which a call counts as unanswered: a network may take a request and never answer. */
export const ANSWER_S_MAX = 15;
/** A function may write a brief first. */
export const FUNCTION_S_MAX = 60;

/** Closing the tab often follows Stop: this call is still sent then. */
export const CANCEL = "parcours-xl-cancel";

/** The session is kept in this browser and renewed by itself. */
export function openClient({ supabaseUrl, publishableKey, functionsUrl }: Project): SupabaseClient {
  return new Client(functionsUrl, supabaseUrl, publishableKey, {
    // Who reads again and again needs to know at once that a reading failed.
    db: { retry: false },
    global: { fetch: fetchInTime },
    auth: {
      persistSession: true,
      autoRefreshToken: true,
      storageKey: "parcours-xl.session",
      // The page takes the tokens of a link out of the address itself, so that Back shows none.
      detectSessionInUrl: false,
    },
  });
}

/** supabase-js looks for the functions at the project's address; ours may be at the page's own. */
class Client extends SupabaseClient {
  constructor(
    functionsUrl: string | undefined,
    ...project: ConstructorParameters<typeof SupabaseClient>
  ) {
    super(...project);
    if (functionsUrl !== undefined) this.functionsUrl = new URL(functionsUrl, document.baseURI);
  }
}

function fetchInTime(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const address = input instanceof Request ? input.url : String(input);
  const cancels = address.endsWith(`/functions/v1/${CANCEL}`);
  const isFunction = address.includes("/functions/v1/") && !cancels;
  const seconds = isFunction ? FUNCTION_S_MAX : ANSWER_S_MAX;
  const late = AbortSignal.timeout(seconds * 1000);
  const signal = init.signal ? AbortSignal.any([init.signal, late]) : late;
  return cancels ? fetchOutliving(input, { ...init, signal }) : fetch(input, { ...init, signal });
}

/** A browser that refuses `keepalive` to a call with a preflight sends it without. */
async function fetchOutliving(input: RequestInfo | URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(input, { ...init, keepalive: true });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    return fetch(input, init);
  }
}
