/** While music is made: a feeling to note, a breath to follow. Neither is needed. */

import type { Offer } from "../app";
import { isWaiting } from "../stage";
import { useApp } from "./app-context";
import { Rating } from "./rating";

export function Offers() {
  const app = useApp();
  const { t } = app;
  const { offer } = app.state;
  const { stage } = app.view;
  const waiting = isWaiting(stage);
  if (!waiting && offer === null) return null;
  // Takes the focus of a button that goes (focus.ts), so that Tab reaches what came in its place.
  return (
    <section
      class="offers"
      tabIndex={-1}
      aria-label={waiting ? t.waiting.offers : t.playing.middle}
    >
      {waiting && offer === null && (
        <div class="offers-row">
          <OfferButton offer="rate" words={t.waiting.rate} />
          <OfferButton offer="breathe" words={t.waiting.breath} more={t.waiting.breathe} />
        </div>
      )}
      {offer === "rate" && <Rating />}
      {offer !== null && <CloseOffer offer={offer} />}
    </section>
  );
}

/** `more` is the whole of what the short word means; it begins with it. */
function OfferButton({ offer, words, more }: { offer: Offer; words: string; more?: string }) {
  const app = useApp();
  return (
    <button type="button" class="button bare" aria-label={more} onClick={() => app.offer(offer)}>
      {words}
    </button>
  );
}

function CloseOffer({ offer }: { offer: Offer }) {
  const app = useApp();
  const { t } = app;
  const answered = Object.keys(app.view.ratings).length > 0;
  const words = {
    rate: answered ? t.waiting.close : t.suds.skip,
    breathe: t.waiting.breatheStop,
  }[offer];
  return <OfferButton offer={offer} words={words} />;
}
