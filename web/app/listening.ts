/** One journey in hand, from the tap to the end: session, run, player, and what was kept. */

import type { Clock, Place, Player, Snapshot } from "../engine";
import type { Backend } from "../supabase/backend";
import type { PastRun, SudsMoment, Wish } from "../supabase/runs";
import { Trouble } from "../supabase/trouble";
import type { ListeningView, Said } from "./listening-view";
import { LongWait } from "./long-wait";
import { RatingBook, type Ratings } from "./ratings";
import type { Resume } from "./resume";
import { type Step, stageOf } from "./stage";
import type { TabLock } from "./tab-lock";
import { Work } from "./work";

export interface ListeningParts {
  readonly player: Player;
  readonly backend: Promise<Backend>;
  readonly resume: Resume;
  readonly tab: TabLock;
  readonly clock: Clock;
  readonly changed: () => void;
}

/** A place is kept once a second. */
const SAME_PLACE_S = 2;

/** A journey is in hand, and this tab has its sound. */
const WITH_SOUND: ReadonlySet<Step> = new Set([
  "kept",
  "opening",
  "form",
  "writing",
  "following",
  "trouble",
]);

interface Hand {
  readonly wish: Wish;
  readonly runId: string | null;
  readonly brief: string | null;
  readonly keptAt: number | null;
}

export class Listening {
  private step: Step = "none";
  private hand: Hand | null = null;
  private said: Said | null = null;
  private keptSecond = -1;
  private unsubscribe = () => {};
  private readonly work: Work;
  private readonly ratings: RatingBook;
  private readonly wait: LongWait;

  constructor(private readonly parts: ListeningParts) {
    const { backend, clock, changed } = parts;
    this.work = new Work({ clock, changed, failed: (error) => this.say(error) });
    this.ratings = new RatingBook(backend, changed);
    this.wait = new LongWait(clock, changed);
  }

  start(): void {
    this.unsubscribe = this.parts.player.subscribe((sound) => this.heard(sound));
    this.restore();
  }

  stop(): void {
    this.unsubscribe();
    this.wait.stop();
    this.work.end();
  }

  view(): ListeningView {
    const sound = this.parts.player.snapshot();
    return {
      stage: stageOf(this.step, sound, { troubled: this.said !== null, long: this.wait.long }),
      presetKey: this.hand?.wish.presetKey ?? "",
      brief: this.hand?.brief ?? null,
      sound,
      long: this.wait.long,
      hiccup: this.work.hiccup,
      trouble: this.said,
      ratings: this.ratings.given,
      ratingFailed: this.ratings.failed,
      rateable: this.hand !== null && this.hand.runId !== null,
      keptAt: this.hand?.keptAt ?? null,
    };
  }

  /** In the tap. Everything after it happens by itself. */
  begin(wish: Wish, ratings: Ratings = {}): void {
    this.take({ wish, runId: null, brief: null, keptAt: null }, ratings);
    this.parts.player.start();
    this.work.begin(() => this.open());
  }

  /** In the tap: a past run, from its beginning. `compose` also has its missing pieces made. */
  replay(run: PastRun, compose: boolean): void {
    const wish = { presetKey: run.presetKey, idempotencyKey: run.id };
    const { id: runId, brief, sudsStart } = run;
    this.take(
      { wish, runId, brief, keptAt: null },
      sudsStart === null ? {} : { suds_start: sudsStart },
    );
    this.ratings.bind(runId, false);
    this.parts.player.start(runId);
    this.work.begin(() => this.follow(runId, compose));
  }

  /** In the tap: what was paused, kept over a reload, or sounds in another tab. */
  resume(): void {
    const { hand, step } = this;
    if (hand && (step === "kept" || step === "elsewhere")) this.takeUp(hand, step === "elsewhere");
    else {
      this.parts.tab.take();
      this.parts.player.resume();
    }
  }

  /** The form was filled in. */
  signedIn(): void {
    if (this.step === "form") this.work.begin(() => this.create());
  }

  /** In the tap, after a trouble: the same wish, or the same run from where one is. */
  tryAgain(): void {
    if (!this.hand) return;
    const { runId } = this.hand;
    const { player, tab } = this.parts;
    const { place } = player.snapshot();
    this.said = null;
    tab.take();
    if (runId && place) {
      player.attach(runId, place);
      player.resume();
    } else player.start(runId ?? undefined);
    this.work.begin(() => (runId ? this.follow(runId, true) : this.open()));
  }

  /** Silence at once; whatever was under way is let go. */
  end(): void {
    this.parts.player.stop();
    this.work.end();
    this.letGo("stopped");
  }

  /** Leaves the end, or what was kept, behind: nothing of a journey remains. */
  leave(): void {
    this.parts.player.stop();
    this.work.end();
    this.hand = null;
    this.letGo("none");
  }

  rate(moment: SudsMoment, value: number): void {
    if (!this.hand) return;
    this.ratings.rate(moment, value);
    if (WITH_SOUND.has(this.step)) this.keep();
  }

  /** The sound went to another tab. */
  lost(): void {
    if (!WITH_SOUND.has(this.step)) return;
    this.parts.player.pause();
    // A wish without an answer is asked again, with the same key, when the sound comes back.
    if (!this.hand?.runId) this.work.end();
    this.turn("elsewhere");
  }

  /** The run in hand can no longer be read. */
  troubled(trouble: Trouble): void {
    if (this.step !== "following" && this.step !== "kept") return;
    this.say(trouble);
    if (!this.parts.player.snapshot().run) this.turn("trouble");
  }

  private restore(): void {
    const kept = this.parts.resume.read();
    if (!kept) return;
    const { wish, runId, brief, place, ratings } = kept;
    this.hand = { wish, runId, brief, keptAt: place?.journeySeconds ?? null };
    this.ratings.open(ratings);
    this.turn("kept");
    void this.lookElsewhere();
    if (!runId) return;
    this.ratings.bind(runId, false);
    this.parts.player.attach(runId, place ?? undefined);
  }

  private takeUp({ wish, runId }: Hand, elsewhere: boolean): void {
    const { player, tab, resume } = this.parts;
    if (!runId) return this.begin(wish, this.ratings.given);
    tab.take();
    this.said = null;
    const kept = elsewhere ? resume.read() : null;
    if (kept?.runId === runId && kept.place && isElsewhere(kept.place, player.snapshot().place)) {
      player.attach(runId, kept.place);
    }
    this.turn("following");
    if (player.snapshot().state === "paused") player.resume();
    else player.start(runId);
  }

  /** The very journey may be sounding in another tab. */
  private async lookElsewhere(): Promise<void> {
    const elsewhere = await this.parts.tab.elsewhere();
    if (elsewhere && this.step === "kept") this.turn("elsewhere");
  }

  private take(hand: Hand, ratings: Ratings): void {
    this.hand = hand;
    this.ratings.open(ratings);
    this.said = null;
    this.keptSecond = -1;
    this.parts.tab.take();
    this.turn("opening");
  }

  private async open(renewed = false): Promise<void> {
    this.turn("opening");
    const { session } = await this.parts.backend;
    if ((await this.work.insist(() => session.open())) === "form") return this.turn("form");
    try {
      await this.create();
    } catch (error) {
      // A session that the project refuses is worth one renewal, not two.
      if (renewed || !(error instanceof Trouble) || error.kind !== "signed-out") throw error;
      await this.work.insist(() => session.renew());
      await this.open(true);
    }
  }

  private async create(): Promise<void> {
    this.turn("writing");
    const hand = this.hand;
    if (!hand) return;
    this.keep();
    const { runs } = await this.parts.backend;
    const { runId, brief } = await this.work.insist(() => runs.create(hand.wish));
    this.hand = { ...hand, runId, brief };
    this.ratings.bind(runId, true);
    await this.follow(runId, true);
  }

  private async follow(runId: string, compose: boolean): Promise<void> {
    const { runs } = await this.parts.backend;
    this.work.goOn();
    this.parts.player.attach(runId);
    this.turn("following");
    this.keep();
    if (compose) await this.work.insist(() => runs.compose(runId));
  }

  private say(error: unknown): void {
    const trouble = error instanceof Trouble ? error : new Trouble("busy");
    const seconds = trouble.retryAfterSeconds;
    this.said = {
      kind: trouble.kind,
      until: seconds === null ? null : new Date(Date.now() + seconds * 1000),
    };
    this.work.end();
    // What is there of a run goes on being heard (stageOf).
    this.turn(this.step === "following" ? "following" : "trouble");
  }

  private heard(sound: Snapshot): void {
    if (sound.state === "finished" && this.step === "following") this.letGo("finished");
    if (sound.place && this.step === "following") this.keepSecond(sound.place.journeySeconds);
    this.wait.follow(sound.waitingSince);
    this.changed();
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
    this.parts.resume.keep({
      wish,
      runId,
      brief,
      ratings: this.ratings.given,
      place: place?.runId === runId ? place : null,
    });
  }

  private letGo(step: Step): void {
    this.parts.resume.forget();
    this.parts.tab.stop();
    this.turn(step);
  }

  private turn(step: Step): void {
    this.step = step;
    this.changed();
  }

  private changed(): void {
    this.parts.changed();
  }
}

/** The other tab has gone on with the same run, or back. */
function isElsewhere(there: Place, here: Place | null): boolean {
  return Math.abs(there.journeySeconds - (here?.journeySeconds ?? 0)) > SAME_PLACE_S;
}
