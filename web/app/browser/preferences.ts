/** The listener's settings in this browser, with their defaults. */

import { browserWitnesses, type Country, countryOf, ELSEWHERE_CHOSEN } from "../help";
import { firstLanguage, type Language } from "../i18n/language";
import { type Intensity, isIntensity } from "../journey/run-request";
import type { KeyValueStore } from "./local-store";

const VOLUME = 0.7;

export class Preferences {
  constructor(private readonly store: KeyValueStore) {}

  get language(): Language {
    return firstLanguage(this.store.read("language"));
  }

  set language(language: Language) {
    this.store.write("language", language);
  }

  /** null is any country that the page has no numbers for. */
  get country(): Country | null {
    return countryOf(browserWitnesses(this.store.read("country")));
  }

  set country(country: Country | null) {
    this.store.write("country", country ?? ELSEWHERE_CHOSEN);
  }

  /** A light that does not move. */
  get still(): boolean {
    return this.store.read("still") === "yes";
  }

  set still(still: boolean) {
    this.store.write("still", still ? "yes" : "no");
  }

  /** Whether this browser may keep music (network/kept-pieces.ts). */
  get keepsMusic(): boolean {
    return this.store.read("keeps-music") !== "no";
  }

  set keepsMusic(keeps: boolean) {
    this.store.write("keeps-music", keeps ? "yes" : "no");
  }

  /** What a listener waits with: a breath to follow, or what is around them. */
  get breathing(): boolean {
    return this.store.read("breathing") === "yes";
  }

  set breathing(breathing: boolean) {
    this.store.write("breathing", breathing ? "yes" : "no");
  }

  get intensity(): Intensity | null {
    const kept = this.store.read("intensity");
    return isIntensity(kept) ? kept : null;
  }

  set intensity(intensity: Intensity | null) {
    if (intensity) this.store.write("intensity", intensity);
    else this.store.remove("intensity");
  }

  /** 0..1 */
  get volume(): number {
    const kept = this.store.read("volume");
    const volume = kept === null ? VOLUME : Number(kept);
    return volume >= 0 && volume <= 1 ? volume : VOLUME;
  }

  set volume(volume: number) {
    this.store.write("volume", String(volume));
  }
}
