/**
 * Errors that are the page's own: neither the service's, nor the network's, nor the listener's.
 * The console has them whole; the service is told their kind, and nothing else leaves the browser.
 */

import type { Clock, PlayerError } from "../../engine";
import { ServiceError, SignInRefused } from "../../supabase/service-error";

/** As the service knows them (backend/parcours_xl/api/page_errors.py). */
export type PageErrorKind =
  /** A mistake in the player. */
  | "engine"
  /** The browser refused a call of Web Audio or of a media element. */
  | "sound"
  /** A mistake on the way from the tap to the music, or in a form. */
  | "work"
  | "uncaught"
  | "unhandled";

/** The same error is reported at most once in this time. */
export const REPEAT_S = 60;

export interface PageErrorsParts {
  readonly clock: Clock;
  readonly send: (kind: PageErrorKind) => void;
}

export class PageErrors {
  /** When an error of this kind and place may be reported again. */
  private readonly quietUntil = new Map<string, number>();
  private listeners = new AbortController();

  constructor(private readonly parts: PageErrorsParts) {}

  start(): void {
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    addEventListener("error", ({ error, message }) => this.note("uncaught", error ?? message), {
      signal,
    });
    addEventListener("unhandledrejection", ({ reason }) => this.note("unhandled", reason), {
      signal,
    });
  }

  stop(): void {
    this.listeners.abort();
  }

  /** Of the engine. */
  notePlayerError({ kind, where, error }: PlayerError): void {
    this.note(kind === "internal" ? "engine" : "sound", error, where);
  }

  note(kind: PageErrorKind, error: unknown, where = ""): void {
    if (!isOurs(error)) return;
    const now = this.parts.clock.now();
    const key = `${kind} ${where}`;
    if (now < (this.quietUntil.get(key) ?? 0)) return;
    this.quietUntil.set(key, now + REPEAT_S);
    // The browser itself prints what nobody caught.
    if (kind !== "uncaught" && kind !== "unhandled") print(kind, where, error);
    this.parts.send(kind);
  }
}

/** Sent even while the page is being closed. */
export function sendPageError(kind: PageErrorKind): void {
  const body = JSON.stringify({ kind });
  if (navigator.sendBeacon?.("page-errors", body)) return;
  fetch("page-errors", { method: "POST", body, keepalive: true }).catch(() => {});
}

/** Refusals, outages and aborts are not internal errors. */
function isOurs(error: unknown): boolean {
  if (error instanceof ServiceError) return error.kind === "internal";
  if (error instanceof DOMException) return error.name !== "AbortError";
  return !(error instanceof SignInRefused);
}

function print(kind: PageErrorKind, where: string, error: unknown): void {
  // biome-ignore lint/suspicious/noConsole: whoever looks for the cause looks there.
  console.error(`Parcours XL: ${kind} ${where}`.trim(), error);
}
