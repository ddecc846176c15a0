/** While music is made: words to read, a feeling to note, a breath to follow. None is needed. */

import type { Offer } from "../app";
import { isPlaying, isWaiting } from "../stage";
import { useApp } from "./app-context";
import { Brief } from "./brief";
import { IntensityChoice } from "./intensity";
import { Scale } from "./scale";

export function Offers() {
  const app = useApp();
  const { t } = app;
  const { offer } = app.state;
  const { stage, brief } = app.view;
  return (
    <section class="offers" aria-label={t.waiting.offers}>
      {isWaiting(stage) && offer === null && (
        <div class="offers-row">
          {brief && <OfferButton offer="brief" words={t.waiting.read} more={t.waiting.readBrief} />}
          <OfferButton offer="rate" words={t.waiting.note} more={t.waiting.rate} />
          <OfferButton offer="breathe" words={t.waiting.breath} more={t.waiting.breathe} />
        </div>
      )}
      {offer === "brief" && <Brief />}
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
    brief: t.waiting.close,
    rate: answered ? t.waiting.close : t.suds.skip,
    breathe: t.waiting.breatheStop,
  }[offer];
  return <OfferButton offer={offer} words={words} />;
}

function Rating() {
  const app = useApp();
  const { t } = app;
  if (isPlaying(app.view.stage) && isHalfway(app.view.sound)) {
    return <Scale moment="suds_mid" question={t.suds.middle} />;
  }
  return (
    <>
      <Scale moment="suds_start" question={t.suds.start} />
      <IntensityChoice note={t.intensity.kept} />
    </>
  );
}

function isHalfway({
  journeySeconds,
  totalSeconds,
}: {
  journeySeconds: number;
  totalSeconds: number;
}) {
  return totalSeconds > 0 && journeySeconds / totalSeconds >= 0.4;
}
