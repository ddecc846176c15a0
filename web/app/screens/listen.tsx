/** A journey under way: the light, one line of words, and what may be wanted. */

import { useId } from "preact/hooks";
import { lineOf } from "../line";
import type { ListeningView } from "../listening-view";
import { useApp } from "../parts/app-context";
import { BreathGuide } from "../parts/breath-guide";
import { Offers } from "../parts/offers";
import { typeset } from "../parts/typeset";
import { isPlaying, isWaiting } from "../stage";
import { SignIn } from "./sign-in";
import { Troubled } from "./troubled";
import { Elsewhere, Kept } from "./waiting-for-a-tap";

export function Listen() {
  const app = useApp();
  const view = app.view;
  if (view.stage === "kept") return <Kept keptAt={view.keptAt} />;
  if (view.stage === "elsewhere") return <Elsewhere />;
  if (view.stage === "form") return <SignIn />;
  if (view.stage === "trouble" || view.stage === "failed") return <Troubled />;
  const small = app.state.offer !== null && app.state.offer !== "breathe";
  return (
    <div class={`screen listen ${isPlaying(view.stage) ? "playing" : "waiting"}`}>
      <div class={small ? "lamp-room small" : "lamp-room"} />
      <Words view={view} />
      {view.sound.needsGesture && <NoSound />}
      {isWaiting(view.stage) && <Grounding view={view} />}
      {isPlaying(view.stage) && <Middle view={view} />}
      <Offers />
      <BedSwitch view={view} />
    </div>
  );
}

function Words({ view }: { view: ListeningView }) {
  const { t, state } = useApp();
  const { journeySeconds, totalSeconds } = view.sound;
  const now = Math.floor(journeySeconds / 60);
  return (
    <div class="words">
      <h1 class="title line-of-words fades">{typeset(lineOf(view, t))}</h1>
      {state.offer === "breathe" && <BreathGuide />}
      {isPlaying(view.stage) && (
        <p class="minutes fades">
          {typeset(t.playing.minutes(now, Math.round(totalSeconds / 60)))}
        </p>
      )}
      {view.long && <p>{typeset(t.waiting.long)}</p>}
      <Hiccup view={view} />
    </div>
  );
}

/** Said while it mends itself. */
function Hiccup({ view }: { view: ListeningView }) {
  const { t, state } = useApp();
  const offline = !state.online || view.sound.network === "offline";
  if (offline) {
    return <p>{typeset(isPlaying(view.stage) ? t.trouble.offlinePlaying : t.trouble.offline)}</p>;
  }
  return view.hiccup ? <p>{typeset(t.trouble.service)}</p> : null;
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

function Grounding({ view }: { view: ListeningView }) {
  const { t, state } = useApp();
  if (view.stage === "ready" || view.long || state.offer !== null) return null;
  return <p class="grounding">{typeset(t.waiting.grounding)}</p>;
}

/** From the middle of a journey until it is answered or nearly over. */
function Middle({ view }: { view: ListeningView }) {
  const app = useApp();
  const { journeySeconds, totalSeconds } = view.sound;
  const part = totalSeconds > 0 ? journeySeconds / totalSeconds : 0;
  const asked = view.ratings.suds_mid !== undefined || part < 0.45 || part > 0.75;
  if (asked || app.state.offer !== null) return null;
  return (
    <button type="button" class="button bare fades" onClick={() => app.offer("rate")}>
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
