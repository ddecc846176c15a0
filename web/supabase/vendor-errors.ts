/** Translates the errors of supabase-js into ServiceError and SignInRefused. */

import {
  type AuthError,
  FunctionsFetchError,
  FunctionsHttpError,
  FunctionsRelayError,
  type PostgrestError,
} from "@supabase/supabase-js";
import { type Refusal, ServiceError, type ServiceErrorKind, SignInRefused } from "./service-error";

/** Of a call of `functions.invoke`; no error and no data is an answer without a body. */
export function functionError(error: unknown): ServiceError {
  if (error instanceof FunctionsFetchError) return fetchError(error.context, error);
  if (!(error instanceof FunctionsHttpError)) {
    const broken =
      error === null || error instanceof FunctionsRelayError || error instanceof SyntaxError;
    return new ServiceError(broken ? "unavailable" : "internal", null, { cause: error });
  }
  const response = error.context as Response;
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new ServiceError(
    kindOf(response.status),
    Number.isFinite(retryAfter) ? retryAfter : null,
    {
      cause: error,
    },
  );
}

/** Of a read or an update; `status` is 0 where nothing answered. */
export function queryError(error: PostgrestError, status: number): ServiceError {
  if (status !== 0) return new ServiceError(kindOf(status), null, { cause: error });
  // postgrest-js keeps the name of what fetch threw at the beginning of the message.
  return fetchError({ name: /^\w{1,40}/.exec(error.message)?.[0] }, error);
}

/** Of Auth, where only the way back matters, not what a form says. */
export function authError(error: AuthError): ServiceError {
  const status = error.status ?? 0;
  // Auth counts by address, and a clinic or a school is one address.
  if (status === 429) return new ServiceError("rate-limited", null, { cause: error });
  return new ServiceError(status === 0 ? "unreachable" : kindOf(status), null, { cause: error });
}

/** What fetch throws where nothing answers. With anything else the request was never made. */
const UNANSWERED: ReadonlySet<unknown> = new Set([
  "TypeError",
  "FetchError",
  "AbortError",
  "TimeoutError",
  "NetworkError",
]);

function fetchError(thrown: { readonly name?: unknown } | undefined, cause: unknown): ServiceError {
  return new ServiceError(UNANSWERED.has(thrown?.name) ? "unreachable" : "internal", null, {
    cause,
  });
}

function kindOf(status: number): ServiceErrorKind {
  if (status === 401 || status === 403) return "signed-out";
  if (status === 404) return "not-found";
  if (status === 429) return "quota";
  return status >= 500 ? "unavailable" : "refused";
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
  // One code for whatever has the wrong shape; only the message tells the field.
  if (error.code === "validation_failed" && /password.{0,40}longer/i.test(error.message)) {
    return new SignInRefused("long", { cause: error });
  }
  return new SignInRefused(REFUSALS[error.code ?? ""] ?? refusalOf(error.status ?? 0), {
    cause: error,
  });
}

/** Of a code that is not known here; without a status nothing answered. */
function refusalOf(status: number): Refusal {
  if (status === 0) return "offline";
  if (status === 429) return "busy";
  return status >= 400 && status < 500 ? "refused" : "down";
}
