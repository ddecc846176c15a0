/** A feeling to note, a breath to follow, something to look at. None is needed. */

import { awaitsOwn, isPlaying } from "../journey/journey-view";
import { useApp } from "./app-context";
import { Rating } from "./rating";

export function WaitingOptions() {
  const app = useApp();
  const { t, state } = app;
  const { phase } = app.view;
  const waiting = awaitsOwn(app.view);
  const breathing = !waiting && state.breathing && isPlaying(phase);
  if (!waiting && !state.rating && !breathing) return null;
  // Takes the focus of a button that goes (browser/focus.ts), so that Tab reaches what came in its place.
  return (
    <section
      class="offers"
      tabIndex={-1}
      aria-label={waiting ? t.waiting.offers : t.playing.middle}
    >
      {state.rating && <Rating />}
      {state.rating && <CloseRating />}
      {waiting && !state.rating && (
        <div class="offers-row">
          <Companion />
          <Bare words={t.waiting.rate} act={() => app.rate(true)} />
        </div>
      )}
      {breathing && !state.rating && (
        <Bare words={t.waiting.breatheStop} act={() => app.breathe(false)} />
      )}
    </section>
  );
}

/** From one thing to wait with to the other. */
function Companion() {
  const app = useApp();
  const { t, state } = app;
  return state.breathing ? (
    <Bare words={t.waiting.look} act={() => app.breathe(false)} />
  ) : (
    <Bare words={t.waiting.breath} more={t.waiting.breathe} act={() => app.breathe(true)} />
  );
}

function CloseRating() {
  const app = useApp();
  const { t } = app;
  const answered = Object.keys(app.view.ratings).length > 0;
  return <Bare words={answered ? t.waiting.close : t.suds.skip} act={() => app.rate(false)} />;
}

/** `more` is the whole of what the short word means; it begins with it. */
function Bare({ words, more, act }: { words: string; more?: string; act: () => void }) {
  return (
    <button type="button" class="button bare" aria-label={more} onClick={act}>
      {words}
    </button>
  );
}
