/** Whether this browser keeps a piece of music, for when there is no network. */

import { useApp } from "./app-context";
import { typeset } from "./typeset";

export function KeptMusicSetting() {
  const app = useApp();
  const { keepsMusic } = app.parts.preferences;
  if (!("caches" in globalThis)) return null;
  return (
    <div>
      <label class="tick">
        <input
          type="checkbox"
          checked={keepsMusic}
          onChange={() => app.setKeepsMusic(!keepsMusic)}
        />
        <span>{app.t.more.keepsMusic}</span>
      </label>
      <p class="quiet">{typeset(app.t.more.keepsMusicWhy)}</p>
    </div>
  );
}
