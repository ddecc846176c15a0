// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  AmbientLight,
  type AmbientState,
  approach,
  FRAME_MS,
  STILL_MS,
} from "../ambient/ambient-light";
import { DEFAULT_COLOURS } from "../ambient/colours";

const STATE: AmbientState = {
  colours: DEFAULT_COLOURS,
  progress: 0,
  rms: 0,
  size: "full",
  guide: false,
  still: false,
};

let state: AmbientState;
let drawn: number;
let light: AmbientLight;

/** A 2D context that counts pictures. */
function context(canvas: HTMLCanvasElement) {
  const gradient = { addColorStop: () => {} };
  return {
    canvas,
    fillStyle: "",
    clearRect: () => {
      drawn += 1;
    },
    createRadialGradient: () => gradient,
    createPattern: () => "transparent",
    createImageData: (width: number) => ({ data: new Uint8ClampedArray(width * width * 4) }),
    putImageData: () => {},
    fillRect: () => {},
  };
}

function hide(hidden: boolean): void {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
  vi.useFakeTimers();
  state = STATE;
  drawn = 0;
  HTMLCanvasElement.prototype.getContext = function getContext(this: HTMLCanvasElement) {
    return context(this);
  } as never;
  // A screen of 120 Hz.
  vi.stubGlobal("requestAnimationFrame", (then: (at: number) => void) =>
    setTimeout(() => then(performance.now()), 1000 / 120),
  );
  vi.stubGlobal("cancelAnimationFrame", (frame: number) => clearTimeout(frame));
  light = new AmbientLight(
    document.createElement("canvas"),
    () => state,
    () => performance.now() / 1000,
  );
});

afterEach(() => {
  light.stop();
  hide(false);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("at most 30 pictures a second are drawn, on any screen", () => {
  expect(FRAME_MS).toBeGreaterThanOrEqual(1000 / 30);
  light.start();
  vi.advanceTimersByTime(10_000);
  expect(drawn).toBeGreaterThan(150);
  expect(drawn).toBeLessThanOrEqual(300);
});

test("nothing is drawn while hidden", () => {
  light.start();
  hide(true);
  drawn = 0;
  vi.advanceTimersByTime(10_000);
  expect(drawn).toBe(0);
  hide(false);
  vi.advanceTimersByTime(1000);
  expect(drawn).toBeGreaterThan(0);
});

test("a still light is drawn once a minute, and when the screen changes", () => {
  state = { ...STATE, still: true };
  light.start();
  drawn = 0;
  vi.advanceTimersByTime(2 * STILL_MS);
  expect(drawn).toBe(2);
  light.look();
  expect(drawn).toBe(3);
  light.look();
  expect(drawn).toBe(3);
  state = { ...state, size: "small" };
  light.look();
  expect(drawn).toBe(4);
});

test("nothing is drawn after stop", () => {
  light.start();
  light.stop();
  drawn = 0;
  vi.advanceTimersByTime(10_000);
  expect(drawn).toBe(0);
});

const SHOWN = {
  colour: DEFAULT_COLOURS.from,
  size: "full",
  alpha: 1,
  swing: 0.07,
  level: 0,
} as const;

test("music brightens slowly: no beat gets through", () => {
  const loud = approach(SHOWN, { ...STATE, rms: 1 }, 0.04);
  expect(loud.level).toBeLessThan(0.03);
});

test("the place changes in the dark, and no colour jumps", () => {
  let shown: ReturnType<typeof approach> = SHOWN;
  const small = { ...STATE, size: "small", progress: 1 } as const;
  for (let frame = 0; frame < 40; frame += 1) {
    const next = approach(shown, small, 0.04);
    if (next.size !== shown.size) expect(next.alpha).toBe(0);
    expect(Math.abs(next.alpha - shown.alpha)).toBeLessThan(0.2);
    expect(Math.abs(next.colour.l - shown.colour.l)).toBeLessThan(0.02);
    shown = next;
  }
  expect([shown.size, shown.alpha]).toEqual(["small", 1]);
});
