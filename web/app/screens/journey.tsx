/** A journey under way: the light, words for who listens, and what may be wanted. */

import { useId } from "preact/hooks";
import type { Snapshot } from "../../engine";
import type { State } from "../app";
import type { Dictionary } from "../i18n/language";
import { momentOf } from "../i18n/time";
import { awaitsOwn, isPlaying, isWaiting, type JourneyView } from "../journey/journey-view";
import { statusText } from "../journey/status-text";
import { useApp } from "../parts/app-context";
import { BreathGuide } from "../parts/breath-guide";
import { Brief } from "../parts/brief";
import { Later } from "../parts/later";
import { typeset } from "../parts/typeset";
import { WaitingOptions } from "../parts/waiting-options";
import { ErrorScreen } from "./error";
import { Elsewhere, Kept } from "./resume";

/** Seconds of music during which the brief stays to be read. */
const READING_S = 60;

export function JourneyScreen() {
  const { view, state } = useApp();
  if (view.phase === "kept") return <Kept keptAt={view.keptAt} />;
  if (view.phase === "elsewhere") return <Elsewhere />;
  if (view.phase === "form") return <Later name="SignIn" />;
  if (view.phase === "error" || view.phase === "failed") return <ErrorScreen />;
  return (
    <div class={`screen listen ${isPlaying(view.phase) ? "playing fades" : "waiting"}`}>
      <div class={state.rating ? "light-space small" : "light-space"} />
      {isWaiting(view.phase) ? <WaitingWords view={view} /> : <Words view={view} />}
      {view.retrying === "rate-limited" && <AccountInstead />}
      {view.sound.needsGesture && <NoSound />}
      {isPlaying(view.phase) && <Middle view={view} />}
      <WaitingOptions />
      <BedSwitch view={view} />
      <Reading view={view} />
    </div>
  );
}

/** The large words are for the person; the small ones say how far the music is. */
function WaitingWords({ view }: { view: JourneyView }) {
  const { t, state } = useApp();
  const words = state.rating ? t.waiting.rate : t.waiting.grounding;
  const follows = state.breathing && !state.rating;
  return (
    <div class="words">
      <h1 class="title">{follows ? <BreathGuide /> : typeset(words)}</h1>
      <p class="quiet state">{typeset(problemText(view, state, t) ?? waitingLine(view, t))}</p>
    </div>
  );
}

function waitingLine(view: JourneyView, t: Dictionary): string {
  if (view.slow) return t.waiting.long;
  return view.phase === "ready" ? t.waiting.ready : `${statusText(view, t)} ${t.waiting.usual}`;
}

function Words({ view }: { view: JourneyView }) {
  const { t, state } = useApp();
  const hindered = problemText(view, state, t);
  return (
    <div class="words">
      <h1 class="title">{typeset(statusText(view, t))}</h1>
      {state.breathing && (
        <p>
          <BreathGuide />
        </p>
      )}
      <Minutes sound={view.sound} />
      <Own view={view} />
      {view.sound.carriedOn && <p>{t.playing.carriedOn}</p>}
      {view.slow && <p>{typeset(t.waiting.long)}</p>}
      {hindered && <p>{typeset(hindered)}</p>}
    </div>
  );
}

/** Which music it is, how far one's own is, and the way to it. */
function Own({ view }: { view: JourneyView }) {
  const { t, parts } = useApp();
  const { source, ownPlayable } = view.sound;
  if (source !== "reserve" || view.accompanied) return null;
  if (!ownPlayable) return <p class="quiet">{typeset(t.waiting.composing)}</p>;
  return (
    <button type="button" class="button line" onClick={() => parts.player.own()}>
      {t.reserve.listen}
    </button>
  );
}

function Minutes({ sound: { journeySeconds, totalSeconds } }: { sound: Snapshot }) {
  const { t } = useApp();
  const now = Math.floor(journeySeconds / 60);
  const of = Math.round(totalSeconds / 60);
  return <p class="minutes">{typeset(t.playing.minutes(now, of))}</p>;
}

/** What is wrong, while it is being retried. */
function problemText(
  view: JourneyView,
  { online, language }: State,
  { errors, waiting, reserve }: Dictionary,
): string | null {
  // A browser may take itself for online although nothing can be reached.
  if (view.keptOnly && (view.retrying === "unreachable" || !online)) return reserve.kept;
  if (!online || view.sound.network === "offline") {
    if (view.keptOnly) return reserve.kept;
    return isPlaying(view.phase) ? errors.offlinePlaying : errors.offline;
  }
  const retryAt = view.sound.run?.retryAt;
  if (retryAt !== undefined && isWaiting(view.phase)) {
    return waiting.retry(momentOf(new Date(retryAt), new Date(), language));
  }
  if (!view.retrying) return null;
  if (view.retrying === "rate-limited") return errors.crowded;
  return view.retrying === "unreachable" ? errors.offline : errors.service;
}

function AccountInstead() {
  const { t, parts } = useApp();
  return (
    <button type="button" class="button bare" onClick={() => parts.journey.useAccount()}>
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
      {!cutOut && <p>{typeset(t.errors.noAudio)}</p>}
      <button type="button" class="button solid" onClick={() => parts.journey.resume()}>
        {cutOut ? t.errors.restartSound : t.errors.tryAgain}
      </button>
    </div>
  );
}

/** The words written for this run, the preset's own before they are there, while it begins. Later they are behind « Plus ». */
function Reading({ view }: { view: JourneyView }) {
  const { state } = useApp();
  const begins = isWaiting(view.phase) || view.sound.journeySeconds < READING_S;
  const asked = state.rating || (state.breathing && !awaitsOwn(view));
  return begins && !asked ? <Brief /> : null;
}

/** From the middle of a journey until it is answered or nearly over. */
function Middle({ view }: { view: JourneyView }) {
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

function BedSwitch({ view }: { view: JourneyView }) {
  const { t, parts } = useApp();
  const id = useId();
  const { bed } = view.sound;
  const shown = isWaiting(view.phase) || (bed.sounding && isPlaying(view.phase));
  if (!shown || bed.missing) return null;
  const words = bed.on ? t.waiting.bedOff : t.waiting.bedOn;
  return (
    <p class="bed">
      <span id={id} class="quiet">
        {bed.on && !bed.sounding ? t.waiting.bedLoading : t.waiting.bed}
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
