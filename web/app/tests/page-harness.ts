/** Test harness: a journey controller with the real player in fake time and a fake backend. */

import {
  createPlayer,
  type Feed,
  type FeedListener,
  type ReservePiece,
  type Run,
  type Segment,
} from "../../engine";
import { FakeDecks } from "../../engine/testing/fake-decks";
import { FakeMedia } from "../../engine/testing/fake-media";
import { newClock } from "../../engine/tests/clock";
import type { Backend } from "../../supabase/backend";
import type { Created, RunRequest, SudsMoment } from "../../supabase/runs";
import { TabLock } from "../browser/tab-lock";
import { JourneyController } from "../journey/journey-controller";
import { SavedJourneyStore } from "../journey/saved-journey";
import { MemoryStore } from "./memory-store";

const PIECES = 4;
const SECONDS = 300;

export class PageHarness {
  readonly clock = newClock();
  readonly media = new FakeMedia();
  readonly decks = new FakeDecks(this.clock, this.media);
  readonly requests: RunRequest[] = [];
  readonly composed: string[] = [];
  /** What the runner and the cancellation were asked for, in order. */
  readonly asked: string[] = [];
  /** Presets whose ready pieces were asked for. */
  readonly reserved: string[] = [];
  readonly rated: [string, SudsMoment, number][] = [];
  /** What each call answers; tests put others in their place. */
  open = async (): Promise<"open" | "form"> => "open";
  create = async (): Promise<Created> => ({
    runId: "run",
    brief: { fr: "Posez-vous.", en: "Settle down." },
  });
  compose = async () => {};
  cancel = async () => {};
  rate = async () => {};
  findReserve = async (): Promise<readonly ReservePiece[]> => [];
  renewed = 0;
  changed = () => {};
  /** Mistakes of the page itself. */
  readonly mistakes: unknown[] = [];
  listener: FeedListener | null = null;
  readonly player = createPlayer({
    clock: this.clock,
    decks: this.decks,
    feed: this.feed(),
    sign: async (id) => `https://store.example/${id}.mp3?token=x`,
  });
  readonly tab = new TabLock(() => this.journey.lost(), null);
  readonly journey: JourneyController;

  constructor(readonly store = new MemoryStore()) {
    this.journey = new JourneyController({
      player: this.player,
      backend: Promise.resolve(this.backend()),
      reserve: async (presetKey) => {
        this.reserved.push(presetKey);
        return this.findReserve();
      },
      resume: new SavedJourneyStore(store),
      tab: this.tab,
      store,
      clock: this.clock,
      changed: () => {
        this.changed();
      },
      onInternalError: (error) => this.mistakes.push(error),
    });
    this.keepFiles(true);
  }

  get phase() {
    return this.journey.view().phase;
  }

  /** When composing goes on by itself, ms since 1970; null: it does not wait. */
  retryAt: number | null = null;

  /** The service tells how far each piece is. */
  tell(...states: Segment["status"][]): void {
    const segments = states.map((status, index) => segment(index, status));
    const status = runStatus(states);
    const waits = this.retryAt === null ? {} : { retryAt: this.retryAt };
    const run: Run = { id: "run", status, ...waits, segments };
    this.listener?.run(run);
  }

  /** The brief is being written until the function that this returns is called. */
  holdCreate(): () => void {
    let answer = () => {};
    this.create = () =>
      new Promise((resolve) => {
        answer = () => resolve({ runId: "run", brief: null });
      });
    return () => answer();
  }

  /** Whether the files of every piece are there. */
  keepFiles(there: boolean): void {
    const file = { durationSeconds: SECONDS };
    for (let index = 0; index < PIECES; index += 1) {
      this.media.put(`https://store.example/s${index}.mp3`, there ? file : null);
      this.media.put(`https://suno.example/s${index}`, there ? { ...file, live: true } : null);
    }
  }

  /** Ready pieces of 180 s, with their files. */
  stock(pieces: number): void {
    const stocked = Array.from({ length: pieces }, (_, i) => ({
      id: `r${i}`,
      url: `https://store.example/r${i}.mp3`,
      seconds: 180,
      loudnessLufs: -18,
    }));
    for (const { url } of stocked) this.media.put(url, { durationSeconds: 180 });
    this.findReserve = async () => stocked;
  }

  async pass(seconds: number): Promise<void> {
    await this.clock.advance(seconds);
  }

  private feed(): Feed {
    return {
      subscribe: (_runId, listener) => {
        this.listener = listener;
        return { soundStarted: () => {}, unsubscribe: () => {} };
      },
    };
  }

  private backend(): Backend {
    const session = {
      open: () => this.open(),
      renew: async () => {
        this.renewed += 1;
      },
    };
    const runs = {
      create: async (request: RunRequest) => {
        this.requests.push(request);
        return this.create();
      },
      compose: async (runId: string) => {
        this.composed.push(runId);
        this.asked.push(`compose ${runId}`);
        return this.compose();
      },
      cancel: async (runId: string) => {
        this.asked.push(`cancel ${runId}`);
        return this.cancel();
      },
      rate: async (...rating: [string, SudsMoment, number]) => {
        this.rated.push(rating);
        return this.rate();
      },
    };
    return { session, runs } as unknown as Backend;
  }
}

function segment(index: number, status: Segment["status"]): Segment {
  const heard = status === "first" || status === "complete";
  return {
    id: `s${index}`,
    index,
    status,
    title: null,
    plannedSeconds: SECONDS,
    previewUrl: heard ? `https://suno.example/s${index}` : null,
    finalUrl: null,
    storagePath: status === "complete" ? `runs/run/s${index}.mp3` : null,
    durationSeconds: status === "complete" ? SECONDS : null,
    sunoTrackId: heard ? `t${index}` : null,
    secondTrack: null,
    loudnessLufs: -18,
    truePeakDbtp: -3,
    soundEndSeconds: null,
  };
}

function runStatus(states: readonly Segment["status"][]): Run["status"] {
  if (states.every((status) => status === "complete")) return "ready";
  return states.every((status) => status === "failed") ? "failed" : "creating";
}
