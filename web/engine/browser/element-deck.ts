/** What both real decks share: one audio element, its events as promises. */

import { attemptAll } from "../attempt-all";
import type { FadeShape } from "../curves";
import { type Deck, type DeckEvent, Superseded, TapNeeded, Unplayable, type Way } from "../deck";
import type { Samples } from "../lag";
import type { Range } from "../snapshot";
import { beginsLate } from "./platform";

/** Half as fast again, while nobody hears it. */
const NUDGE_RATE = 0.25;
/** An element's times are rounded. */
const ROUNDING_SECONDS = 0.1;
/** Bytes are counted in blocks: a file is all there when so little is missing. */
const NEARLY_SECONDS = 0.5;
/** Opened longer ago, and a browser that begins late is given it again. */
const FRESH_MS_MAX = 100;
/** WebKit's length of a stream grows with what has been decoded: one that lasts is believed. */
const LENGTH_SETTLED_MS = 2000;

export abstract class ElementDeck implements Deck {
  abstract readonly way: Way;
  abstract readonly fades: boolean;
  abstract readonly level: number;
  abstract readonly latency: number;
  protected readonly element = new Audio();
  /** Ends what waits for this file, or for this place in it. */
  private file = new AbortController();
  private place = new AbortController();
  private ear = new AbortController();
  private asked = false;
  private ready = false;
  private starved = false;
  private seenAt = 0;
  /** Since when it has been open without having played. */
  private openedMs: number | null = null;
  private lengthKnownMs = 0;
  private readonly listeners = new Set<(event: DeckEvent) => void>();

  abstract hear(): Samples | null;
  abstract fade(level: number, seconds: number, shape: FadeShape): void;
  abstract limit(on: boolean): void;
  /** Silent without a fade. */
  protected abstract mute(): void;

  start(): void {
    const { element } = this;
    element.preload = "auto";
    element.preservesPitch = false;
    this.on("waiting", () => this.starve());
    this.on("playing", () => this.flow());
    this.on("pause", () => this.pausedByWhom());
    this.on("ended", () => this.over("ended"));
    this.on("error", () => this.over("lost"));
    this.on("durationchange", () => {
      this.lengthKnownMs = performance.now();
    });
  }

  stop(): void {
    this.unload();
    this.ear.abort();
    this.ear = new AbortController();
  }

  get position(): number {
    return this.element.currentTime;
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
    // Paused meanwhile.
    if (!this.asked) throw new Superseded();
    this.openedMs = null;
    await this.element.play().catch((error: unknown) => {
      this.asked = this.asked && !this.element.paused;
      throw translated(error);
    });
    if (signal.aborted) throw new Superseded();
  }

  pause(): void {
    this.asked = false;
    this.starved = false;
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
    this.asked = false;
    this.starved = false;
    const { element } = this;
    const silent = [() => this.mute(), () => element.pause()];
    if (!emptied) return attemptAll(...silent);
    this.ready = false;
    attemptAll(
      ...silent,
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

  private async open(atSeconds: number, signal: AbortSignal): Promise<void> {
    const { element } = this;
    this.ready = false;
    element.load();
    await this.until("loadedmetadata", signal);
    if (atSeconds > 0 && this.reaches(atSeconds)) {
      element.currentTime = atSeconds;
      await this.until("seeked", signal);
    }
    await this.canPlay(signal);
    this.ready = true;
    this.openedMs = performance.now();
  }

  /** What waits since it was opened, where that would begin late. */
  private async openAgain(signal: AbortSignal): Promise<void> {
    const waited = this.openedMs === null ? 0 : performance.now() - this.openedMs;
    if (waited > FRESH_MS_MAX && beginsLate()) await this.open(this.element.currentTime, signal);
  }

  private on(event: string, then: () => void): void {
    this.element.addEventListener(event, then, { signal: this.ear.signal });
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
    if (!this.asked || !paused || ended || error) return;
    this.asked = false;
    this.tell("interrupted");
  }

  private over(how: "ended" | "lost"): void {
    if (!this.ready) return;
    this.asked = false;
    this.starved = false;
    this.tell(how);
  }

  private tell(event: DeckEvent): void {
    attemptAll(...[...this.listeners].map((listener) => () => listener(event)));
  }
}

function translated(error: unknown): Error {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return new TapNeeded();
  if (name === "AbortError") return new Superseded();
  return new Unplayable(String(error));
}

function troubleOf({ error }: HTMLMediaElement): string {
  return error?.message ?? "unknown";
}
