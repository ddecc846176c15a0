/** Errors of supabase-js, translated once into the page's own. */

import {
  type AuthError,
  FunctionsFetchError,
  FunctionsHttpError,
  type PostgrestError,
} from "@supabase/supabase-js";
import { type Refusal, SignInRefused, Trouble, type TroubleKind } from "./trouble";

/** Of a call of `functions.invoke`. */
export function functionTrouble(error: unknown): Trouble {
  if (error instanceof FunctionsFetchError)
    return new Trouble("unreachable", null, { cause: error });
  if (!(error instanceof FunctionsHttpError)) return new Trouble("busy", null, { cause: error });
  const response = error.context as Response;
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new Trouble(kindOf(response.status), Number.isFinite(retryAfter) ? retryAfter : null, {
    cause: error,
  });
}

/** Of a read or an update; `status` is 0 where nothing answered. */
export function readTrouble(error: PostgrestError, status: number): Trouble {
  return new Trouble(status === 0 ? "unreachable" : kindOf(status), null, { cause: error });
}

/** Of Auth, where only the way back matters, not what a form says. */
export function authTrouble(error: AuthError): Trouble {
  const status = error.status ?? 0;
  return new Trouble(status === 0 ? "unreachable" : kindOf(status), null, { cause: error });
}

function kindOf(status: number): TroubleKind {
  if (status === 401 || status === 403) return "signed-out";
  if (status === 404) return "gone";
  if (status === 429) return "quota";
  return status >= 500 ? "busy" : "refused";
}

/** Auth's own words (supabase.com/docs/guides/auth/debugging/error-codes) in ours. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  invalid_credentials: "wrong",
  user_not_found: "wrong",
  email_not_confirmed: "unconfirmed",
  email_exists: "taken",
  user_already_exists: "taken",
  identity_already_exists: "taken",
  weak_password: "weak",
  same_password: "weak",
  email_address_invalid: "email",
  email_address_not_authorized: "email",
  validation_failed: "email",
  signup_disabled: "closed",
  email_provider_disabled: "closed",
  over_request_rate_limit: "busy",
  over_email_send_rate_limit: "busy",
};

/** Of Auth, as the answer to a form. */
export function formRefusal(error: AuthError): SignInRefused {
  return new SignInRefused(REFUSALS[error.code ?? ""] ?? refusalOf(error.status ?? 0), {
    cause: error,
  });
}

/** Of a code that is not known here. */
function refusalOf(status: number): Refusal {
  if (status === 429) return "busy";
  return status >= 400 && status < 500 ? "refused" : "down";
}
