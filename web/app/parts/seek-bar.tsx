/** Where in the journey: drawn, spoken, and moved as far as there is sound to move to. */

import { useState } from "preact/hooks";
import type { Range, Snapshot } from "../../engine";
import { roundLength } from "../i18n/time";
import { useApp } from "./app-context";
import { typeset } from "./typeset";

const STEP_S = 5;

export function SeekBar({ sound }: { sound: Snapshot }) {
  const { t, parts } = useApp();
  const [held, setHeld] = useState<number | null>(null);
  const { journeySeconds: now, totalSeconds, seekable } = sound;
  const spoken = t.more.seekTo(held ?? now, roundLength(totalSeconds));
  const targetOf = (event: Event) =>
    seekTarget((event.currentTarget as HTMLInputElement).valueAsNumber, now, seekable);
  const seek = (event: Event) => {
    const target = targetOf(event);
    if (target !== null) parts.player.seek(target);
    setHeld(null);
  };
  return (
    <label class="field">
      <span>{t.more.position}</span>
      <input
        type="range"
        min={0}
        max={Math.max(1, Math.round(totalSeconds))}
        step={STEP_S}
        value={held ?? now}
        // Not `disabled`: while a place is being opened the focus has to stay.
        aria-disabled={!seekable}
        aria-valuetext={spoken}
        onInput={(event) => setHeld(targetOf(event))}
        onChange={seek}
      />
      <span class="quiet" aria-hidden="true">
        {typeset(spoken)}
      </span>
    </label>
  );
}

/**
 * The nearest place to the one asked for that can be heard, in seconds of the journey; null where
 * that would lead nowhere, or back when forward was meant.
 */
export function seekTarget(asked: number, now: number, seekable: Range | null): number | null {
  if (!seekable) return null;
  const target = Math.min(Math.max(asked, seekable.fromSeconds), seekable.toSeconds);
  return Math.sign(target - now) === Math.sign(asked - now) ? target : null;
}
