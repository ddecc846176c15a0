/** How loud, and not at all. Where the device alone decides, the page says so. */

import type { Snapshot } from "../../engine";
import { canSetVolume } from "../browser/output";
import { useApp } from "./app-context";

export function Volume({ sound }: { sound: Snapshot }) {
  const { t, parts } = useApp();
  const percent = Math.round(sound.volume * 100);
  return (
    <>
      {canSetVolume() ? <Loudness percent={percent} /> : <p>{t.more.volumeByDevice}</p>}
      <button type="button" class="button line" onClick={() => parts.player.setMuted(!sound.muted)}>
        {sound.muted ? t.more.unmute : t.more.mute}
      </button>
    </>
  );
}

function Loudness({ percent }: { percent: number }) {
  const app = useApp();
  const { t } = app;
  return (
    <label class="field">
      <span>{t.more.volume}</span>
      <input
        type="range"
        min={0}
        max={100}
        step={5}
        value={percent}
        aria-valuetext={t.more.volumeIs(percent)}
        onInput={(event) => app.setVolume(event.currentTarget.valueAsNumber / 100)}
      />
    </label>
  );
}
