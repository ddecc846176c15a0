/** The line that shows from which feeling to which a preset leads. */

import { coloursOf, css, mix } from "../ambient/colours";
import type { Preset } from "../contracts";
import { useApp } from "./app-context";

export function FromTo({ preset }: { preset: Preset }) {
  const { state, t } = useApp();
  const from = preset.from[state.language];
  const to = preset.to[state.language];
  const pair = coloursOf(preset);
  // Every browser draws these stops alike; `in oklab` is younger than some phones.
  const stops = [0, 0.25, 0.5, 0.75, 1].map((progress) => css(mix(pair, progress)));
  const gradient = `linear-gradient(90deg, ${stops.join(", ")})`;
  return (
    <span class="from-to">
      <span class="visually-hidden"> {t.card.fromTo(from, to)}</span>
      <span class="from-to-words" aria-hidden="true">
        <span>{from}</span>
        <span>{to}</span>
      </span>
      <span class="from-to-line" style={{ backgroundImage: gradient }} />
    </span>
  );
}
