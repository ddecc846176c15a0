/** Four seconds in, six seconds out, by the clock: the light and the words never disagree. */

export const IN_S = 4;
export const OUT_S = 6;
export const CYCLE_S = IN_S + OUT_S;

export interface Breath {
  readonly way: "in" | "out";
  /** 0 is empty, 1 is full; slow at both ends, and never held. */
  readonly fullness: number;
  /** Seconds until it turns. */
  readonly turnsIn: number;
}

export function breathAt(seconds: number): Breath {
  const place = ((seconds % CYCLE_S) + CYCLE_S) % CYCLE_S;
  if (place < IN_S) return { way: "in", fullness: ease(place / IN_S), turnsIn: IN_S - place };
  const gone = (place - IN_S) / OUT_S;
  return { way: "out", fullness: 1 - ease(gone), turnsIn: CYCLE_S - place };
}

function ease(part: number): number {
  return (1 - Math.cos(Math.PI * part)) / 2;
}
