/** A journey under way: the light, one line of words, and what may be wanted. */

import { useId } from "preact/hooks";
import type { Snapshot } from "../../engine";
import { lineOf } from "../line";
import type { ListeningView } from "../listening-view";
import { useApp } from "../parts/app-context";
import { BreathGuide } from "../parts/breath-guide";
import { Brief } from "../parts/brief";
import { Offers } from "../parts/offers";
import { typeset } from "../parts/typeset";
import { isPlaying, isWaiting } from "../stage";
import { SignIn } from "./sign-in";
import { Troubled } from "./troubled";
import { Elsewhere, Kept } from "./waiting-for-a-tap";

/** Seconds of music during which the brief stays to be read. */
const READING_S = 60;

export function Listen() {
  const { view, state } = useApp();
  if (view.stage === "kept") return <Kept keptAt={view.keptAt} />;
  if (view.stage === "elsewhere") return <Elsewhere />;
  if (view.stage === "form") return <SignIn />;
  if (view.stage === "trouble" || view.stage === "failed") return <Troubled />;
  return (
    <div class={`screen listen ${isPlaying(view.stage) ? "playing fades" : "waiting"}`}>
      <div class={state.offer === "rate" ? "lamp-room small" : "lamp-room"} />
      <Words view={view} />
      {view.sound.needsGesture && <NoSound />}
      {isPlaying(view.stage) && <Middle view={view} />}
      <Offers />
      <BedSwitch view={view} />
      <Reading view={view} />
    </div>
  );
}

function Words({ view }: { view: ListeningView }) {
  const { t, state } = useApp();
  const playing = isPlaying(view.stage);
  return (
    <div class="words">
      <h1 class="title">{typeset(lineOf(view, t))}</h1>
      {state.offer === "breathe" && <BreathGuide />}
      {playing && <Minutes sound={view.sound} />}
      {playing && view.sound.carriedOn && <p>{t.playing.carriedOn}</p>}
      {view.long && <p>{typeset(t.waiting.long)}</p>}
      <Hiccup view={view} />
      {isWaiting(view.stage) && <Grounding view={view} />}
    </div>
  );
}

function Minutes({ sound: { journeySeconds, totalSeconds } }: { sound: Snapshot }) {
  const { t } = useApp();
  const now = Math.floor(journeySeconds / 60);
  const of = Math.round(totalSeconds / 60);
  return <p class="minutes">{typeset(t.playing.minutes(now, of))}</p>;
}

/** Said while it mends itself. */
function Hiccup({ view }: { view: ListeningView }) {
  const { t, state } = useApp();
  const offline = !state.online || view.sound.network === "offline";
  if (offline) {
    return <p>{typeset(isPlaying(view.stage) ? t.trouble.offlinePlaying : t.trouble.offline)}</p>;
  }
  if (!view.hiccup) return null;
  return <p>{typeset(view.hiccup === "unreachable" ? t.trouble.offline : t.trouble.service)}</p>;
}

function NoSound() {
  const { t, parts } = useApp();
  return (
    <div class="ask">
      <p>{typeset(t.trouble.noAudio)}</p>
      <button type="button" class="button line" onClick={() => parts.listening.resume()}>
        {t.trouble.tryAgain}
      </button>
    </div>
  );
}

/** First of all, and until there is something else to read. */
function Grounding({ view }: { view: ListeningView }) {
  const { t, state } = useApp();
  if (view.stage === "ready" || view.long || state.offer !== null) return null;
  return <p class="grounding">{typeset(t.waiting.grounding)}</p>;
}

/** The words written for this run, while it begins. Later they are behind « Plus ». */
function Reading({ view }: { view: ListeningView }) {
  const { state } = useApp();
  const begins = isWaiting(view.stage) || view.sound.journeySeconds < READING_S;
  return view.brief && begins && state.offer === null ? <Brief /> : null;
}

/** From the middle of a journey until it is answered or nearly over. */
function Middle({ view }: { view: ListeningView }) {
  const app = useApp();
  const { journeySeconds, totalSeconds } = view.sound;
  const part = totalSeconds > 0 ? journeySeconds / totalSeconds : 0;
  const asked = view.ratings.suds_mid !== undefined || part < 0.45 || part > 0.75;
  if (asked || app.state.offer !== null) return null;
  return (
    <button type="button" class="button bare" onClick={() => app.offer("rate")}>
      {app.t.playing.middle}
    </button>
  );
}

function BedSwitch({ view }: { view: ListeningView }) {
  const { t, parts } = useApp();
  const id = useId();
  const { bed } = view.sound;
  if (!isWaiting(view.stage) && !(bed.sounding && isPlaying(view.stage))) return null;
  const words = bed.on ? t.waiting.bedOff : t.waiting.bedOn;
  return (
    <p class="bed">
      <span id={id} class="quiet">
        {t.waiting.bed}
      </span>
      <button
        type="button"
        class="button bare"
        aria-describedby={id}
        onClick={() => parts.player.setBed(!bed.on)}
      >
        {words}
      </button>
    </p>
  );
}
