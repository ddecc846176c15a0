/** What may go wrong on the way to the music, in the page's own words. */

export type TroubleKind =
  /** Nothing was reached: the network, or the service behind it. Worth another try by itself. */
  | "unreachable"
  /** The service is there and cannot now. Worth another try by itself. */
  | "busy"
  /** Too many people begin behind one address. Worth another try by itself, after longer pauses. */
  | "crowded"
  /** The session is over, or belongs to somebody else. */
  | "signed-out"
  /** The listener's daily runs are used up; `retryAfterSeconds` says until when, if known. */
  | "quota"
  /** What was asked for does not exist, or not any more. */
  | "gone"
  /** Refused for good. */
  | "refused"
  /** A mistake of the page itself: the service and the network have no part in it. */
  | "page";

export class Trouble extends Error {
  constructor(
    readonly kind: TroubleKind,
    readonly retryAfterSeconds: number | null = null,
    options?: ErrorOptions,
  ) {
    super(kind, options);
  }

  /** Whether the same call may succeed without anybody doing anything. */
  get passes(): boolean {
    return this.kind === "unreachable" || this.kind === "busy" || this.kind === "crowded";
  }
}

/** A trouble as it is; any other error is a mistake of ours. */
export function asTrouble(error: unknown): Trouble {
  return error instanceof Trouble ? error : new Trouble("page", null, { cause: error });
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
