// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { newClock } from "../../engine/tests/clock";
import { ServiceError, SignInRefused } from "../../supabase/service-error";
import { PageErrors, REPEAT_S, sendPageError } from "../network/page-errors";

const clock = newClock();
let sent: string[];
let errors: PageErrors;
let printed: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  sent = [];
  printed = vi.spyOn(console, "error").mockImplementation(() => {});
  errors = new PageErrors({ clock, send: (kind) => sent.push(kind) });
  errors.start();
});

afterEach(() => {
  errors.stop();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("what nobody caught is counted, and no more once stopped", () => {
  const uncaught = () => dispatchEvent(new ErrorEvent("error", { error: new Error("a") }));
  uncaught();
  const rejection = Object.assign(new Event("unhandledrejection"), { reason: new Error("b") });
  dispatchEvent(rejection);
  errors.stop();
  uncaught();
  expect(sent).toEqual(["uncaught", "unhandled"]);
});

test("the player's own mistakes and the browser's refusals are told apart", () => {
  const error = new Error("…");
  errors.notePlayerError({ kind: "internal", where: "step tick", error });
  errors.notePlayerError({ kind: "sound", where: "deck.fade", error });
  expect(sent).toEqual(["engine", "sound"]);
  expect(printed).toHaveBeenCalledWith("Parcours XL: sound deck.fade", error);
});

test("the same again says nothing more for a minute; another place does", async () => {
  const tick = () =>
    errors.notePlayerError({ kind: "internal", where: "step tick", error: new Error("…") });
  for (let times = 0; times < 100; times += 1) tick();
  errors.notePlayerError({ kind: "internal", where: "listener", error: new Error("…") });
  expect([sent.length, printed.mock.calls.length]).toEqual([2, 2]);
  await clock.advance(REPEAT_S);
  tick();
  expect(sent).toHaveLength(3);
});

test("what is refused, away or ended on purpose is nobody's mistake", () => {
  const ended = new DOMException("…", "AbortError");
  for (const error of [new ServiceError("unavailable"), new SignInRefused("wrong"), ended]) {
    errors.note("work", error);
  }
  expect(sent).toEqual([]);
  errors.note("work", new ServiceError("internal"));
  expect(sent).toEqual(["work"]);
});

test("nothing but its kind leaves the browser", () => {
  const beacon = vi.fn(() => true);
  vi.stubGlobal("navigator", { sendBeacon: beacon });
  sendPageError("engine");
  expect(beacon).toHaveBeenCalledWith("page-errors", '{"kind":"engine"}');
});

test("a browser without beacons sends it all the same", () => {
  const fetched = vi.fn(async () => new Response(null, { status: 204 }));
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("fetch", fetched);
  sendPageError("uncaught");
  const body = '{"kind":"uncaught"}';
  expect(fetched).toHaveBeenCalledWith("page-errors", { method: "POST", body, keepalive: true });
});
