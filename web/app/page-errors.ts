/**
 * Errors that are the page's own: neither the service's, nor the network's, nor the listener's.
 * The console has them whole; the service is told their kind, and nothing else leaves the browser.
 */

import type { Clock, PlayerError } from "../engine";
import { SignInRefused, Trouble } from "../supabase/trouble";

/** As the service knows them (backend, http/page_errors.py). */
export type PageErrorKind =
  /** A mistake in the player. */
  | "engine"
  /** The browser refused a call of Web Audio or of a media element. */
  | "sound"
  /** A mistake on the way from the tap to the music, or in a form. */
  | "work"
  | "uncaught"
  | "unhandled";

/** The same error again and again says no more than once. */
export const SAME_S = 60;

export interface PageErrorsParts {
  readonly clock: Clock;
  readonly send: (kind: PageErrorKind) => void;
}

export class PageErrors {
  /** When an error of a kind, at a place, may be told again. */
  private readonly quietUntil = new Map<string, number>();
  private listening = new AbortController();

  constructor(private readonly parts: PageErrorsParts) {}

  start(): void {
    this.listening = new AbortController();
    const { signal } = this.listening;
    addEventListener("error", ({ error, message }) => this.note("uncaught", error ?? message), {
      signal,
    });
    addEventListener("unhandledrejection", ({ reason }) => this.note("unhandled", reason), {
      signal,
    });
  }

  stop(): void {
    this.listening.abort();
  }

  /** Of the engine. */
  hear({ kind, where, error }: PlayerError): void {
    this.note(kind === "internal" ? "engine" : "sound", error, where);
  }

  note(kind: PageErrorKind, error: unknown, where = ""): void {
    if (!isOurs(error)) return;
    const now = this.parts.clock.now();
    const key = `${kind} ${where}`;
    if (now < (this.quietUntil.get(key) ?? 0)) return;
    this.quietUntil.set(key, now + SAME_S);
    // The browser itself prints what nobody caught.
    if (kind !== "uncaught" && kind !== "unhandled") print(kind, where, error);
    this.parts.send(kind);
  }
}

/** Told even while the page is being left. */
export function sendPageError(kind: PageErrorKind): void {
  const body = JSON.stringify({ kind });
  if (navigator.sendBeacon?.("page-errors", body)) return;
  fetch("page-errors", { method: "POST", body, keepalive: true }).catch(() => {});
}

/** What is refused, away, or ended on purpose is nobody's mistake. */
function isOurs(error: unknown): boolean {
  if (error instanceof Trouble) return error.kind === "page";
  if (error instanceof DOMException) return error.name !== "AbortError";
  return !(error instanceof SignInRefused);
}

function print(kind: PageErrorKind, where: string, error: unknown): void {
  // biome-ignore lint/suspicious/noConsole: whoever looks for the cause looks there.
  console.error(`Parcours XL: ${kind} ${where}`.trim(), error);
}
