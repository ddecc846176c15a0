/** The first screen: one large card that needs no reading, then nineteen in four groups. */

import { hashOf } from "../browser/router";
import { GROUPS, type GroupName, type Preset } from "../contracts";
import { CALM_NOW } from "../journey/run-request";
import { useApp } from "../parts/app-context";
import { FromTo } from "../parts/from-to";
import { RedFlags } from "../parts/red-flags";
import { typeset } from "../parts/typeset";

export function Home() {
  const app = useApp();
  const { t } = app;
  return (
    <div class="screen home">
      <section class="first">
        <div class="light-space" />
        <h1 class="title">{typeset(t.home.calmNow)}</h1>
        {app.state.linkExpired && <p role="status">{typeset(t.signIn.linkOver)}</p>}
        {app.state.configMissing ? <Stranded /> : <Start />}
        <RedFlags />
      </section>
      <Others />
      <footer class="foot">
        <h2 class="subtitle">{t.safety.before}</h2>
        <ul class="plain">
          <li>{typeset(t.safety.driving)}</li>
          <li>{typeset(t.safety.carerFirst)}</li>
        </ul>
        <p>{typeset(t.page.description)}</p>
      </footer>
    </div>
  );
}

function Start() {
  const app = useApp();
  return (
    <>
      <button type="button" class="button solid wide" onClick={() => app.begin(CALM_NOW)}>
        {app.t.home.start}
      </button>
      <p class="quiet">{typeset(app.t.home.note)}</p>
    </>
  );
}

function Stranded() {
  const { t } = useApp();
  return (
    <>
      <p role="status">{typeset(t.errors.startPage)}</p>
      <button type="button" class="button line wide" onClick={() => location.reload()}>
        {t.errors.tryAgain}
      </button>
    </>
  );
}

function Others() {
  const app = useApp();
  const { presets, presetsMissing } = app.state;
  if (!presets) return presetsMissing ? <p class="quiet">{typeset(app.t.home.noPresets)}</p> : null;
  const others = presets.filter((preset) => preset.key !== CALM_NOW);
  return (
    <section class="others">
      <h2 class="subtitle">{app.t.home.choose}</h2>
      {GROUPS.map((group) => (
        <Group key={group} name={group} presets={others} />
      ))}
    </section>
  );
}

function Group({ name, presets }: { name: GroupName; presets: readonly Preset[] }) {
  const { state } = useApp();
  const mine = presets.filter((preset) => preset.group === name);
  if (!mine[0]) return null;
  return (
    <section class="group">
      <h3 class="group-name">{typeset(mine[0].groupName[state.language])}</h3>
      <ul class="plain">
        {mine.map((preset) => (
          <li key={preset.key}>
            <a class="card-link" href={hashOf({ name: "card", key: preset.key })}>
              <span class="card-title">{typeset(preset.title[state.language])}</span>
              <FromTo preset={preset} />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
