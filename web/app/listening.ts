/** One journey in hand, from the tap to the end: session, run, player, and what was kept. */

import type { Cancel, Clock, Player, Snapshot } from "../engine";
import type { Backend } from "../supabase/backend";
import type { PastRun, SudsMoment, Wish } from "../supabase/runs";
import { Trouble, type TroubleKind } from "../supabase/trouble";
import { insist } from "./patience";
import type { Resume } from "./resume";
import { type Stage, type Step, stageOf } from "./stage";
import type { TabLock } from "./tab-lock";

/** Said after this long without music: it takes longer than usual. */
export const LONG_S = 45;

export type Ratings = Readonly<Partial<Record<SudsMoment, number>>>;

/** What went wrong, and until when, if that is known. */
export interface Said {
  readonly kind: TroubleKind | "failed-run";
  readonly until: Date | null;
}

/** All that the screens show of a journey. */
export interface ListeningView {
  readonly stage: Stage;
  readonly presetKey: string;
  readonly brief: string | null;
  readonly sound: Snapshot;
  /** It takes longer than usual. */
  readonly long: boolean;
  /** A trouble that is being tried again by itself. */
  readonly hiccup: TroubleKind | null;
  /** A trouble that waits for the listener. */
  readonly trouble: Said | null;
  readonly ratings: Ratings;
  readonly ratingFailed: boolean;
  /** Where it stopped before a reload, seconds of journey. */
  readonly keptAt: number | null;
}

export interface ListeningParts {
  readonly player: Player;
  readonly backend: Promise<Backend>;
  readonly resume: Resume;
  readonly tab: TabLock;
  readonly clock: Clock;
  readonly changed: () => void;
}

interface Hand {
  readonly wish: Wish;
  runId: string | null;
  brief: string | null;
  ratings: Ratings;
  keptAt: number | null;
}

export class Listening {
  private step: Step = "none";
  private hand: Hand | null = null;
  private hiccup: TroubleKind | null = null;
  private said: Said | null = null;
  private ratingFailed = false;
  private work = new AbortController();
  private keptSecond = -1;
  private waitingSince: number | null = null;
  private untime: Cancel = () => {};
  private unsubscribe = () => {};

  constructor(private readonly parts: ListeningParts) {}

  start(): void {
    this.unsubscribe = this.parts.player.subscribe((sound) => this.heard(sound));
    this.restore();
  }

  stop(): void {
    this.unsubscribe();
    this.untime();
    this.work.abort();
  }

  view(): ListeningView {
    const { player, clock } = this.parts;
    const sound = player.snapshot();
    const since = sound.waitingSince;
    return {
      stage: stageOf(this.step, sound),
      presetKey: this.hand?.wish.presetKey ?? "",
      brief: this.hand?.brief ?? null,
      sound,
      long: since !== null && clock.now() - since >= LONG_S,
      hiccup: this.hiccup,
      trouble: this.said,
      ratings: this.hand?.ratings ?? {},
      ratingFailed: this.ratingFailed,
      keptAt: this.hand?.keptAt ?? null,
    };
  }

  /** In the tap. Everything after it happens by itself. */
  begin(wish: Wish): void {
    this.take({ wish, runId: null, brief: null, ratings: {}, keptAt: null });
    this.parts.player.start();
    void this.carryOut(() => this.open());
  }

  /** In the tap: a past run, from its beginning. `compose` also has its missing pieces made. */
  replay(run: PastRun, compose: boolean): void {
    const wish = { presetKey: run.presetKey, idempotencyKey: run.id };
    const ratings: Ratings = run.sudsStart === null ? {} : { suds_start: run.sudsStart };
    this.take({ wish, runId: run.id, brief: run.brief, ratings, keptAt: null });
    this.parts.player.start();
    void this.carryOut(() => this.follow(run.id, compose));
  }

  /** In the tap: what was kept over a reload, or paused, or sounds in another tab. */
  resume(): void {
    const { player, tab } = this.parts;
    tab.take();
    if (this.step === "kept" || this.step === "elsewhere") {
      if (!this.hand?.runId) return this.hand ? this.begin(this.hand.wish) : undefined;
      const paused = player.snapshot().state === "paused";
      this.turn("following");
      if (!paused) return player.start();
    }
    player.resume();
  }

  /** The form was filled in. */
  signedIn(): void {
    if (this.step === "form") void this.carryOut(() => this.create());
  }

  /** In the tap, after a trouble: the same wish, or the same run's missing pieces. */
  tryAgain(): void {
    const hand = this.hand;
    if (!hand) return;
    this.said = null;
    this.parts.player.start();
    this.parts.tab.take();
    const { runId } = hand;
    void this.carryOut(() => (runId ? this.follow(runId, true) : this.open()));
  }

  /** Silence at once; whatever was under way is let go. */
  end(): void {
    this.parts.player.stop();
    this.work.abort();
    this.letGo("stopped");
  }

  /** Leaves the end, or what was kept, behind. */
  leave(): void {
    if (this.step === "kept" || this.step === "elsewhere") this.parts.player.stop();
    this.letGo("none");
  }

  rate(moment: SudsMoment, value: number): void {
    if (!this.hand) return;
    this.hand.ratings = { ...this.hand.ratings, [moment]: value };
    this.changed();
    void this.saveRatings({ [moment]: value });
  }

  /** The run in hand can no longer be read. */
  troubled(trouble: Trouble): void {
    if (this.step === "following" || this.step === "kept") this.say(trouble);
  }

  /** What the session's end leaves: nothing of a journey. */
  forget(): void {
    this.end();
    this.turn("none");
  }

  private restore(): void {
    const kept = this.parts.resume.read();
    if (!kept) return;
    this.hand = {
      wish: kept.wish,
      runId: kept.runId,
      brief: kept.brief,
      ratings: {},
      keptAt: kept.place?.journeySeconds ?? null,
    };
    this.turn("kept");
    if (kept.runId) this.parts.player.attach(kept.runId, kept.place ?? undefined);
    void this.lookElsewhere();
  }

  /** The very journey may be sounding in another tab. */
  private async lookElsewhere(): Promise<void> {
    const elsewhere = await this.parts.tab.elsewhere();
    if (elsewhere && this.step === "kept") this.turn("elsewhere");
  }

  private take(hand: Hand): void {
    this.work.abort();
    this.hand = hand;
    this.said = null;
    this.hiccup = null;
    this.keptSecond = -1;
    this.parts.tab.take();
    this.turn("opening");
  }

  private async open(signedOutOnce = false): Promise<void> {
    this.turn("opening");
    const { session } = await this.parts.backend;
    if ((await this.insist(() => session.open())) === "form") return this.turn("form");
    try {
      await this.create();
    } catch (error) {
      // A session that the project no longer knows is worth one new one, not two.
      if (signedOutOnce || !(error instanceof Trouble) || error.kind !== "signed-out") throw error;
      await session.signOut();
      await this.open(true);
    }
  }

  private async create(): Promise<void> {
    this.turn("writing");
    const hand = this.hand;
    if (!hand) return;
    this.keep();
    const { runs } = await this.parts.backend;
    const created = await this.insist(() => runs.create(hand.wish));
    hand.runId = created.runId;
    hand.brief = created.brief;
    void this.saveRatings(hand.ratings);
    await this.follow(created.runId, true);
  }

  private async follow(runId: string, compose: boolean): Promise<void> {
    const { runs } = await this.parts.backend;
    this.work.signal.throwIfAborted();
    this.parts.player.attach(runId);
    this.turn("following");
    this.keep();
    if (compose) await this.insist(() => runs.compose(runId));
  }

  /** Runs one piece of work at a time; the newest aborts the one before. */
  private async carryOut(work: () => Promise<void>): Promise<void> {
    this.work.abort();
    this.work = new AbortController();
    const { signal } = this.work;
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      this.say(error);
    }
  }

  private insist<T>(call: () => Promise<T>): Promise<T> {
    return insist(call, {
      clock: this.parts.clock,
      signal: this.work.signal,
      troubled: (trouble) => {
        this.hiccup = trouble?.kind ?? null;
        this.changed();
      },
    });
  }

  private say(error: unknown): void {
    const trouble = error instanceof Trouble ? error : new Trouble("busy");
    const seconds = trouble.retryAfterSeconds;
    this.said = {
      kind: trouble.kind,
      until: seconds === null ? null : new Date(Date.now() + seconds * 1000),
    };
    this.hiccup = null;
    this.turn("trouble");
  }

  private heard(sound: Snapshot): void {
    if (sound.state === "finished" && this.step === "following") this.letGo("finished");
    if (sound.place && this.step === "following") this.keepSecond(sound.place.journeySeconds);
    this.timeTheWait(sound.waitingSince);
    this.changed();
  }

  private timeTheWait(since: number | null): void {
    if (since === this.waitingSince) return;
    this.waitingSince = since;
    this.untime();
    const { clock, changed } = this.parts;
    if (since !== null) this.untime = clock.after(LONG_S - (clock.now() - since), changed);
  }

  private keepSecond(seconds: number): void {
    const second = Math.floor(seconds);
    if (second === this.keptSecond) return;
    this.keptSecond = second;
    this.keep();
  }

  private keep(): void {
    if (!this.hand) return;
    const { wish, runId, brief } = this.hand;
    const { place } = this.parts.player.snapshot();
    this.parts.resume.keep({ wish, runId, brief, place: place?.runId === runId ? place : null });
  }

  private letGo(step: Step): void {
    this.parts.resume.forget();
    this.parts.tab.stop();
    this.turn(step);
  }

  /** The sound went to another tab. */
  lost(): void {
    if (this.step !== "following" && this.step !== "kept") return;
    this.parts.player.pause();
    this.turn("elsewhere");
  }

  private async saveRatings(ratings: Ratings): Promise<void> {
    const runId = this.hand?.runId;
    if (!runId) return;
    const { runs } = await this.parts.backend;
    const rated = Object.entries(ratings) as [SudsMoment, number][];
    try {
      for (const [moment, value] of rated) await runs.rate(runId, moment, value);
      this.ratingFailed = false;
    } catch {
      this.ratingFailed = true;
    }
    this.changed();
  }

  private turn(step: Step): void {
    this.step = step;
    this.changed();
  }

  private changed(): void {
    this.parts.changed();
  }
}
