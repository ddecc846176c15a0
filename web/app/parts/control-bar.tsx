/** Stop, first in the tab order and always in sight, with what belongs beside it. */

import { isPlaying, isUnderWay, needsAction } from "../journey/journey-view";
import { useApp } from "./app-context";

/**
 * Always the same size, in the same place, so that a tap aimed at it can become nothing else; calmer
 * where another button is the way forward.
 */
export function Stop() {
  const app = useApp();
  const { phase, sound } = app.view;
  const calm = app.state.route.name === "listen" && (needsAction(phase) || sound.needsGesture);
  return (
    <button type="button" class={`button stop ${calm ? "line" : "solid"}`} onClick={app.end}>
      {app.t.playing.stop}
    </button>
  );
}

export function ControlBar() {
  const app = useApp();
  const { phase } = app.view;
  if (!isUnderWay(phase)) return null;
  const here = app.state.route.name === "listen";
  return (
    <section class="bar" aria-label={app.t.playing.controls}>
      <Stop />
      {here && isPlaying(phase) && <Pause />}
      {here && isPlaying(phase) && <More />}
      {!here && (
        <button type="button" class="button line" onClick={() => app.go({ name: "listen" })}>
          {app.t.playing.back}
        </button>
      )}
    </section>
  );
}

function Pause() {
  const app = useApp();
  const paused = app.view.phase === "paused";
  return (
    <button type="button" class="button line fades" onClick={() => app.togglePause()}>
      {paused ? app.t.playing.resume : app.t.playing.pause}
    </button>
  );
}

function More() {
  const app = useApp();
  return (
    <button
      type="button"
      class="button bare fades"
      aria-haspopup="dialog"
      onClick={() => app.open("more")}
    >
      {app.t.playing.more}
    </button>
  );
}
