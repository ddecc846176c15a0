/** Where in the journey: drawn, spoken, and moved as far as there is sound to move to. */

import { useId, useState } from "preact/hooks";
import type { Snapshot } from "../../engine";
import { roundLength } from "../i18n/time";
import { useApp } from "./app-context";
import { typeset } from "./typeset";

const STEP_S = 5;

export function SeekBar({ sound }: { sound: Snapshot }) {
  const { t, parts } = useApp();
  const [held, setHeld] = useState<number | null>(null);
  const words = useId();
  const { journeySeconds, totalSeconds, seekable } = sound;
  const now = held ?? journeySeconds;
  const spoken = t.more.seekTo(now, roundLength(totalSeconds));
  const within = (value: number) =>
    seekable ? Math.min(Math.max(value, seekable.fromSeconds), seekable.toSeconds) : now;
  const placeOf = (event: Event) => within((event.currentTarget as HTMLInputElement).valueAsNumber);
  return (
    <label class="field">
      <span>{t.more.position}</span>
      <input
        type="range"
        min={0}
        max={Math.max(1, Math.round(totalSeconds))}
        step={STEP_S}
        value={now}
        disabled={!seekable}
        aria-valuetext={spoken}
        aria-describedby={words}
        onInput={(event) => setHeld(placeOf(event))}
        onChange={(event) => {
          parts.player.seek(placeOf(event));
          setHeld(null);
        }}
      />
      <span id={words} class="quiet" aria-hidden="true">
        {typeset(spoken)}
      </span>
    </label>
  );
}
