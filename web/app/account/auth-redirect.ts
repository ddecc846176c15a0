/** The tokens or the error that a link of an Auth message (confirmation, lost password) puts in the address. */

import type { Tokens } from "../../supabase/session";

export interface AuthRedirect {
  readonly tokens: Tokens | null;
  /** The link was already used, or has expired. */
  readonly refused: boolean;
}

/** Reads them once and removes them from the address and its history, so that Back shows none of it. */
export function takeAuthRedirect(): AuthRedirect {
  const params = new URLSearchParams(location.hash.replace(/^#/, ""));
  const accessToken = params.get("access_token");
  const refreshToken = params.get("refresh_token");
  const refused = params.has("error") || params.has("error_code");
  if (accessToken || refreshToken || refused) {
    history.replaceState(history.state, "", location.pathname + location.search);
  }
  const tokens = accessToken && refreshToken ? { accessToken, refreshToken } : null;
  return { tokens, refused };
}
