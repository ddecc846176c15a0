/** When music is not what is needed: said first, with the country's numbers one tap away. */

import { callable, helpFor, isChecked } from "../help";
import { useApp } from "./app-context";
import { typeset } from "./typeset";

export function RedFlags() {
  const { state, t } = useApp();
  const { emergency } = helpFor(state.country);
  const numbers = callable(emergency);
  const call = t.safety.call(numbers, !isChecked(emergency));
  // Digits only, longest first: no number is cut by a shorter one.
  const anyOf = new RegExp(`\\b(${[...numbers].sort((a, b) => b.length - a.length).join("|")})\\b`);
  return (
    <p class="red-flags">
      {typeset(t.safety.redFlags)}{" "}
      {call.split(anyOf).map((part, place) =>
        place % 2 ? (
          <a key={part} class="number" href={`tel:${part}`}>
            {part}
          </a>
        ) : (
          typeset(part)
        ),
      )}
    </p>
  );
}
