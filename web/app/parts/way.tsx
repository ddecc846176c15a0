/** The thin line that says from which feeling to which. */

import { coloursOf, css } from "../colours";
import type { Preset } from "../contracts";
import { useApp } from "./app-context";

export function Way({ preset }: { preset: Preset }) {
  const { state, t } = useApp();
  const { from, to } = coloursOf(preset);
  const gradient = `linear-gradient(90deg in oklab, ${css(from)}, ${css(to)})`;
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
