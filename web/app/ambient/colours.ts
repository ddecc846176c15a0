/** The twenty colour pairs of the light, and how one colour becomes another. */

import type { ColourPair, Oklch, Preset } from "../contracts";

/** More saturated colours would be too intense for a background light. */
export const CHROMA_MAX = 0.09;

const pair = (from: readonly [number, number, number], to: readonly [number, number, number]) => ({
  from: { l: from[0], c: from[1], h: from[2] },
  to: { l: to[0], c: to[1], h: to[2] },
});

/** By preset key: [lightness, chroma, hue], from the feeling one comes with to the one sought. */
export const COLOURS: Readonly<Record<string, ColourPair>> = {
  "00-universel-reset": pair([0.75, 0.08, 58], [0.85, 0.07, 88]),
  "01-panique-anxiete": pair([0.71, 0.085, 50], [0.79, 0.06, 165]),
  "02-stress-overwhelm": pair([0.73, 0.08, 66], [0.78, 0.055, 205]),
  "03-rumination-culpabilite": pair([0.67, 0.06, 304], [0.84, 0.07, 92]),
  "04-tristesse-deuil": pair([0.65, 0.06, 262], [0.83, 0.075, 78]),
  "05-apathie-demotivation": pair([0.65, 0.03, 250], [0.82, 0.085, 68]),
  "06-colere-irritabilite": pair([0.69, 0.09, 46], [0.78, 0.06, 150]),
  "07-peur-anticipatoire": pair([0.66, 0.065, 286], [0.82, 0.07, 74]),
  "08-honte-anxiete-sociale": pair([0.7, 0.05, 356], [0.84, 0.06, 62]),
  "09-jalousie-envie": pair([0.71, 0.07, 128], [0.83, 0.07, 80]),
  "10-solitude-isolement": pair([0.66, 0.055, 240], [0.8, 0.08, 50]),
  "11-fatigue-mentale": pair([0.64, 0.04, 282], [0.81, 0.055, 122]),
  "12-hypersensibilite": pair([0.77, 0.06, 100], [0.73, 0.05, 222]),
  "13-douleur-physique": pair([0.7, 0.06, 40], [0.79, 0.055, 182]),
  "14-manque-confiance": pair([0.67, 0.045, 220], [0.82, 0.08, 84]),
  "15-perfectionnisme": pair([0.71, 0.05, 192], [0.81, 0.075, 56]),
  "16-nostalgie-melancolie": pair([0.71, 0.07, 56], [0.83, 0.05, 30]),
  "17-motivation-energie": pair([0.74, 0.085, 58], [0.85, 0.085, 96]),
  "18-concentration-flow": pair([0.72, 0.05, 272], [0.81, 0.05, 210]),
  "19-amour-gratitude": pair([0.77, 0.06, 24], [0.85, 0.075, 74]),
};

/** Shown when a run's preset is unknown to this page. */
export const DEFAULT_COLOURS: ColourPair = pair([0.75, 0.08, 58], [0.85, 0.07, 88]);

export function coloursOf(preset: Pick<Preset, "key" | "colors"> | undefined): ColourPair {
  return preset?.colors ?? COLOURS[preset?.key ?? ""] ?? DEFAULT_COLOURS;
}

/**
 * The colour at `progress` (0-1) on the straight way between two, through OKLab: no third hue
 * appears on the way, as it would by turning the hue.
 */
export function mix({ from, to }: ColourPair, progress: number): Oklch {
  const t = Math.min(1, Math.max(0, progress));
  const [fromA, fromB] = plane(from);
  const [toA, toB] = plane(to);
  const a = fromA + (toA - fromA) * t;
  const b = fromB + (toB - fromB) * t;
  return {
    l: from.l + (to.l - from.l) * t,
    c: Math.hypot(a, b),
    h: ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360,
  };
}

export function css({ l, c, h }: Oklch, alpha = 1): string {
  const colour = `${l.toFixed(4)} ${c.toFixed(4)} ${h.toFixed(2)}`;
  return alpha >= 1 ? `oklch(${colour})` : `oklch(${colour} / ${alpha.toFixed(4)})`;
}

function plane({ c, h }: Oklch): readonly [number, number] {
  const angle = (h * Math.PI) / 180;
  return [c * Math.cos(angle), c * Math.sin(angle)];
}
