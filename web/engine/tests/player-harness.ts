/** Test harness: a player on fake decks, sampled all the time. */

import { createPlayer, type Player } from "../player";
import type { ReservePiece } from "../reserve";
import type { Feed, FeedListener, Run, RunStatus, Segment } from "../run";
import type { Settings } from "../settings";
import type { FakeClock } from "../testing/fake-clock";
import { FakeDecks, type FakeDecksOptions } from "../testing/fake-decks";
import { type FakeFile, FakeMedia } from "../testing/fake-media";
import { newClock } from "./clock";

/** What is softer than this counts as silence. */
const SILENT = 0.001;

export interface Sample {
  readonly at: number;
  readonly pieces: number;
  readonly bed: number;
  readonly loudest: number;
}

export interface HarnessOptions extends FakeDecksOptions {
  readonly settings?: Partial<Settings>;
  /** The first sound of the run was told to its feed. */
  readonly heard?: () => void;
}

export class PlayerHarness {
  readonly clock: FakeClock = newClock();
  readonly media = new FakeMedia();
  readonly decks: FakeDecks;
  readonly player: Player;
  readonly samples: Sample[] = [];
  /** Segments that were signed, in order. */
  readonly signed: string[] = [];
  signing: "works" | "fails" | "hangs" = "works";
  private listener: FeedListener | null = null;
  private known: Run | null = null;

  constructor({ settings, heard, ...options }: HarnessOptions = {}) {
    this.decks = new FakeDecks(this.clock, this.media, options);
    this.player = createPlayer({
      clock: this.clock,
      decks: this.decks,
      feed: this.feed(heard ?? (() => {})),
      sign: (id) => this.sign(id),
      ...(settings ? { settings } : {}),
    });
  }

  /** The service tells the run. */
  tell(segments: readonly Segment[], status: RunStatus = statusOf(segments)): void {
    this.known = { id: "run", status, segments };
    this.listener?.run(this.known);
  }

  reachable(reachable: boolean): void {
    this.listener?.reachable(reachable);
  }

  /** A run of finished pieces, told and followed. */
  async begin(segments: readonly Segment[]): Promise<void> {
    this.player.start("run");
    this.tell(segments);
    await this.pass(0.5);
  }

  /** Time passes, listened to every 50 ms. */
  async pass(seconds: number, every = 0.05): Promise<void> {
    const until = this.clock.now() + seconds;
    while (this.clock.now() < until - 1e-9) {
      await this.clock.advance(Math.min(every, until - this.clock.now()));
      this.listen();
    }
  }

  /** Until something is so; fails when it is not in time. */
  async until(so: () => boolean, seconds = 30, every = 0.05): Promise<void> {
    const latest = this.clock.now() + seconds;
    while (!so()) {
      if (this.clock.now() > latest) throw new Error(`not within ${seconds} s: ${so}`);
      await this.pass(every, every);
    }
  }

  /** Puts the files of a segment where its addresses point. */
  serve(segment: Segment, file: Partial<FakeFile> = {}): void {
    const durationSeconds = segment.durationSeconds ?? segment.plannedSeconds;
    const whole = { durationSeconds, ...file };
    if (segment.storagePath) this.media.put(stored(segment.id), whole);
    if (segment.finalUrl) this.media.put(segment.finalUrl, whole);
    if (segment.previewUrl) {
      this.media.put(segment.previewUrl, { live: true, ...whole });
    }
    const second = segment.secondTrack;
    if (second?.downloadUrl) this.media.put(second.downloadUrl, { durationSeconds: 200 });
  }

  /** Ready pieces of so many seconds each are told, and their files are there. */
  reserve(...seconds: number[]): readonly ReservePiece[] {
    const pieces = seconds.map((each, i) => ready(i, each));
    for (const { url, seconds: durationSeconds } of pieces) {
      this.media.put(url, { durationSeconds });
    }
    this.player.reserve(pieces);
    return pieces;
  }

  /** The most pieces that sounded at the same time. */
  get most(): number {
    return Math.max(0, ...this.samples.map((sample) => sample.pieces));
  }

  /** The longest time in which nothing at all was heard, between two moments. */
  silence(from = 0, to = Infinity): number {
    let longest = 0;
    let since: number | null = null;
    for (const { at, loudest } of this.samples) {
      if (at < from || at > to) continue;
      if (loudest > SILENT) since = null;
      else since ??= at;
      if (since !== null) longest = Math.max(longest, at - since);
    }
    return longest;
  }

  /** Whether the player still asks for news of a run. */
  get followed(): boolean {
    return this.listener !== null;
  }

  /** The addresses that are heard now. */
  get heard(): readonly string[] {
    return this.decks.audible.map((deck) => deck.url?.split("?")[0] ?? "");
  }

  private listen(): void {
    const audible = this.decks.audible.filter((deck) => deck.level > SILENT);
    const bed = this.decks.bed.level;
    const loudest = Math.max(bed, ...audible.map((deck) => deck.level));
    this.samples.push({ at: this.clock.now(), pieces: audible.length, bed, loudest });
  }

  private feed(soundStarted: () => void): Feed {
    return {
      subscribe: (_runId, listener) => {
        this.listener = listener;
        if (this.known) listener.run(this.known);
        return {
          soundStarted,
          unsubscribe: () => {
            if (this.listener === listener) this.listener = null;
          },
        };
      },
    };
  }

  private sign(segmentId: string): Promise<string> {
    this.signed.push(segmentId);
    if (this.signing === "hangs") return new Promise(() => {});
    if (this.signing === "fails") return Promise.reject(new Error("not signed"));
    return Promise.resolve(`${stored(segmentId)}?n=${this.signed.length}`);
  }
}

export function stored(segmentId: string): string {
  return `https://storage.test/${segmentId}.mp3`;
}

/** A piece of the reserve, composed and measured ahead of time. */
export function ready(index: number, seconds: number): ReservePiece {
  return { id: `r${index}`, url: reserved(index), seconds, loudnessLufs: -18 };
}

export function reserved(index: number): string {
  return `https://storage.test/reserve/r${index}.mp3`;
}

const WAITING: Segment = {
  id: "",
  index: 0,
  status: "queued",
  title: null,
  plannedSeconds: 300,
  previewUrl: null,
  finalUrl: null,
  storagePath: null,
  durationSeconds: null,
  sunoTrackId: null,
  secondTrack: null,
  loudnessLufs: null,
  truePeakDbtp: null,
  soundEndSeconds: null,
};

export function queued(index: number, more: Partial<Segment> = {}): Segment {
  return { ...WAITING, id: `s${index}`, index, ...more };
}

export function previewed(index: number, more: Partial<Segment> = {}): Segment {
  const previewUrl = `https://stream.test/s${index}.mp3`;
  return queued(index, { status: "first", previewUrl, sunoTrackId: `t${index}`, ...more });
}

export function complete(index: number, more: Partial<Segment> = {}): Segment {
  return previewed(index, {
    status: "complete",
    storagePath: `runs/run/s${index}.mp3`,
    durationSeconds: 300,
    loudnessLufs: -18,
    truePeakDbtp: -6,
    secondTrack: {
      id: `u${index}`,
      streamUrl: null,
      downloadUrl: `https://second.test/s${index}.mp3`,
    },
    ...more,
  });
}

export function failed(index: number, more: Partial<Segment> = {}): Segment {
  return queued(index, { status: "failed", ...more });
}

function statusOf(segments: readonly Segment[]): RunStatus {
  if (segments.every((segment) => segment.status === "complete")) return "ready";
  const over = segments.every(({ status }) => status === "complete" || status === "failed");
  return over ? "failed" : "creating";
}
