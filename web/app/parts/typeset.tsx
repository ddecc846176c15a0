/** Words that belong on one line stay on one: "crise ?", "est-ce", "20 min", "15 h 22", with ordinary spaces. */

import type { ComponentChild } from "preact";

const TOGETHER =
  /(\S+ [?!:;»]|« \S+|\p{L}+-ce\b|\d+ (?:min|h|%|am|pm)(?: \d+)?(?: s)?|\d+:\d+ [ap]m)/u;

export function typeset(text: string): ComponentChild {
  const parts = text.split(TOGETHER);
  if (parts.length === 1) return text;
  // Every second part is what the pattern caught.
  return parts.map((part, place) => (place % 2 ? <span class="together">{part}</span> : part));
}
