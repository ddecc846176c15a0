/** A journey under way: the light, words for who listens, and what may be wanted. */

import { useId } from "preact/hooks";
import type { Snapshot } from "../../engine";
import type { State } from "../app";
import type { Dictionary } from "../i18n/language";
import { momentOf } from "../i18n/time";
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
      <div class={state.rating ? "lamp-room small" : "lamp-room"} />
      {isWaiting(view.stage) ? <WaitingWords view={view} /> : <Words view={view} />}
      {view.hiccup === "crowded" && <AccountInstead />}
      {view.sound.needsGesture && <NoSound />}
      {isPlaying(view.stage) && <Middle view={view} />}
      <Offers />
      <BedSwitch view={view} />
      <Reading view={view} />
    </div>
  );
}

/** The large words are for the person; the small ones say how far the music is. */
function WaitingWords({ view }: { view: ListeningView }) {
  const { t, state } = useApp();
  const words = state.rating ? t.waiting.rate : t.waiting.grounding;
  const follows = state.breathing && !state.rating;
  return (
    <div class="words">
      <h1 class="title">{follows ? <BreathGuide /> : typeset(words)}</h1>
      <p class="quiet state">{typeset(hindrance(view, state, t) ?? waitingLine(view, t))}</p>
    </div>
  );
}

function waitingLine(view: ListeningView, t: Dictionary): string {
  if (view.long) return t.waiting.long;
  return view.stage === "ready" ? t.waiting.ready : `${lineOf(view, t)} ${t.waiting.usual}`;
}

function Words({ view }: { view: ListeningView }) {
  const { t, state } = useApp();
  const hindered = hindrance(view, state, t);
  return (
    <div class="words">
      <h1 class="title">{typeset(lineOf(view, t))}</h1>
      {state.breathing && (
        <p>
          <BreathGuide />
        </p>
      )}
      <Minutes sound={view.sound} />
      {view.sound.carriedOn && <p>{t.playing.carriedOn}</p>}
      {view.long && <p>{typeset(t.waiting.long)}</p>}
      {hindered && <p>{typeset(hindered)}</p>}
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
function hindrance(
  view: ListeningView,
  { online, language }: State,
  { trouble, waiting }: Dictionary,
): string | null {
  if (!online || view.sound.network === "offline") {
    return isPlaying(view.stage) ? trouble.offlinePlaying : trouble.offline;
  }
  const retryAt = view.sound.run?.retryAt;
  if (retryAt !== undefined && isWaiting(view.stage)) {
    return waiting.retry(momentOf(new Date(retryAt), new Date(), language));
  }
  if (!view.hiccup) return null;
  if (view.hiccup === "crowded") return trouble.crowded;
  return view.hiccup === "unreachable" ? trouble.offline : trouble.service;
}

function AccountInstead() {
  const { t, parts } = useApp();
  return (
    <button type="button" class="button bare" onClick={() => parts.listening.useAccount()}>
      {t.signIn.instead}
    </button>
  );
}

function NoSound() {
  const { t, parts, view } = useApp();
  // The line above has said it already, and the volume is not to blame.
  const cutOut = view.sound.gestureReason === "output";
  return (
    <div class="ask">
      {!cutOut && <p>{typeset(t.trouble.noAudio)}</p>}
      <button type="button" class="button solid" onClick={() => parts.listening.resume()}>
        {cutOut ? t.trouble.restartSound : t.trouble.tryAgain}
      </button>
    </div>
  );
}

/** The words written for this run, while it begins. Later they are behind « Plus ». */
function Reading({ view }: { view: ListeningView }) {
  const { state } = useApp();
  const begins = isWaiting(view.stage) || view.sound.journeySeconds < READING_S;
  const asked = state.rating || (state.breathing && !isWaiting(view.stage));
  return view.brief && begins && !asked ? <Brief /> : null;
}

/** From the middle of a journey until it is answered or nearly over. */
function Middle({ view }: { view: ListeningView }) {
  const app = useApp();
  const { journeySeconds, totalSeconds } = view.sound;
  const part = totalSeconds > 0 ? journeySeconds / totalSeconds : 0;
  const asked = view.ratings.suds_mid !== undefined || part < 0.45 || part > 0.75;
  if (asked || app.state.rating || app.state.breathing) return null;
  return (
    <button type="button" class="button bare" onClick={() => app.rate(true)}>
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
