/** Help: one tap from everywhere, offline too, and the music goes on. */

import { COUNTRIES, isCountry } from "../help";
import { isPlaying } from "../journey/journey-view";
import { helpFirst } from "../journey/ratings";
import { useApp } from "../parts/app-context";
import { Sheet } from "../parts/dialog";
import { LanguageButton } from "../parts/header";
import { HelpLines } from "../parts/help-lines";
import { MotionSetting } from "../parts/motion-setting";
import { RedFlags } from "../parts/red-flags";
import { typeset } from "../parts/typeset";

export function HelpSheet() {
  const app = useApp();
  const { t, view } = app;
  const distressed = helpFirst(view.ratings);
  return (
    <Sheet title={t.help.title} close={t.help.close}>
      {!distressed && <RedFlags />}
      <HelpLines />
      {distressed && <RedFlags />}
      <CountryChoice />
      {isPlaying(view.phase) && <p class="quiet">{t.help.stillPlaying}</p>}
      <Display />
      <section class="notes">
        <h3>{t.safety.before}</h3>
        <ul class="plain">
          <li>{typeset(t.safety.driving)}</li>
          <li>{typeset(t.safety.carerFirst)}</li>
        </ul>
        <p>{typeset(t.page.description)}</p>
      </section>
    </Sheet>
  );
}

function CountryChoice() {
  const app = useApp();
  const { t, state } = app;
  const choose = (event: Event) => {
    const { value } = event.currentTarget as HTMLSelectElement;
    app.setCountry(isCountry(value) ? value : null);
  };
  return (
    <label class="field">
      <span>{t.help.country}</span>
      <select value={state.country ?? ""} onChange={choose}>
        {Object.entries(COUNTRIES).map(([code, { name }]) => (
          <option key={code} value={code}>
            {name[state.language]}
          </option>
        ))}
        <option value="">{t.help.otherCountry}</option>
      </select>
    </label>
  );
}

/** Within reach of everybody, everywhere: another language, and a light that does not move. */
function Display() {
  const { t } = useApp();
  return (
    <section>
      <h3>{t.help.display}</h3>
      <MotionSetting />
      <LanguageButton />
    </section>
  );
}
