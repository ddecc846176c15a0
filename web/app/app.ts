/** The state of the page and the actions of its buttons. Screens only read and render it. */

import type { Cancel, Clock, Player } from "../engine";
import type { Backend } from "../supabase/backend";
import type { PastRun } from "../supabase/runs";
import type { Listener } from "../supabase/session";
import { type AmbientState, ambientStateOf } from "./ambient/ambient-light";
import type { Preferences } from "./browser/preferences";
import { HOME, type Route, type Router } from "./browser/router";
import type { Preset } from "./contracts";
import type { Country } from "./help";
import { type Dictionary, dictionary, type Language } from "./i18n/language";
import type { JourneyController } from "./journey/journey-controller";
import { isUnderWay, isWaiting, type JourneyView } from "./journey/journey-view";
import { type Intensity, runRequestFor } from "./journey/run-request";
import { announcement } from "./journey/status-text";

/** What `screens/later.ts` holds. */
export type LaterScreens = typeof import("./screens/later");
export type DialogName = "help" | "more";
export interface State {
  readonly language: Language;
  readonly route: Route;
  readonly dialog: DialogName | null;
  /** The rating is open. */
  readonly rating: boolean;
  /** The breathing guide is shown; while waiting, the alternative is grounding. */
  readonly breathing: boolean;
  readonly online: boolean;
  readonly idle: boolean;
  /** The listener asked for a light that does not move, or their system did. */
  readonly still: boolean;
  readonly presets: readonly Preset[] | null;
  readonly presetsMissing: boolean;
  /** config.json could not be read: nothing can be started, and only help works. */
  readonly configMissing: boolean;
  /** A link of a message was opened that is no longer good. */
  readonly linkExpired: boolean;
  readonly listener: Listener | null;
  /** Whose help numbers are shown; null is any other country. */
  readonly country: Country | null;
  /** For the polite live region. */
  readonly announcement: string;
  /** Null until they are loaded. */
  readonly later: LaterScreens | null;
}

export interface AppParts {
  readonly player: Player;
  readonly backend: Promise<Backend>;
  readonly journey: JourneyController;
  readonly router: Router;
  readonly preferences: Preferences;
  readonly clock: Clock;
  readonly draw: () => void;
  /** Erases the music that this browser keeps. */
  readonly eraseMusic: () => void;
  /** Receives internal errors of the page; others are filtered out. */
  readonly onInternalError: (error: unknown) => void;
}

const REDUCED = "(prefers-reduced-motion: reduce)";

export class App {
  state: State;
  private drawing = false;
  private before: JourneyView | null = null;
  private cancelSaid: Cancel = () => {};
  private readonly reduced = matchMedia(REDUCED);
  private readonly reducedTurned = () => this.set({ still: this.still });
  private readonly key = (event: KeyboardEvent) => this.onKey(event);

  constructor(readonly parts: AppParts) {
    const { language, country } = parts.preferences;
    this.state = {
      language,
      route: HOME,
      dialog: null,
      rating: false,
      breathing: false,
      online: true,
      idle: false,
      still: this.still,
      presets: null,
      presetsMissing: false,
      configMissing: false,
      linkExpired: false,
      listener: null,
      country,
      announcement: "",
      later: null,
    };
  }

  start(): void {
    this.reduced.addEventListener("change", this.reducedTurned);
    addEventListener("keydown", this.key);
    this.applyLanguage();
  }

  stop(): void {
    this.reduced.removeEventListener("change", this.reducedTurned);
    removeEventListener("keydown", this.key);
    this.cancelSaid();
  }

  private get still(): boolean {
    return this.parts.preferences.still || this.reduced.matches;
  }

  get t(): Dictionary {
    return dictionary(this.state.language);
  }

  get view(): JourneyView {
    return this.parts.journey.view();
  }

  preset(key: string): Preset | undefined {
    return this.state.presets?.find((preset) => preset.key === key);
  }

  /** Renders soon, once for all changes. */
  changed = (): void => {
    if (this.drawing) return;
    this.drawing = true;
    queueMicrotask(() => {
      this.drawing = false;
      this.announce();
      this.parts.draw();
    });
  };

  set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    this.changed();
  }

  go(route: Route): void {
    this.parts.router.go(route);
  }

  /** The route has changed. A card is left with its offers closed. */
  routeChanged(route: Route): void {
    const nothing = route.name === "listen" && this.view.phase === "none";
    this.set({ route: nothing ? HOME : route, dialog: null });
  }

  /** In the tap. */
  begin(presetKey: string): void {
    const request = runRequestFor(
      presetKey,
      this.preset(presetKey),
      this.parts.preferences.intensity,
    );
    this.parts.journey.begin(request);
    this.showJourney();
  }

  /** In the tap. */
  replay(run: PastRun, compose: boolean): void {
    this.parts.journey.replay(run, compose);
    this.showJourney();
  }

  /** Silence first; everything else can wait. */
  end = (): void => {
    this.parts.journey.end();
    this.set({ dialog: null, rating: false, breathing: false });
    this.go({ name: "listen" });
  };

  /** In the tap: Stop is taken back. */
  takeBack = (): void => {
    this.parts.journey.takeBack();
    this.showJourney();
  };

  /** In the tap: what was kept, or sounds in another tab. */
  resume = (): void => {
    this.parts.journey.resume();
    this.showJourney();
  };

  /** From the end, or from what was kept, back to the beginning. */
  leave = (): void => {
    this.parts.journey.leave();
    this.go(HOME);
  };

  /** On this device only. The journeys of an anonymous listener cannot be found again. */
  async signOut(): Promise<void> {
    const { journey, backend, eraseMusic } = this.parts;
    journey.leave();
    // It tells which presets were listened to here.
    eraseMusic();
    const { session } = await backend;
    // Calls that are under way need the session.
    await journey.settled();
    await session.signOut();
    this.go(HOME);
  }

  togglePause(): void {
    const { journey, player } = this.parts;
    if (this.view.phase === "paused") journey.resume();
    else player.pause();
  }

  open(dialog: DialogName | null): void {
    this.set({ dialog });
  }

  rate(rating: boolean): void {
    this.set({ rating });
  }

  /** While waiting it is a choice between two, and the next time begins with it. */
  breathe(breathing: boolean): void {
    if (isWaiting(this.view.phase)) this.parts.preferences.breathing = breathing;
    this.set({ breathing });
  }

  switchLanguage(): void {
    const language: Language = this.state.language === "fr" ? "en" : "fr";
    this.parts.preferences.language = language;
    this.set({ language });
    this.applyLanguage();
  }

  setStill(still: boolean): void {
    this.parts.preferences.still = still;
    this.set({ still });
  }

  setKeepsMusic(keeps: boolean): void {
    this.parts.preferences.keepsMusic = keeps;
    if (!keeps) this.parts.eraseMusic();
    this.changed();
  }

  setCountry(country: Country | null): void {
    this.parts.preferences.country = country;
    this.set({ country });
  }

  setIntensity(intensity: Intensity | null): void {
    this.parts.preferences.intensity = intensity;
    this.changed();
  }

  setVolume(volume: number): void {
    this.parts.preferences.volume = volume;
    this.parts.player.setVolume(volume);
  }

  /** Said once, politely, to those who do not see the page. */
  announceText(announcement: string): void {
    this.cancelSaid();
    this.set({ announcement });
    // Emptied, so that the same words can be said again later.
    this.cancelSaid = this.parts.clock.after(5, () => this.set({ announcement: "" }));
  }

  ambientState(): AmbientState {
    return ambientStateOf(this.state, this.view, () => this.parts.player.rms());
  }

  /** What waits with somebody is what they chose the last time. */
  private showJourney(): void {
    const breathing = isWaiting(this.view.phase) && this.parts.preferences.breathing;
    this.set({ rating: false, breathing });
    this.go({ name: "listen" });
  }

  private announce(): void {
    const view = this.view;
    const words = this.before && announcement(this.before, view, this.t);
    this.before = view;
    if (words) this.announceText(words);
  }

  private applyLanguage(): void {
    document.documentElement.lang = this.state.language;
    document.title = this.t.page.title;
    const description = document.querySelector('meta[name="description"]');
    description?.setAttribute("content", this.t.page.description);
  }

  /** Escape closes an open dialog first: that is the dialog's own business. */
  private onKey(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    if (isUnderWay(this.view.phase)) this.end();
  }
}
