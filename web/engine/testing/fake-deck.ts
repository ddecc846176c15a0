/** A deck that plays nothing, in fake time, as a browser's would. */

import {
  type Deck,
  type DeckEvent,
  type DeckOutput,
  GestureNeeded,
  Superseded,
  Unplayable,
} from "../deck";
import { type Fade, type FadeShape, hold, levelAt } from "../playback/curves";
import type { Range } from "../snapshot";
import type { FakeClock } from "./fake-clock";
import type { FakeFile, FakeMedia } from "./fake-media";

const OPENS_SECONDS = 0.2;
const SEEKS_SECONDS = 0.08;
const STARTS_SECONDS = 0.03;

export interface FakeDeckOptions {
  readonly output: DeckOutput;
  readonly fades?: boolean;
}

export class FakeDeck implements Deck {
  readonly output: DeckOutput;
  readonly fades: boolean;
  url: string | null = null;
  /** The browser refuses to play without a tap. */
  locked = false;
  /** Peaks are kept under -1 dBTP. */
  limited = false;
  readonly latency = 0;
  readonly beginSeconds = 0;
  private asked = false;
  private runningSince: number | null = null;
  private base = 0;
  private fading: Fade = hold(0);
  private operation = 0;
  private cancelLimit = () => {};
  private unwatchFile = () => {};
  private readonly listeners = new Set<(event: DeckEvent) => void>();

  constructor(
    private readonly clock: FakeClock,
    private readonly media: FakeMedia,
    { output, fades = true }: FakeDeckOptions,
  ) {
    this.output = output;
    this.fades = fades;
  }

  get position(): number {
    if (this.runningSince === null) return this.base;
    return Math.min(this.base + this.clock.now() - this.runningSince, this.last);
  }

  get duration(): number | null {
    const file = this.file;
    if (!file) return null;
    return file.live && this.arrived < file.durationSeconds ? null : file.durationSeconds;
  }

  get whole(): boolean {
    return this.file !== undefined && this.arrived >= this.file.durationSeconds;
  }

  get buffered(): Range {
    return { fromSeconds: 0, toSeconds: Math.max(this.arrived, 0) };
  }

  get level(): number {
    return levelAt(this.fading, this.clock.now());
  }

  get playing(): boolean {
    return this.asked;
  }

  /** Whether anybody could hear it. */
  get audible(): boolean {
    return this.runningSince !== null && this.level > 0;
  }

  async load(url: string, atSeconds: number): Promise<void> {
    this.unload();
    this.url = url;
    const operation = this.operation;
    await this.sleep(this.media.find(url)?.opensInSeconds ?? OPENS_SECONDS);
    this.expect(operation);
    const file = this.file;
    const refused = this.output === "graph" && file?.cors === false;
    if (!file || refused) throw new Unplayable(url);
    this.unwatchFile = this.media.watch(url, () => this.fileChanged());
    const reachable = file.live ? this.arrived : file.durationSeconds;
    this.base = atSeconds < reachable ? atSeconds : 0;
  }

  async play(): Promise<void> {
    if (this.locked) throw new GestureNeeded();
    if (!this.file) throw new Unplayable(this.url ?? "nothing");
    if (this.asked) return;
    this.asked = true;
    const operation = this.operation;
    await this.sleep(this.file.startsInSeconds ?? STARTS_SECONDS);
    this.expect(operation);
    if (!this.file) throw new Unplayable(this.url ?? "nothing");
    this.base = Math.max(this.base - (this.file.startsBehindSeconds ?? 0), 0);
    if (this.asked) this.run();
  }

  pause(): void {
    this.halt();
    this.asked = false;
  }

  async seek(seconds: number): Promise<void> {
    this.halt();
    const operation = ++this.operation;
    await this.sleep(this.file?.seeksInSeconds ?? SEEKS_SECONDS);
    this.expect(operation);
    if (!this.file) throw new Unplayable(this.url ?? "nothing");
    this.base = Math.min(Math.max(seconds, 0), this.arrived);
    if (this.asked) this.run();
  }

  async nudge(seconds: number): Promise<void> {
    const operation = this.operation;
    await this.sleep(Math.abs(seconds) * 2);
    this.expect(operation);
    const running = this.runningSince !== null;
    this.halt();
    this.base += seconds;
    if (running) this.run();
  }

  fade(level: number, seconds: number, shape: FadeShape, afterSeconds = 0): void {
    const startSeconds = this.clock.now() + afterSeconds;
    const from = this.level;
    this.fading = this.fades ? { from, to: level, startSeconds, seconds, shape } : hold(level);
  }

  limit(on: boolean): void {
    this.limited = on;
  }

  recentSamples(): null {
    return null;
  }

  unload(): void {
    this.operation += 1;
    this.halt();
    this.unwatchFile();
    this.unwatchFile = () => {};
    this.asked = false;
    this.limited = false;
    this.url = null;
    this.base = 0;
    this.fading = hold(0);
  }

  cut(emptied: boolean): void {
    this.fading = hold(0);
    if (emptied) this.unload();
    else this.pause();
  }

  watch(listener: (event: DeckEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The output it belonged to is gone. */
  lose(): void {
    this.unload();
    this.tell("lost");
  }

  /** A call comes in, headphones are pulled out. */
  interrupt(): void {
    if (!this.asked) return;
    this.pause();
    this.tell("interrupted");
  }

  private get file(): FakeFile | undefined {
    return this.url === null ? undefined : this.media.find(this.url);
  }

  private get arrived(): number {
    const file = this.file;
    return file ? Math.min(file.arrivedSeconds ?? Infinity, file.durationSeconds) : this.base;
  }

  private get last(): number {
    return Math.max(Math.min(this.arrived, this.file?.standsAtSeconds ?? Infinity), this.base);
  }

  private run(): void {
    this.halt();
    this.runningSince = this.clock.now();
    this.cancelLimit = this.clock.after(this.last - this.base, () => this.reachLimit());
  }

  private halt(): void {
    this.base = this.position;
    this.runningSince = null;
    this.cancelLimit();
  }

  private reachLimit(): void {
    this.halt();
    // As browsers do at times: it says that it plays, and it does not.
    if (this.base >= (this.file?.standsAtSeconds ?? Infinity)) return;
    const ended = this.file !== undefined && this.base > this.file.durationSeconds - 1e-6;
    if (ended) this.asked = false;
    this.tell(ended ? "ended" : "stalled");
  }

  private fileChanged(): void {
    const wasRunning = this.runningSince !== null;
    this.halt();
    if (!this.file) {
      this.asked = false;
      this.tell("lost");
    } else if (this.asked) {
      this.run();
      if (!wasRunning && this.arrived > this.base) this.tell("flowing");
    }
  }

  private sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(seconds, resolve);
    });
  }

  private expect(operation: number): void {
    if (operation !== this.operation) throw new Superseded();
  }

  private tell(event: DeckEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }
}
