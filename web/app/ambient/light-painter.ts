/** Paints one picture of the lamp: three sheets of light over each other, and a little grain. */

import type { Oklch } from "../contracts";
import { css } from "./colours";

export type Theme = "day" | "night";

export interface Spot {
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

export class LightPainter {
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
