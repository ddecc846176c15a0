/** 0 to 10, asked and never judged. */

import { useId } from "preact/hooks";
import type { SudsMoment } from "../../supabase/runs";
import { useApp } from "./app-context";
import { typeset } from "./typeset";

const STEPS = Array.from({ length: 11 }, (_, step) => step);

export function Scale({ moment, question }: { moment: SudsMoment; question: string }) {
  const app = useApp();
  const { ratings, ratingFailed } = app.view;
  const name = useId();
  const given = ratings[moment];
  return (
    <fieldset class="scale">
      <legend>{typeset(question)}</legend>
      <div class="scale-steps">
        {STEPS.map((step) => (
          <label key={step} class="step">
            <input
              type="radio"
              name={name}
              value={step}
              checked={given === step}
              onChange={() => app.parts.journey.rate(moment, step)}
            />
            <span>{step}</span>
          </label>
        ))}
      </div>
      <p class="scale-ends">
        <span>{app.t.suds.low}</span>
        <span>{app.t.suds.high}</span>
      </p>
      {given !== undefined && (
        <p class="quiet" role="status">
          {ratingFailed ? app.t.suds.failed : app.t.suds.saved}
        </p>
      )}
    </fieldset>
  );
}
