/** How strong it is, if one wants to say; kept on this device for the next request. */

import { useId } from "preact/hooks";
import { INTENSITIES, type Intensity } from "../journey/run-request";
import { useApp } from "./app-context";
import { typeset } from "./typeset";

const CHOICES = Object.keys(INTENSITIES) as Intensity[];

export function IntensityChoice({ note }: { note?: string }) {
  const app = useApp();
  const name = useId();
  const chosen = app.parts.preferences.intensity;
  return (
    <fieldset class="choices">
      <legend>
        {typeset(app.t.intensity.question)} <span class="quiet">({app.t.intensity.optional})</span>
      </legend>
      <div class="choices-row">
        {CHOICES.map((choice) => (
          <label key={choice} class="choice">
            <input
              type="radio"
              name={name}
              checked={chosen === choice}
              // A second tap takes the answer back: saying nothing stays possible.
              onClick={() => chosen === choice && app.setIntensity(null)}
              onChange={() => app.setIntensity(choice)}
            />
            <span>{app.t.intensity[choice]}</span>
          </label>
        ))}
      </div>
      {note && chosen && <p class="quiet">{note}</p>}
    </fieldset>
  );
}
