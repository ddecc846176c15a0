/** One preset before the tap: from, to, how long, what to know, and Start. */

import type { Preset } from "../contracts";
import { useApp } from "../parts/app-context";
import { FromTo } from "../parts/from-to";
import { IntensityChoice } from "../parts/intensity";
import { typeset } from "../parts/typeset";

export function Card({ presetKey }: { presetKey: string }) {
  const app = useApp();
  const preset = app.preset(presetKey);
  return (
    <div class="screen card">
      <div class="light-space small" />
      {preset ? <Details preset={preset} /> : <Unknown />}
    </div>
  );
}

function Details({ preset }: { preset: Preset }) {
  const app = useApp();
  const { t } = app;
  const { language } = app.state;
  return (
    <>
      <h1 class="title">{typeset(preset.title[language])}</h1>
      <FromTo preset={preset} />
      <p class="quiet minutes">{typeset(t.card.minutes(preset.minutes.min, preset.minutes.max))}</p>
      <p>{typeset(preset.text[language])}</p>
      <section class="notes">
        <h2 class="subtitle">{t.safety.before}</h2>
        <ul class="plain">
          {preset.contraindications.map((note) => (
            <li key={note.fr}>{typeset(note[language])}</li>
          ))}
        </ul>
      </section>
      <IntensityChoice />
      <div class="bar">
        <button type="button" class="button solid wide" onClick={() => app.begin(preset.key)}>
          {t.card.start}
        </button>
      </div>
    </>
  );
}

function Unknown() {
  const { t, state } = useApp();
  return <h1 class="title">{state.presets ? t.card.unknown : t.page.loading}</h1>;
}
