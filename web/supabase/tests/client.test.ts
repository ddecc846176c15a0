import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ANSWER_S_MAX, FUNCTION_S_MAX, openClient } from "../client";
import { Runs } from "../runs";

const REQUEST = { presetKey: "00-universel-reset", idempotencyKey: "k" };

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
  ["functions/v1", "http://localhost:3000/functions/v1/parcours-xl-create"],
  ["https://music.example/functions/v1", "https://music.example/functions/v1/parcours-xl-create"],
  [undefined, "https://project.example/functions/v1/parcours-xl-create"],
])("functions said to be at %s are called at %s", async (functionsUrl, called) => {
  const asked = vi.fn(neverAnswered);
  vi.stubGlobal("fetch", asked);
  vi.stubGlobal("document", { baseURI: "http://localhost:3000/" });
  const runs = new Runs(openClient({ ...PROJECT, ...(functionsUrl ? { functionsUrl } : {}) }));
  await expect(runs.create(REQUEST)).rejects.toBeDefined();
  expect(String(asked.mock.calls[0]?.[0])).toBe(called);
});

test.each([
  ["reading a run", ANSWER_S_MAX, (runs: Runs) => runs.read("run")],
  ["creating a run", FUNCTION_S_MAX, (runs: Runs) => runs.create(REQUEST)],
  ["cancelling a run", ANSWER_S_MAX, (runs: Runs) => runs.cancel("run")],
] as const)(
  "%s that is never answered is given up, and worth another try",
  async (_, limit, ask) => {
    const runs = new Runs(openClient(PROJECT));
    await expect(ask(runs)).rejects.toMatchObject({ kind: "unreachable", transient: true });
    expect(limits.at(-1)).toBe(limit);
  },
);

test("a cancellation outlives its page, where the browser lets it", async () => {
  const sent: RequestInit[] = [];
  vi.mocked(AbortSignal.timeout).mockImplementation(() => new AbortController().signal);
  vi.stubGlobal("fetch", async (_: unknown, init: RequestInit) => {
    sent.push(init);
    if (init.keepalive) throw new TypeError("Failed to fetch");
    return Response.json({ ok: true });
  });
  await new Runs(openClient(PROJECT)).cancel("run");
  expect(sent.map(({ keepalive }) => keepalive === true)).toEqual([true, false]);
});
