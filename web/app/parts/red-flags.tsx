/** When music is not what is needed: said first, with the numbers one tap away. */

import { useApp } from "./app-context";
import { typeset } from "./typeset";

const NUMBERS = /\b(15|112)\b/;

export function RedFlags() {
  const { t } = useApp();
  return (
    <p class="red-flags">
      {t.safety.redFlags.split(NUMBERS).map((part, place) =>
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
