/**
 * The animated light behind the page: one canvas, at most 24 frames a second, none while the page
 * is hidden, one a minute when the listener wants no motion.
 */

import type { State } from "../app";
import type { ColourPair, Oklch } from "../contracts";
import { isPlaying, isUnderWay, isWaiting, type JourneyView } from "../journey/journey-view";
import { CALM_NOW } from "../journey/run-request";
import { coloursOf, css, mix } from "./colours";

const IN_S = 4;
const OUT_S = 6;
export const CYCLE_S = IN_S + OUT_S;

interface Breath {
  readonly direction: "in" | "out";
  /** 0 is empty, 1 is full; slow at both ends, and never held. */
  readonly fullness: number;
  /** Seconds until it turns. */
  readonly turnsIn: number;
}

export function breathAt(seconds: number): Breath {
  const place = ((seconds % CYCLE_S) + CYCLE_S) % CYCLE_S;
  if (place < IN_S) return { direction: "in", fullness: ease(place / IN_S), turnsIn: IN_S - place };
  const gone = (place - IN_S) / OUT_S;
  return { direction: "out", fullness: 1 - ease(gone), turnsIn: CYCLE_S - place };
}

function ease(part: number): number {
  return (1 - Math.cos(Math.PI * part)) / 2;
}

type Theme = "day" | "night";

interface Spot {
  /** CSS pixels. */
  readonly x: number;
  readonly y: number;
  readonly core: number;
}

/**
 * From the last of its light on the walls to its heart: how wide in cores, how strong, and how much
 * lighter and paler than the colour itself.
 */
const LAYERS = {
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
const LIGHTNESS_MAX = { night: 0.93, day: 0.86 } as const;
const STEEPNESS = 2.05;
const STOPS = 24;
const TILE = 128;

class LightPainter {
  private readonly grains: Partial<Record<Theme, CanvasPattern | string>> = {};

  constructor(private readonly context: CanvasRenderingContext2D) {}

  paint(colour: Oklch, spot: Spot, bright: number, time: Theme): void {
    const { width, height } = this.context.canvas;
    this.context.clearRect(0, 0, width, height);
    for (const { wide, strong, lighter, paler } of LAYERS[time]) {
      const l = Math.min(LIGHTNESS_MAX[time], colour.l + lighter);
      const sheet = { l, c: colour.c * paler, h: colour.h };
      this.disc({ ...spot, core: spot.core * wide }, sheet, strong * bright);
    }
    this.grain(time);
  }

  private disc({ x, y, core }: Spot, colour: Oklch, alpha: number): void {
    const gradient = this.context.createRadialGradient(x, y, 0, x, y, core);
    for (let step = 0; step <= STOPS; step += 1) {
      const r = step / STOPS;
      gradient.addColorStop(r, css(colour, Math.min(0.999, alpha * falling(r))));
    }
    this.context.fillStyle = gradient;
    this.context.fillRect(x - core, y - core, 2 * core, 2 * core);
  }

  /** One level of grain, so that a slow slope of light has no steps on an 8-bit screen. */
  private grain(time: Theme): void {
    this.grains[time] ??= this.context.createPattern(grainTile(time), "repeat") ?? "transparent";
    this.context.fillStyle = this.grains[time];
    this.context.fillRect(0, 0, this.context.canvas.width, this.context.canvas.height);
  }
}

/** 1 at the middle, 0 at the rim, without an edge anywhere. */
function falling(r: number): number {
  const rim = Math.exp(-STEEPNESS * STEEPNESS);
  const bell = (Math.exp(-((STEEPNESS * r) ** 2)) - rim) / (1 - rim);
  return bell * (1 - r * r);
}

function grainTile(time: Theme): HTMLCanvasElement {
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

export interface AmbientState {
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

export const FRAME_MS = 1000 / 24;
export const STILL_MS = 60_000;
/** Centre and radius of the light, as parts of the window's height. */
const POSITION = {
  full: { y: 0.27, radius: 0.15 },
  small: { y: 0.135, radius: 0.06 },
} as const;
/** How wide the core may be, in parts of the window's width. */
const WIDTH_MAX = 0.34;
const SMOOTHING_S = 1.5;
const BRIGHTER_MAX = 0.12;
/** Music at -18 LUFS seldom has a higher RMS. */
const RMS_FULL = 0.2;
/** A colour, and a place, are left and reached within this many seconds: never a flash. */
const CHANGE_S = 0.6;
const SWING_S = 2;
const SWING = { quiet: 0.07, guide: 0.34 } as const;

interface Shown {
  readonly colour: Oklch;
  readonly size: AmbientState["size"];
  readonly alpha: number;
  readonly swing: number;
  readonly level: number;
}

export class AmbientLight {
  private frame = 0;
  private timer = 0;
  private drawnAt = 0;
  private shown: Shown | null = null;
  private seen: Pick<AmbientState, "colours" | "size" | "still"> | null = null;
  private readonly painter: LightPainter | null;
  private readonly refresh = () => this.begin();
  private readonly day = matchMedia("(prefers-color-scheme: light)");

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly read: () => AmbientState,
    private readonly now: () => number,
  ) {
    const context = canvas.getContext("2d");
    this.painter = context && new LightPainter(context);
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
    const state = this.read();
    const width = this.fit();
    this.shown = this.shown && !state.still ? approach(this.shown, state, seconds) : target(state);
    const { colour, size, alpha, swing, level } = this.shown;
    const { y, radius } = POSITION[size];
    const fullness = state.still ? 0.5 : breathAt(this.now()).fullness;
    const core = Math.min(radius * innerHeight, WIDTH_MAX * width) * (1 + swing * (fullness - 0.5));
    const bright = alpha * (1 + level * BRIGHTER_MAX);
    const spot = { x: width / 2, y: y * innerHeight, core };
    this.painter?.paint(colour, spot, bright, this.day.matches ? "day" : "night");
  }

  /** One canvas pixel a CSS pixel: a soft light has no edge that finer ones would show. */
  private fit(): number {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    return width;
  }
}

function target(state: AmbientState): Shown {
  const swing = state.guide ? SWING.guide : SWING.quiet;
  return {
    colour: mix(state.colours, state.progress),
    size: state.size,
    alpha: 1,
    swing,
    level: 0,
  };
}

/** A little nearer to what is wanted. The place changes in the dark only. */
export function approach(shown: Shown, state: AmbientState, seconds: number): Shown {
  const part = (whole: number) => Math.min(1, seconds / whole);
  const wanted = target(state);
  const leaving = shown.size !== state.size;
  const alpha = shown.alpha + (leaving ? -1 : 1) * part(CHANGE_S / 2);
  const loud = Math.min(1, state.rms / RMS_FULL);
  return {
    colour: mix({ from: shown.colour, to: wanted.colour }, part(CHANGE_S)),
    size: leaving && alpha <= 0 ? state.size : shown.size,
    alpha: Math.min(1, Math.max(0, alpha)),
    swing: shown.swing + (wanted.swing - shown.swing) * part(SWING_S),
    level: shown.level + (loud - shown.level) * part(SMOOTHING_S),
  };
}

export function ambientStateOf(state: State, view: JourneyView, rms: () => number): AmbientState {
  const { route, still, breathing, presets } = state;
  const listening = route.name === "listen";
  const key = keyOf(state, view);
  const full = route.name === "home" || (listening && !needsRoomForText(view, state));
  return {
    colours: coloursOf(presets?.find((preset) => preset.key === key) ?? { key }),
    progress: listening ? progressOf(view, still) : 0,
    rms: isPlaying(view.phase) ? rms() : 0,
    size: full ? "full" : "small",
    guide: breathing && listening,
    still,
  };
}

function keyOf({ route }: State, { phase, presetKey }: JourneyView): string {
  if (route.name === "card") return route.key;
  return (route.name === "listen" || isUnderWay(phase)) && presetKey ? presetKey : CALM_NOW;
}

/** A still light steps each minute. */
function progressOf({ sound }: JourneyView, still: boolean): number {
  const { journeySeconds, totalSeconds } = sound;
  if (totalSeconds <= 0) return 0;
  return (still ? Math.floor(journeySeconds / 60) * 60 : journeySeconds) / totalSeconds;
}

/** Words that want the room which the full light takes. */
function needsRoomForText({ phase }: JourneyView, { rating }: State): boolean {
  if (rating) return true;
  const oneTap = phase === "kept" || phase === "elsewhere";
  return !(oneTap || isWaiting(phase) || isPlaying(phase));
}
