/** The request that a tap on Start sends. */

import type { RunRequest } from "../../supabase/runs";
import type { Preset } from "../contracts";

export const CALM_NOW = "00-universel-reset";

/** How strong it is, as offered: a third part of `emotionState`. */
export const INTENSITIES = { low: 0.2, middle: 0.5, high: 0.8 } as const;
export type Intensity = keyof typeof INTENSITIES;

export function isIntensity(value: string | null): value is Intensity {
  return value !== null && Object.hasOwn(INTENSITIES, value);
}

/** The request behind a tap; the key makes it one run, however often it is sent. */
export function runRequestFor(
  presetKey: string,
  preset: Preset | undefined,
  intensity: Intensity | null,
  idempotencyKey = freshKey(),
): RunRequest {
  return { presetKey, ...emotionOf(preset?.emotion, intensity), idempotencyKey };
}

function emotionOf(emotion: string | undefined, intensity: Intensity | null) {
  if (!emotion) return {};
  return { emotionState: intensity ? `${emotion}-${INTENSITIES[intensity]}` : emotion };
}

/** `crypto.randomUUID` exists in secure contexts only; a phone on the local network is not one. */
function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
