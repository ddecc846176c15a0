/** « Plus »: everything that is not needed to listen. */

import { useApp } from "../parts/app-context";
import { Brief } from "../parts/brief";
import { Sheet } from "../parts/dialog";
import { HelpButton, LanguageButton } from "../parts/header";
import { KeptMusicSetting } from "../parts/kept-music-setting";
import { MotionSetting } from "../parts/motion-setting";
import { Rating } from "../parts/rating";
import { SeekBar } from "../parts/seek-bar";
import { typeset } from "../parts/typeset";
import { Volume } from "../parts/volume";

export function MoreSheet() {
  const app = useApp();
  const { t } = app;
  const { sound, brief } = app.view;
  return (
    <Sheet title={t.more.title} close={t.more.close}>
      <SeekBar sound={sound} />
      <div class="pair">
        <button
          type="button"
          class="button line"
          aria-label={t.more.previousPiece}
          aria-disabled={!sound.canPrevious}
          onClick={() => app.parts.player.previous()}
        >
          {t.more.previous}
        </button>
        <button
          type="button"
          class="button line"
          aria-label={t.more.nextPiece}
          aria-disabled={!sound.canNext}
          onClick={() => app.parts.player.next()}
        >
          {t.more.next}
        </button>
      </div>
      <Volume sound={sound} />
      <MotionSetting />
      <KeptMusicSetting />
      <Rating />
      {brief && (
        <section class="notes">
          <h3>{t.more.brief}</h3>
          <Brief />
        </section>
      )}
      <p class="quiet">{typeset(t.page.description)}</p>
      <div class="pair">
        <HelpButton />
        <LanguageButton />
      </div>
    </Sheet>
  );
}
