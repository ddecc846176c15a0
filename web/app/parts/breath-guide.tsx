/** In for four seconds, out for six, with the light; only for those who asked. */

import { useEffect, useState } from "preact/hooks";
import { breathAt } from "../ambient/ambient-light";
import { useApp } from "./app-context";

export function BreathGuide() {
  const app = useApp();
  const { clock } = app.parts;
  const [, turn] = useState(0);
  const breath = breathAt(clock.now());
  useEffect(() => clock.after(breath.turnsIn + 0.02, () => turn(clock.now())));
  return (
    <span class="breath" aria-live="polite">
      {breath.way === "in" ? app.t.waiting.breatheIn : app.t.waiting.breatheOut}
    </span>
  );
}
