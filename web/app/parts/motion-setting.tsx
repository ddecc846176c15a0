/** A light that does not move, for whoever wants it, whatever their system says. */

import { useApp } from "./app-context";

export function MotionSetting() {
  const app = useApp();
  const { still } = app.state;
  return (
    <label class="tick">
      <input type="checkbox" checked={still} onChange={() => app.setStill(!still)} />
      <span>{app.t.more.still}</span>
    </label>
  );
}
