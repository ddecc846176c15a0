/** Words that belong on one line stay on one: "crise ?", "est-ce", "20 min", with ordinary spaces. */

import type { ComponentChild } from "preact";

const TOGETHER = /(\S+ [?!:;»]|« \S+|\p{L}+-ce\b|\d+ (?:min|%)(?: \d+)?)/u;

export function typeset(text: string): ComponentChild {
  const parts = text.split(TOGETHER);
  if (parts.length === 1) return text;
  // Every second part is what the pattern caught.
  return parts.map((part, place) => (place % 2 ? <span class="together">{part}</span> : part));
}
