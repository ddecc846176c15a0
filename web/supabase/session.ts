/** Who is listening: anonymous where the project allows it, else by email and password. */

import type { SupabaseClient, User } from "@supabase/supabase-js";
import { authError, formRefusal } from "./vendor-errors";

export interface Listener {
  readonly id: string;
  /** Their journeys live in this browser only. */
  readonly anonymous: boolean;
  readonly email: string | null;
}

/** Of one session, as a link of Auth's messages carries them. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Refused anonymous sign-ins that a form can still get around. */
const FORM_CODES: ReadonlySet<string> = new Set([
  "anonymous_provider_disabled",
  "captcha_failed",
  "signup_disabled",
]);

export class Session {
  private unsubscribe = () => {};

  constructor(private readonly client: SupabaseClient) {}

  /** Tells who is listening, now and at each change. */
  start(changed: (listener: Listener | null) => void): void {
    const { data } = this.client.auth.onAuthStateChange((_event, session) =>
      changed(session ? asListener(session.user) : null),
    );
    this.unsubscribe = () => data.subscription.unsubscribe();
  }

  stop(): void {
    this.unsubscribe();
  }

  /** The session that a link of a message brought; false where the link is no longer good. */
  async adopt(tokens: Tokens): Promise<boolean> {
    const { error } = await this.client.auth.setSession({
      access_token: tokens.accessToken,
      refresh_token: tokens.refreshToken,
    });
    return !error || authError(error).transient;
  }

  /** An address may have been confirmed in another browser: then this one is told as well. */
  async recognise(): Promise<void> {
    const { data } = await this.client.auth.getSession();
    const user = data.session?.user;
    if (!user?.is_anonymous || !user.new_email) return;
    const { data: now } = await this.client.auth.getUser();
    if (now.user && !now.user.is_anonymous) await this.client.auth.refreshSession();
  }

  /** Signs in without asking anything, where that is possible; "form" where it is not. */
  async open(): Promise<"open" | "form"> {
    const { data, error: unread } = await this.client.auth.getSession();
    if (data.session) return "open";
    // A session that could not be renewed just now is still theirs, with all their journeys.
    if (unread && authError(unread).transient) throw authError(unread);
    const { error } = await this.client.auth.signInAnonymously();
    if (!error) return "open";
    if (FORM_CODES.has(error.code ?? "")) return "form";
    throw authError(error);
  }

  /** The project refused this session: renewed where that is possible, else let go. */
  async renew(): Promise<void> {
    const { error } = await this.client.auth.refreshSession();
    if (error && authError(error).transient) throw authError(error);
    if (error) await this.signOut();
  }

  async signIn(email: string, password: string): Promise<void> {
    const { error } = await this.client.auth.signInWithPassword({ email, password });
    if (error) throw formRefusal(error);
  }

  /** "confirm" where the project first sends a message to the address. */
  async signUp(email: string, password: string): Promise<"open" | "confirm"> {
    const { data, error } = await this.client.auth.signUp({ email, password });
    if (error) throw formRefusal(error);
    return data.session ? "open" : "confirm";
  }

  /** An anonymous listener becomes a permanent one; their journeys stay theirs. */
  async keep(email: string, password: string): Promise<"kept" | "confirm"> {
    const { data, error } = await this.client.auth.updateUser({ email, password });
    if (error) throw formRefusal(error);
    if (data.user.is_anonymous) return "confirm";
    // The token still says "anonymous" until it is renewed.
    await this.client.auth.refreshSession();
    return "kept";
  }

  /** On this device only; without the service, too. */
  async signOut(): Promise<void> {
    await this.client.auth.signOut({ scope: "local" });
  }
}

function asListener(user: User): Listener {
  return { id: user.id, anonymous: user.is_anonymous === true, email: user.email ?? null };
}
