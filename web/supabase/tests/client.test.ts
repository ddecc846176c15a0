import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ANSWER_S_MAX, FUNCTION_S_MAX, openClient } from "../client";
import { Runs } from "../runs";

const WISH = { presetKey: "00-universel-reset", idempotencyKey: "k" };

let limits: number[];

beforeEach(() => {
  limits = [];
  vi.stubGlobal("WebSocket", class {});
  vi.stubGlobal("fetch", neverAnswered);
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    limits.push(ms / 1000);
    return AbortSignal.abort(new DOMException("too late", "TimeoutError"));
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A network that takes a request and says nothing. */
function neverAnswered(_: unknown, { signal }: RequestInit): Promise<Response> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}

const PROJECT = { supabaseUrl: "https://project.example", publishableKey: "sb_publishable_x" };

test.each([
  ["reading a run", ANSWER_S_MAX, (runs: Runs) => runs.read("run")],
  ["creating a run", FUNCTION_S_MAX, (runs: Runs) => runs.create(WISH)],
] as const)(
  "%s that is never answered is given up, and worth another try",
  async (_, limit, ask) => {
    const runs = new Runs(openClient(PROJECT));
    await expect(ask(runs)).rejects.toMatchObject({ kind: "unreachable", passes: true });
    expect(limits.at(-1)).toBe(limit);
  },
);
