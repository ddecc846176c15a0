/** After the music, or after Stop. Help comes first for those who may want it. */

import { helpFirst } from "../journey/ratings";
import { statusText } from "../journey/status-text";
import { useApp } from "../parts/app-context";
import { HelpLines } from "../parts/help-lines";
import { Scale } from "../parts/scale";
import { typeset } from "../parts/typeset";

export function End() {
  const app = useApp();
  const { t, state } = app;
  const view = app.view;
  const help = helpFirst(view.ratings);
  return (
    <div class="screen end">
      <div class="light-space small" />
      {help && (
        <section class="help-first">
          <h2 class="subtitle">{typeset(t.end.helpFirst)}</h2>
          <HelpLines />
        </section>
      )}
      <h1 class="title">{typeset(statusText(view, t))}</h1>
      <div class="ways">
        <button type="button" class="button solid wide" onClick={app.leave}>
          {t.end.home}
        </button>
        {view.canTakeBack && (
          <button type="button" class="button line wide" onClick={app.takeBack}>
            {t.playing.resume}
          </button>
        )}
      </div>
      {view.rateable && <Scale moment="suds_end" question={t.suds.end} />}
      {state.listener?.anonymous && (
        <p class="keep-offer">
          <span class="quiet">{typeset(t.keep.browserOnly)}</span>
          <a class="button bare" href="#keep">
            {t.keep.open}
          </a>
        </p>
      )}
    </div>
  );
}
