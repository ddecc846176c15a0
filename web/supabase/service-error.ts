/** The errors of the service, as the page tells them apart. */

export type ServiceErrorKind =
  /** Nothing was reached: the network, or the service behind it. Worth another try by itself. */
  | "unreachable"
  /** The service is there and cannot now. Worth another try by itself. */
  | "unavailable"
  /** Too many people begin behind one address. Worth another try by itself, after longer pauses. */
  | "rate-limited"
  /** The session is over, or belongs to somebody else. */
  | "signed-out"
  /** The listener's daily runs are used up; `retryAfterSeconds` says until when, if known. */
  | "quota"
  /** What was asked for does not exist, or not any more. */
  | "not-found"
  /** Refused for good. */
  | "refused"
  /** An internal error of the page. */
  | "internal";

export class ServiceError extends Error {
  constructor(
    readonly kind: ServiceErrorKind,
    readonly retryAfterSeconds: number | null = null,
    options?: ErrorOptions,
  ) {
    super(kind, options);
  }

  /** Whether the same call may succeed later. */
  get transient(): boolean {
    return (
      this.kind === "unreachable" || this.kind === "unavailable" || this.kind === "rate-limited"
    );
  }
}

/** Returns a ServiceError as it is; any other error is internal. */
export function asServiceError(error: unknown): ServiceError {
  return error instanceof ServiceError
    ? error
    : new ServiceError("internal", null, { cause: error });
}

/** Why a sign-in form was refused, so that the page can say it kindly. */
export type Refusal =
  | "wrong"
  | "unconfirmed"
  | "taken"
  | "weak"
  | "long"
  | "email"
  | "closed"
  | "busy"
  /** Refused for a reason that no other try in this form mends. */
  | "refused"
  | "offline"
  | "down";

export class SignInRefused extends Error {
  constructor(
    readonly why: Refusal,
    options?: ErrorOptions,
  ) {
    super(why, options);
  }
}
