/** French grammar that a template cannot leave to its words. */

const CONTRACTIONS: readonly (readonly [RegExp, string])[] = [
  [/^le /i, "du "],
  [/^les /i, "des "],
  // "de des pensées" is "de pensées".
  [/^des /i, "de "],
];

const VOWEL = /^[aàâæeéèêëiîïoôœuùûü]/i;

/** A phrase after "de": "du trop-plein", "des pensées", "de la tristesse", "d'un doute". */
export function after(phrase: string): string {
  for (const [article, contracted] of CONTRACTIONS) {
    if (article.test(phrase)) return elide(phrase.replace(article, contracted));
  }
  return elide(`de ${phrase}`);
}

/** "de envie" -> "d'envie"; a written h is left alone, for it may be aspirated ("de honte"). */
function elide(phrase: string): string {
  const [preposition, ...rest] = phrase.split(" ");
  const words = rest.join(" ");
  return preposition === "de" && VOWEL.test(words) ? `d'${words}` : phrase;
}

export function capitalised(phrase: string): string {
  return phrase.charAt(0).toUpperCase() + phrase.slice(1);
}
