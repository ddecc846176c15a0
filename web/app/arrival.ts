/** What a link of Auth's messages (confirmation, lost password) brings along in the address. */

import type { Tokens } from "../supabase/session";

export interface Arrival {
  readonly tokens: Tokens | null;
  /** The link was used before, or has expired. */
  readonly refused: boolean;
}

/** Read once, and taken out of the address and its history: Back shows none of it. */
export function takeArrival(): Arrival {
  const said = new URLSearchParams(location.hash.replace(/^#/, ""));
  const accessToken = said.get("access_token");
  const refreshToken = said.get("refresh_token");
  const refused = said.has("error") || said.has("error_code");
  if (accessToken || refreshToken || refused) {
    history.replaceState(history.state, "", location.pathname + location.search);
  }
  const tokens = accessToken && refreshToken ? { accessToken, refreshToken } : null;
  return { tokens, refused };
}
