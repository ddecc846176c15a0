/** The base of both real decks: one audio element, with its events as promises. */

import {
  type Deck,
  type DeckEvent,
  type DeckOutput,
  GestureNeeded,
  Superseded,
  Unplayable,
} from "../deck";
import { attemptAll } from "../errors";
import type { Samples } from "../playback/cross-correlation";
import type { FadeShape } from "../playback/curves";
import type { Range } from "../snapshot";
import { FRESH_MS_MAX, type StartQuirks } from "./start-quirks";

/** The change of playback rate during `nudge`, while the deck is silent. */
const NUDGE_RATE = 0.25;
/** An element's times are rounded. */
const ROUNDING_SECONDS = 0.1;
/** Bytes are counted in blocks: a file is all there when so little is missing. */
const NEARLY_SECONDS = 0.5;
/** What is opened again as it begins takes so long, on a busy machine. */
const OPENING_SECONDS = 1.5;
/** How an element begins is looked at for so long. */
const BEGINNING_MS_MAX = 600;
const LOOK_MS = 20;
/** One that runs ahead has begun once it has moved so far; what hesitated, farther. */
const GOING_ON_SECONDS = 0.15;
const HESITATED_SECONDS = 0.4;
const GOING_ON_MS_MAX = 1000;
const BEGINNINGS_MAX = 3;
/** WebKit's length of a stream grows with what has been decoded: one that lasts is believed. */
const LENGTH_SETTLED_MS = 2000;

export abstract class ElementDeck implements Deck {
  abstract readonly output: DeckOutput;
  abstract readonly fades: boolean;
  abstract readonly level: number;
  abstract readonly latency: number;
  protected readonly element = new Audio();
  /** Ends what waits for this file, or for this place in it. */
  private file = new AbortController();
  private place = new AbortController();
  private subscriptions = new AbortController();
  private asked = false;
  private ready = false;
  private starved = false;
  private seenAt = 0;
  /** Since when it has been open without playing; null while it plays. */
  private idleSinceMs: number | null = null;
  /** Nothing of it has played since it was opened. */
  private fresh = false;
  private hesitated = false;
  /** Seconds by which its place runs ahead of what is heard, and the place where it began. */
  private ahead = 0;
  private begunAt = 0;
  /** The place, while the element itself cannot tell it. */
  private known: number | null = null;
  /** Since when the file is over, while its last sound is still to be heard. */
  private endedMs: number | null = null;
  private ending: ReturnType<typeof setTimeout> | undefined;
  private lengthKnownMs = 0;
  private readonly listeners = new Set<(event: DeckEvent) => void>();

  constructor(protected readonly quirks: StartQuirks) {}

  abstract recentSamples(): Samples | null;
  abstract fade(level: number, seconds: number, shape: FadeShape, afterSeconds?: number): void;
  abstract limit(on: boolean): void;
  /** Silent without a fade. */
  protected abstract mute(): void;

  start(): void {
    const { element } = this;
    element.preload = "auto";
    element.preservesPitch = false;
    this.on("waiting", () => {
      this.hesitated = true;
      this.starve();
    });
    this.on("playing", () => this.flow());
    this.on("pause", () => this.pausedByWhom());
    this.on("ended", () => this.end());
    this.on("error", () => this.over("lost"));
    this.on("durationchange", () => {
      this.lengthKnownMs = performance.now();
    });
  }

  stop(): void {
    this.unload();
    this.subscriptions.abort();
    this.subscriptions = new AbortController();
  }

  get position(): number {
    if (this.known !== null) return this.known;
    const since = this.endedMs === null ? 0 : (performance.now() - this.endedMs) / 1000;
    const heard = this.element.currentTime + Math.min(since, this.behind) - this.ahead;
    return (this.ahead > 0 ? Math.max(heard, this.begunAt) : heard) - this.held;
  }

  get duration(): number | null {
    const { duration } = this.element;
    return Number.isFinite(duration) && this.ready ? duration : null;
  }

  get whole(): boolean {
    const { buffered, networkState } = this.element;
    const { duration } = this;
    if (duration === null || buffered.length === 0 || !this.lengthSettled) return false;
    const last = buffered.end(buffered.length - 1);
    return networkState !== HTMLMediaElement.NETWORK_LOADING && last >= duration - NEARLY_SECONDS;
  }

  get buffered(): Range | null {
    const { buffered, currentTime, readyState } = this.element;
    // WebKit tells nothing of a stream that it plays.
    if (buffered.length === 0 && readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) return null;
    for (let i = 0; i < buffered.length; i += 1) {
      const [fromSeconds, toSeconds] = [buffered.start(i), buffered.end(i)];
      const inside =
        fromSeconds - ROUNDING_SECONDS <= currentTime &&
        currentTime <= toSeconds + ROUNDING_SECONDS;
      if (inside) return { fromSeconds, toSeconds };
    }
    return { fromSeconds: currentTime, toSeconds: currentTime };
  }

  get beginSeconds(): number {
    return this.quirks.startsLate ? OPENING_SECONDS : 0;
  }

  get playing(): boolean {
    return this.asked;
  }

  async load(url: string, atSeconds: number): Promise<void> {
    this.unload();
    const { element } = this;
    const { signal } = this.file;
    element.src = url;
    await this.open(atSeconds, signal);
  }

  async play(): Promise<void> {
    if (!this.ready) throw new Unplayable("nothing is loaded");
    const { signal } = this.file;
    this.asked = true;
    await this.openAgain(signal).catch((error: unknown) => {
      this.asked = false;
      throw error;
    });
    await this.begin(signal);
  }

  pause(): void {
    this.rest();
    this.element.pause();
  }

  /** Paused, and where it was when this was last asked. */
  get still(): boolean {
    const { paused, ended, currentTime } = this.element;
    const moved = currentTime !== this.seenAt;
    this.seenAt = currentTime;
    return (paused || ended) && !moved;
  }

  async seek(seconds: number): Promise<void> {
    this.place.abort();
    this.place = new AbortController();
    const { signal } = this.place;
    if (this.quirks.startsLate && this.asked) return this.seekAnew(seconds, signal);
    this.begins(0);
    this.element.currentTime = seconds;
    await this.until("seeked", signal);
    await this.canPlay(signal);
  }

  async nudge(seconds: number): Promise<void> {
    const { element } = this;
    const takes = Math.abs(seconds) / NUDGE_RATE;
    element.playbackRate = 1 + Math.sign(seconds) * NUDGE_RATE;
    try {
      await new Promise((resolve) => setTimeout(resolve, takes * 1000));
    } finally {
      element.playbackRate = 1;
    }
  }

  unload(): void {
    this.file.abort();
    this.place.abort();
    this.file = new AbortController();
    const { element } = this;
    attemptAll(
      () => this.cut(true),
      () => {
        element.playbackRate = 1;
      },
    );
  }

  cut(emptied: boolean): void {
    this.rest();
    const { element } = this;
    const silent = [() => this.mute(), () => element.pause()];
    if (!emptied) return attemptAll(...silent);
    this.ready = false;
    this.known = null;
    attemptAll(
      ...silent,
      () => this.begins(0),
      () => element.removeAttribute("src"),
      () => element.load(),
    );
  }

  /** The output it belonged to is gone. */
  lose(): void {
    attemptAll(
      () => this.unload(),
      () => this.tell("lost"),
    );
  }

  watch(listener: (event: DeckEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * In a user's gesture, and silently: some browsers let an element play later only when it has
   * played in one.
   */
  prime(url: string): void {
    const { element } = this;
    const { signal } = this.file;
    element.src = url;
    const over = () => signal.aborted || this.unload();
    element
      .play()
      .then(over, over)
      .catch(() => {});
  }

  /** Seconds by which what is heard is held back. */
  protected get held(): number {
    return 0;
  }

  /** No longer held back. */
  protected release(): void {}

  private async open(atSeconds: number, signal: AbortSignal): Promise<void> {
    const { element } = this;
    this.ready = false;
    this.known = atSeconds;
    this.stopEnding();
    element.load();
    await this.until("loadedmetadata", signal);
    if (atSeconds > 0 && this.reaches(atSeconds)) {
      element.currentTime = atSeconds;
      await this.until("seeked", signal);
    }
    await this.canPlay(signal);
    this.begins(0);
    this.known = null;
    this.ready = true;
    this.fresh = true;
    this.idleSinceMs = performance.now();
  }

  /** What waits since it was opened or paused, where that would begin late. */
  private async openAgain(signal: AbortSignal): Promise<void> {
    if (this.idleMs > FRESH_MS_MAX && this.quirks.startsLate)
      await this.open(this.position, signal);
  }

  /** Where a seek goes astray: paused and opened there, then it plays on. */
  private async seekAnew(seconds: number, signal: AbortSignal): Promise<void> {
    // Before its pause: that comes from here.
    this.ready = false;
    this.element.pause();
    await this.open(seconds, signal);
    if (this.asked) await this.begin(signal);
  }

  /** Plays; what does not begin is opened again, a few times. */
  private async begin(signal: AbortSignal, tries = BEGINNINGS_MAX): Promise<void> {
    // Paused meanwhile.
    if (!this.asked) throw new Superseded();
    const { element, idleMs, fresh } = this;
    const from = element.currentTime;
    const askedMs = performance.now();
    this.idleSinceMs = null;
    this.fresh = false;
    this.hesitated = false;
    this.known = null;
    await element.play().catch((error: unknown) => {
      this.asked = this.asked && !element.paused;
      throw translated(error);
    });
    if (signal.aborted) throw new Superseded();
    if (this.quirks.startsLate === false || !(fresh || idleMs > FRESH_MS_MAX)) return;
    const ahead = await this.watchBeginning(from, askedMs, idleMs, signal);
    if (ahead !== null && fresh) this.begins(ahead, from);
    if (ahead === 0 || (ahead !== null && (await this.goesOn(signal)))) return;
    if (tries === 1) throw new Unplayable("it does not begin");
    await this.open(from, signal);
    await this.begin(signal, tries - 1);
  }

  /** One that waited for its data as it began may stand still although that has come. */
  private async goesOn(signal: AbortSignal): Promise<boolean> {
    const { element } = this;
    const from = element.currentTime;
    const latestMs = performance.now() + GOING_ON_MS_MAX;
    while (performance.now() < latestMs) {
      const enough = this.hesitated ? HESITATED_SECONDS : GOING_ON_SECONDS;
      if (element.currentTime - from > enough || element.ended) return true;
      await this.look(signal);
    }
    return false;
  }

  private async look(signal: AbortSignal): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (signal.aborted || !this.asked) throw new Superseded();
  }

  /** Seconds by which its place runs ahead of what is heard; null: it has to be opened again. */
  private async watchBeginning(
    from: number,
    askedMs: number,
    idleMs: number,
    signal: AbortSignal,
  ): Promise<number | null> {
    const { element, quirks, output } = this;
    for (let passedMs = 0; passedMs < BEGINNING_MS_MAX; passedMs = performance.now() - askedMs) {
      const ahead = quirks.judge({ output, idleMs, passedMs, moved: element.currentTime - from });
      if (ahead !== undefined) return ahead;
      await this.look(signal);
    }
    const waits = this.starved || element.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    return waits ? 0 : quirks.judgeStill(idleMs);
  }

  /** From now on the place that it tells is so far ahead of what is heard. */
  private begins(ahead: number, at = 0): void {
    this.ahead = ahead;
    this.begunAt = at;
    this.release();
  }

  private get idleMs(): number {
    return this.idleSinceMs === null ? 0 : performance.now() - this.idleSinceMs;
  }

  /** Seconds between the place that it tells and what is heard. */
  private get behind(): number {
    return this.ahead + this.held;
  }

  /** It is not to play any more. */
  private rest(): void {
    if (this.endedMs !== null) this.known = this.position;
    this.stopEnding();
    this.asked = false;
    this.starved = false;
    this.idleSinceMs ??= performance.now();
  }

  /** What is behind sounds on after the end of the file. */
  private end(): void {
    if (!this.ready) return;
    if (this.behind === 0) return this.over("ended");
    this.stopEnding();
    this.endedMs = performance.now();
    this.ending = setTimeout(() => this.over("ended"), this.behind * 1000);
  }

  private stopEnding(): void {
    clearTimeout(this.ending);
    this.endedMs = null;
  }

  private on(event: string, then: () => void): void {
    this.element.addEventListener(event, then, { signal: this.subscriptions.signal });
  }

  /** Resolves at the event. Rejects with Unplayable, or Superseded when it no longer matters. */
  private until(event: string, signal: AbortSignal): Promise<void> {
    const { element } = this;
    const heard = new AbortController();
    return new Promise<void>((resolve, reject) => {
      const options = { signal: heard.signal };
      signal.addEventListener("abort", () => reject(new Superseded()), options);
      element.addEventListener("error", () => reject(new Unplayable(troubleOf(element))), options);
      element.addEventListener(event, () => resolve(), options);
      if (signal.aborted) reject(new Superseded());
    }).finally(() => heard.abort());
  }

  private async canPlay(signal: AbortSignal): Promise<void> {
    if (this.element.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) return;
    await this.until("canplay", signal);
  }

  /** Whether one may go there: the beginning, where the file ends before or cannot be sought. */
  private reaches(seconds: number): boolean {
    const { seekable } = this.element;
    const last = seekable.length > 0 ? seekable.end(seekable.length - 1) : 0;
    return seconds < last - ROUNDING_SECONDS;
  }

  private get lengthSettled(): boolean {
    return performance.now() - this.lengthKnownMs >= LENGTH_SETTLED_MS;
  }

  private starve(): void {
    const { element } = this;
    const atLast = element.currentTime >= element.duration - ROUNDING_SECONDS;
    const atEnd = element.ended || (atLast && this.lengthSettled);
    if (!this.asked || !this.ready || element.seeking || atEnd) return;
    this.starved = true;
    this.tell("stalled");
  }

  private flow(): void {
    if (!this.starved) return;
    this.starved = false;
    this.tell("flowing");
  }

  /** A pause that nobody here asked for comes from outside. */
  private pausedByWhom(): void {
    const { ended, error, paused } = this.element;
    if (!this.asked || !this.ready || !paused || ended || error) return;
    this.rest();
    this.tell("interrupted");
  }

  private over(how: "ended" | "lost"): void {
    if (!this.ready) return;
    this.rest();
    this.tell(how);
  }

  private tell(event: DeckEvent): void {
    attemptAll(...[...this.listeners].map((listener) => () => listener(event)));
  }
}

function translated(error: unknown): Error {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return new GestureNeeded();
  if (name === "AbortError") return new Superseded();
  return new Unplayable(String(error));
}

function troubleOf({ error }: HTMLMediaElement): string {
  return error?.message ?? "unknown";
}
