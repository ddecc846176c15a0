/** The light: one canvas, at most 30 pictures a second, none while hidden or asked to be still. */

import type { ColourPair, Oklch } from "../contracts";
import { breathAt } from "./breathing";
import { mix } from "./colours";
import { LightPainter } from "./light-painter";

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
/** Where the lamp hangs, in parts of the window's height. */
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
  private readonly lamp: LightPainter | null;
  private readonly refresh = () => this.begin();
  private readonly day = matchMedia("(prefers-color-scheme: light)");

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly read: () => AmbientState,
    private readonly now: () => number,
  ) {
    const context = canvas.getContext("2d");
    this.lamp = context && new LightPainter(context);
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
    const glow = this.read();
    const width = this.fit();
    this.shown = this.shown && !glow.still ? approach(this.shown, glow, seconds) : target(glow);
    const { colour, size, alpha, swing, level } = this.shown;
    const { y, radius } = POSITION[size];
    const fullness = glow.still ? 0.5 : breathAt(this.now()).fullness;
    const core = Math.min(radius * innerHeight, WIDTH_MAX * width) * (1 + swing * (fullness - 0.5));
    const bright = alpha * (1 + level * BRIGHTER_MAX);
    const spot = { x: width / 2, y: y * innerHeight, core };
    this.lamp?.paint(colour, spot, bright, this.day.matches ? "day" : "night");
  }

  /** One canvas pixel a CSS pixel: a glow has no edge that finer ones would show. */
  private fit(): number {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    return width;
  }
}

function target(glow: AmbientState): Shown {
  const swing = glow.guide ? SWING.guide : SWING.quiet;
  return { colour: mix(glow.colours, glow.progress), size: glow.size, alpha: 1, swing, level: 0 };
}

/** A little nearer to what is wanted. The place changes in the dark only. */
export function approach(shown: Shown, glow: AmbientState, seconds: number): Shown {
  const part = (whole: number) => Math.min(1, seconds / whole);
  const wanted = target(glow);
  const leaving = shown.size !== glow.size;
  const alpha = shown.alpha + (leaving ? -1 : 1) * part(CHANGE_S / 2);
  const loud = Math.min(1, glow.rms / RMS_FULL);
  return {
    colour: mix({ from: shown.colour, to: wanted.colour }, part(CHANGE_S)),
    size: leaving && alpha <= 0 ? glow.size : shown.size,
    alpha: Math.min(1, Math.max(0, alpha)),
    swing: shown.swing + (wanted.swing - shown.swing) * part(SWING_S),
    level: shown.level + (loud - shown.level) * part(SMOOTHING_S),
  };
}
