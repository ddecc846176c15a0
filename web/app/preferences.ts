/** What a listener has chosen in this browser, and what holds until they do. */

import { type Intensity, isIntensity } from "./choice";
import { browserWitnesses, type Country, countryOf, ELSEWHERE_CHOSEN } from "./help";
import { firstLanguage, type Language } from "./i18n/language";
import type { Memory } from "./memory";

const VOLUME = 0.7;

export class Preferences {
  constructor(private readonly memory: Memory) {}

  get language(): Language {
    return firstLanguage(this.memory.read("language"));
  }

  set language(language: Language) {
    this.memory.write("language", language);
  }

  /** null is any country that the page has no numbers for. */
  get country(): Country | null {
    return countryOf(browserWitnesses(this.memory.read("country")));
  }

  set country(country: Country | null) {
    this.memory.write("country", country ?? ELSEWHERE_CHOSEN);
  }

  /** A light that does not move. */
  get still(): boolean {
    return this.memory.read("still") === "yes";
  }

  set still(still: boolean) {
    this.memory.write("still", still ? "yes" : "no");
  }

  /** What a listener waits with: a breath to follow, or what is around them. */
  get breathing(): boolean {
    return this.memory.read("breathing") === "yes";
  }

  set breathing(breathing: boolean) {
    this.memory.write("breathing", breathing ? "yes" : "no");
  }

  get intensity(): Intensity | null {
    const kept = this.memory.read("intensity");
    return isIntensity(kept) ? kept : null;
  }

  set intensity(intensity: Intensity | null) {
    if (intensity) this.memory.write("intensity", intensity);
    else this.memory.forget("intensity");
  }

  /** 0..1 */
  get volume(): number {
    const kept = this.memory.read("volume");
    const volume = kept === null ? VOLUME : Number(kept);
    return volume >= 0 && volume <= 1 ? volume : VOLUME;
  }

  set volume(volume: number) {
    this.memory.write("volume", String(volume));
  }
}
