/** In for four seconds, out for six, with the light; only for those who asked. */

import { useEffect, useState } from "preact/hooks";
import { breathAt } from "../ambient/ambient-light";
import { useApp } from "./app-context";

export function BreathGuide() {
  const app = useApp();
  const { clock } = app.parts;
  const [, redraw] = useState(0);
  const breath = breathAt(clock.now());
  useEffect(() => clock.after(breath.turnsIn + 0.02, () => redraw(clock.now())));
  return (
    <span class="breath" aria-live="polite">
      {breath.direction === "in" ? app.t.waiting.breatheIn : app.t.waiting.breatheOut}
    </span>
  );
}
