/** The thin line that says from which feeling to which. */

import { coloursOf, css, mix } from "../colours";
import type { Preset } from "../contracts";
import { useApp } from "./app-context";

export function Way({ preset }: { preset: Preset }) {
  const { state, t } = useApp();
  const pair = coloursOf(preset);
  // Every browser draws these stops alike; `in oklab` is younger than some phones.
  const stops = [0, 0.25, 0.5, 0.75, 1].map((progress) => css(mix(pair, progress)));
  const gradient = `linear-gradient(90deg, ${stops.join(", ")})`;
  return (
    <span class="way">
      <span class="way-words">
        <span class="visually-hidden">{t.card.from} </span>
        <span>{preset.from[state.language]}</span>
        <span class="visually-hidden"> {t.card.to} </span>
        <span>{preset.to[state.language]}</span>
      </span>
      <span class="way-line" style={{ backgroundImage: gradient }} />
    </span>
  );
}
