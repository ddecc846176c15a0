/** Times as one says them: the same in French and in English. */

const ROUND_FROM_S = 300;

/** A length as one says it: 1188 -> 1200. Short ones stay exact. */
export function roundLength(seconds: number): number {
  return seconds < ROUND_FROM_S ? seconds : Math.round(seconds / 60) * 60;
}

/** 370 -> "6 min 10", 1200 -> "20 min", 45 -> "45 s". Seconds, rounded down. */
export function spokenTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const rest = whole % 60;
  if (minutes === 0) return `${rest} s`;
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest}`;
}
