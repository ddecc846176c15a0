/** A client of supabase-js whose every request is written down and answered here. */

import { createClient, type SupabaseClient } from "@supabase/supabase-js";

export interface Sent {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: unknown;
}

export type Answer = { status?: number; body?: unknown; headers?: Record<string, string> } | "down";

export class FakeSupabase {
  readonly sent: Sent[] = [];
  readonly client: SupabaseClient;
  private readonly answers: Answer[] = [];

  constructor() {
    this.client = createClient("https://project.example", "sb_publishable_x", {
      auth: { persistSession: false, autoRefreshToken: false },
      global: { fetch: (input, init) => this.answerTo(input, init) },
      // Node before 22 has no WebSocket; none is opened here.
      realtime: { transport: class {} as never },
    });
  }

  /** What comes next, in order. */
  answer(...answers: Answer[]): void {
    this.answers.push(...answers);
  }

  get last(): Sent {
    const last = this.sent.at(-1);
    if (!last) throw new Error("nothing was sent");
    return last;
  }

  private async answerTo(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const text = typeof init?.body === "string" ? init.body : null;
    this.sent.push({
      method: init?.method ?? "GET",
      url: new URL(input instanceof Request ? input.url : input),
      headers: new Headers(init?.headers),
      body: text ? JSON.parse(text) : null,
    });
    const answer = this.answers.shift();
    if (!answer || answer === "down") throw new TypeError("Failed to fetch");
    return new Response(JSON.stringify(answer.body ?? {}), {
      status: answer.status ?? 200,
      headers: { "content-type": "application/json", ...answer.headers },
    });
  }
}

export const USER = {
  id: "5f0c6a52-9a53-4a5e-8c77-0d6f9e7f3b11",
  aud: "authenticated",
  role: "authenticated",
  email: "camille@example.org",
  app_metadata: {},
  user_metadata: {},
  created_at: "2026-11-22T10:00:00Z",
};

/** What Auth answers to a sign-in. */
export function signedIn(user: object = USER) {
  return {
    access_token: "a.b.c",
    token_type: "bearer",
    expires_in: 3600,
    refresh_token: "r",
    user,
  };
}
