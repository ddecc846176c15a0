/** The light: one canvas, at most 30 pictures a second, none while hidden or asked to be still. */

import { breathAt } from "./breath";
import { css, mix } from "./colours";
import type { ColourPair, Oklch } from "./contracts";

export interface Glow {
  readonly colours: ColourPair;
  /** 0-1: how far the journey has come; the drift of the colour IS the progress. */
  readonly progress: number;
  /** How loud it is, 0-1, unsmoothed. */
  readonly rms: number;
  /** Full size in the upper part of the screen, or small above a text. */
  readonly size: "full" | "small";
  /** The listener breathes with it: it moves more. */
  readonly guide: boolean;
  /** No motion: the listener asked for it, or their system did. */
  readonly still: boolean;
}

/** Where the lamp hangs, in parts of the window's height. */
const HANGING = {
  full: { y: 0.27, radius: 0.15 },
  small: { y: 0.135, radius: 0.06 },
} as const;
/** How wide the core may be, in parts of the window's width. */
const WIDTH_MAX = 0.34;
/**
 * From the heart of the lamp to the last of its light on the walls: how wide in cores, how strong,
 * and how much lighter and paler than the colour itself.
 */
const SHEETS = {
  night: [
    { wide: 3.1, strong: 0.15, lighter: -0.08, paler: 1 },
    { wide: 1.75, strong: 0.5, lighter: -0.05, paler: 1 },
    { wide: 1.05, strong: 0.85, lighter: 0.12, paler: 0.7 },
  ],
  day: [
    { wide: 3.1, strong: 0.3, lighter: 0.06, paler: 0.9 },
    { wide: 1.75, strong: 0.5, lighter: 0.03, paler: 1 },
    { wide: 1.1, strong: 0.7, lighter: 0.01, paler: 1 },
  ],
} as const;
const LIGHTEST = { night: 0.93, day: 0.86 } as const;
const STEEPNESS = 2.05;
const STOPS = 24;
const FRAME_MS = 1000 / 24;
const STILL_MS = 60_000;
const SMOOTHING_S = 1.5;
const BRIGHTER_MAX = 0.12;
/** Music at -18 LUFS seldom has a higher RMS. */
const RMS_FULL = 0.2;
/** The colour follows within this many seconds, so that a new screen is no flash. */
const COLOUR_S = 0.6;
const BREATH = { quiet: 0.07, guide: 0.34 } as const;

export class Light {
  private frame = 0;
  private timer = 0;
  private drawnAt = 0;
  private level = 0;
  private shown: { colour: Oklch; size: Glow["size"]; alpha: number } | null = null;
  private readonly grains: Partial<Record<"day" | "night", CanvasPattern | string>> = {};
  private seen: Pick<Glow, "colours" | "size" | "still"> | null = null;
  private readonly context: CanvasRenderingContext2D | null;
  private readonly refresh = () => this.begin();
  private readonly day = matchMedia("(prefers-color-scheme: light)");

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly read: () => Glow,
    private readonly now: () => number,
  ) {
    this.context = canvas.getContext("2d");
  }

  start(): void {
    addEventListener("resize", this.refresh);
    document.addEventListener("visibilitychange", this.refresh);
    this.day.addEventListener("change", this.refresh);
    this.begin();
  }

  stop(): void {
    removeEventListener("resize", this.refresh);
    document.removeEventListener("visibilitychange", this.refresh);
    this.day.removeEventListener("change", this.refresh);
    this.halt();
  }

  /** To be called after the page was drawn: a still light does not look by itself. */
  look(): void {
    const { colours, size, still } = this.read();
    const seen = this.seen;
    if (seen?.colours === colours && seen.size === size && seen.still === still) return;
    this.seen = { colours, size, still };
    this.begin();
  }

  private begin(): void {
    this.halt();
    if (document.hidden) return;
    if (this.read().still) this.drawStill();
    else this.frame = requestAnimationFrame((at) => this.animate(at));
  }

  private halt(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
  }

  private drawStill(): void {
    this.shown = null;
    this.draw(0);
    this.timer = window.setTimeout(this.refresh, STILL_MS);
  }

  private animate(at: number): void {
    this.frame = requestAnimationFrame((next) => this.animate(next));
    const passed = at - this.drawnAt;
    if (passed < FRAME_MS) return;
    this.drawnAt = at;
    this.draw(Math.min(passed / 1000, 0.25));
  }

  private draw(seconds: number): void {
    if (!this.context) return;
    const glow = this.read();
    const { width, height } = this.fit();
    const { colour, size, alpha } = this.approach(glow, seconds);
    const { y, radius } = HANGING[size];
    const breath = glow.still ? 0.5 : breathAt(this.now()).fullness;
    const swing = 1 + (glow.guide ? BREATH.guide : BREATH.quiet) * (breath - 0.5);
    const core = Math.min(radius * innerHeight, WIDTH_MAX * width) * swing;
    const bright = alpha * (1 + this.smooth(glow, seconds) * BRIGHTER_MAX);
    this.context.clearRect(0, 0, width, height);
    this.paint(colour, { x: width / 2, y: y * innerHeight, core }, bright);
  }

  /** One canvas pixel a CSS pixel: a glow has no edge that finer ones would show. */
  private fit(): { width: number; height: number } {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    return { width, height };
  }

  /** The colour drifts; the place changes only in the dark. */
  private approach(glow: Glow, seconds: number) {
    const colour = mix(glow.colours, glow.progress);
    if (!this.shown || glow.still) {
      this.shown = { colour, size: glow.size, alpha: 1 };
      return this.shown;
    }
    const leaving = this.shown.size !== glow.size;
    const alpha = this.shown.alpha + (leaving ? -1 : 1) * (seconds / (COLOUR_S / 2));
    const size = leaving && alpha <= 0 ? glow.size : this.shown.size;
    const t = Math.min(1, seconds / COLOUR_S);
    this.shown = {
      colour: mix({ from: this.shown.colour, to: colour }, t),
      size,
      alpha: Math.min(1, Math.max(0, alpha)),
    };
    return this.shown;
  }

  private smooth({ rms, still }: Glow, seconds: number): number {
    const loud = still ? 0 : Math.min(1, rms / RMS_FULL);
    this.level += (loud - this.level) * Math.min(1, seconds / SMOOTHING_S);
    return this.level;
  }

  private paint(colour: Oklch, { x, y, core }: Spot, bright: number): void {
    const time = this.day.matches ? "day" : "night";
    for (const { wide, strong, lighter, paler } of SHEETS[time]) {
      const l = Math.min(LIGHTEST[time], colour.l + lighter);
      const sheet = { l, c: colour.c * paler, h: colour.h };
      this.disc({ x, y, core: core * wide }, sheet, strong * bright);
    }
    this.grain(time);
  }

  private disc({ x, y, core }: Spot, colour: Oklch, alpha: number): void {
    if (!this.context) return;
    const gradient = this.context.createRadialGradient(x, y, 0, x, y, core);
    for (let step = 0; step <= STOPS; step += 1) {
      const r = step / STOPS;
      gradient.addColorStop(r, css(colour, Math.min(0.999, alpha * falling(r))));
    }
    this.context.fillStyle = gradient;
    this.context.fillRect(x - core, y - core, 2 * core, 2 * core);
  }

  /** One level of grain, so that a slow slope of light has no steps on an 8-bit screen. */
  private grain(time: "day" | "night"): void {
    if (!this.context) return;
    this.grains[time] ??= this.context.createPattern(grainTile(time), "repeat") ?? "transparent";
    this.context.fillStyle = this.grains[time];
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }
}

interface Spot {
  readonly x: number;
  readonly y: number;
  readonly core: number;
}

/** 1 at the middle, 0 at the rim, without an edge anywhere. */
function falling(r: number): number {
  const rim = Math.exp(-STEEPNESS * STEEPNESS);
  const bell = (Math.exp(-((STEEPNESS * r) ** 2)) - rim) / (1 - rim);
  return bell * (1 - r * r);
}

const TILE = 128;

function grainTile(time: "day" | "night"): HTMLCanvasElement {
  const tile = document.createElement("canvas");
  tile.width = TILE;
  tile.height = TILE;
  const context = tile.getContext("2d");
  if (!context) return tile;
  const image = context.createImageData(TILE, TILE);
  const level = time === "day" ? 0 : 255;
  for (let at = 0; at < image.data.length; at += 4) {
    image.data.fill(level, at, at + 3);
    image.data[at + 3] = Math.floor(Math.random() * 3);
  }
  context.putImageData(image, 0, 0);
  return tile;
}
