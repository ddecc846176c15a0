/** « Plus »: everything that is not needed to listen. */

import { useApp } from "../parts/app-context";
import { Brief } from "../parts/brief";
import { Sheet } from "../parts/dialog";
import { HelpButton } from "../parts/header";
import { Scale } from "../parts/scale";
import { SeekBar } from "../parts/seek-bar";
import { typeset } from "../parts/typeset";
import { Volume } from "../parts/volume";

export function MoreSheet() {
  const app = useApp();
  const { t, state } = app;
  const { sound, brief } = app.view;
  const other = state.language === "fr" ? "en" : "fr";
  return (
    <Sheet title={t.more.title} close={t.more.close}>
      <SeekBar sound={sound} />
      <div class="pair">
        <button
          type="button"
          class="button line"
          aria-label={t.more.previousPiece}
          disabled={!sound.canPrevious}
          onClick={() => app.parts.player.previous()}
        >
          {t.more.previous}
        </button>
        <button
          type="button"
          class="button line"
          aria-label={t.more.nextPiece}
          disabled={!sound.canNext}
          onClick={() => app.parts.player.next()}
        >
          {t.more.next}
        </button>
      </div>
      <Volume sound={sound} />
      <label class="tick">
        <input type="checkbox" checked={state.still} onChange={() => app.setStill(!state.still)} />
        <span>{t.more.still}</span>
      </label>
      <Scale moment="suds_mid" question={t.suds.middle} />
      {brief && (
        <section class="notes">
          <h3>{t.more.brief}</h3>
          <Brief />
        </section>
      )}
      <p class="quiet">{typeset(t.page.description)}</p>
      <div class="pair">
        <HelpButton />
        <button type="button" class="button bare" lang={other} onClick={() => app.speakOther()}>
          {t.page.otherLanguage}
        </button>
      </div>
    </Sheet>
  );
}
