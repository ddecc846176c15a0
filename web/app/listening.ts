/** One journey in hand, from the tap to the end: session, run, player, and what was kept. */

import type { Clock, Place, Player, Snapshot } from "../engine";
import type { Backend } from "../supabase/backend";
import type { Brief, Created, PastRun, Runs, SudsMoment, Wish } from "../supabase/runs";
import type { Session } from "../supabase/session";
import { asTrouble, Trouble, type TroubleKind } from "../supabase/trouble";
import { Composition } from "./composition";
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
  /** Told of mistakes of the page itself. */
  readonly mistaken: (error: unknown) => void;
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

/** Troubles with which there is nothing to go on with. */
const OVER: ReadonlySet<TroubleKind> = new Set(["gone", "quota"]);

interface Hand {
  readonly wish: Wish;
  readonly runId: string | null;
  readonly brief: Brief | null;
  readonly keptAt: number | null;
}

export class Listening {
  private step: Step = "none";
  private hand: Hand | null = null;
  private said: Said | null = null;
  private keptSecond = -1;
  /** Where the run in hand was last heard; the player forgets it at Stop. */
  private place: Place | null = null;
  private unsubscribe = () => {};
  private readonly work: Work;
  private readonly ratings: RatingBook;
  private readonly wait: LongWait;
  private readonly composition: Composition;

  constructor(private readonly parts: ListeningParts) {
    const { backend, clock, changed, mistaken } = parts;
    this.work = new Work({ clock, changed, failed: (error) => this.say(error) });
    this.ratings = new RatingBook(backend, changed, mistaken);
    this.wait = new LongWait(clock, changed);
    this.composition = new Composition({ backend, clock, mistaken });
  }

  start(): void {
    this.unsubscribe = this.parts.player.subscribe((sound) => this.heard(sound));
    this.restore();
  }

  stop(): void {
    this.unsubscribe();
    this.wait.stop();
    this.work.end();
    this.composition.stop();
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
      canTakeBack: this.canTakeBack,
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
    if (compose && run.status !== "creating") {
      this.parts.player.start();
      this.work.begin(() => this.composeFirst(runId));
    } else {
      this.parts.player.start(runId);
      this.work.begin(() => this.follow(runId, compose));
    }
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

  /** In the tap, while the page waits to be let in: with an account instead. */
  useAccount(): void {
    if (this.step !== "opening") return;
    this.work.end();
    this.turn("form");
  }

  /** The form was filled in. */
  signedIn(): void {
    if (this.step === "form") this.work.begin(() => this.create());
  }

  /** In the tap, after a trouble: the same wish, or the same run from where one is. */
  tryAgain(): void {
    if (this.hand) this.goOn(this.hand);
  }

  /** Silence at once; whatever was under way is let go, and nothing more is bought for it. */
  end(): void {
    this.parts.player.stop();
    this.work.end();
    this.giveUp();
    this.letGo("stopped");
  }

  /** In the tap: Stop is taken back, from where it was. */
  takeBack(): void {
    if (!this.hand || !this.canTakeBack) return;
    if (!this.hand.runId) return this.begin(this.hand.wish, this.ratings.given);
    this.goOn(this.hand);
    this.turn("following");
  }

  /** Leaves the end, or what was kept, behind: nothing of a journey remains. */
  leave(): void {
    this.parts.player.stop();
    this.work.end();
    this.giveUp();
    this.hand = null;
    this.letGo("none");
  }

  /** What was asked of the service has been answered. */
  settled(): Promise<void> {
    return this.composition.settled();
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
    this.place = place;
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
    // It may have been cancelled meanwhile, or never put in hand before the reload.
    if (player.snapshot().run?.status !== "ready") this.work.begin(() => this.follow(runId, true));
  }

  /** In the tap: from the place where it was last heard, or from the beginning. */
  private goOn({ runId }: Hand): void {
    const { player, tab } = this.parts;
    const { place } = this;
    this.said = null;
    tab.take();
    if (runId && place) {
      player.attach(runId, place);
      player.resume();
      this.work.begin(() => this.follow(runId, true));
    } else {
      player.start();
      this.work.begin(() => (runId ? this.composeFirst(runId) : this.open()));
    }
  }

  private get canTakeBack(): boolean {
    const over = this.said !== null && OVER.has(this.said.kind);
    return this.step === "stopped" && this.hand !== null && !over;
  }

  /** Nothing more is bought, if anything would be. `make` sees to a run that is not known yet. */
  private giveUp(): void {
    const { run } = this.parts.player.snapshot();
    const runId = this.hand?.runId;
    if (!runId || !WITH_SOUND.has(this.step)) return;
    const isOver = run?.id === runId && run.status !== "creating";
    if (!isOver) this.composition.cancel(runId);
  }

  /** The very journey may be sounding in another tab. */
  private async lookElsewhere(): Promise<void> {
    const elsewhere = await this.parts.tab.elsewhere();
    if (elsewhere && this.step === "kept") this.turn("elsewhere");
  }

  private take(hand: Hand, ratings: Ratings): void {
    // Another journey in the place of one under way: nothing more is bought for that one.
    if (hand.runId === null || hand.runId !== this.hand?.runId) this.giveUp();
    this.hand = hand;
    this.place = null;
    this.ratings.open(ratings);
    this.said = null;
    this.keptSecond = -1;
    this.parts.tab.take();
    this.turn("opening");
  }

  private async open(renewed = false): Promise<void> {
    this.turn("opening");
    const { session } = await this.parts.backend;
    if ((await this.letIn(session)) === "form") return this.turn("form");
    try {
      await this.create();
    } catch (error) {
      // A session that the project refuses is worth one renewal, not two.
      if (renewed || !(error instanceof Trouble) || error.kind !== "signed-out") throw error;
      await this.work.insist(() => session.renew());
      await this.open(true);
    }
  }

  /** Where nobody more is let in without a name, an account is the way that is left. */
  private async letIn(session: Session): Promise<"open" | "form"> {
    try {
      return await this.work.insist(() => session.open());
    } catch (error) {
      if (error instanceof Trouble && error.kind === "crowded") return "form";
      throw error;
    }
  }

  private async create(): Promise<void> {
    this.turn("writing");
    const hand = this.hand;
    if (!hand) return;
    this.keep();
    const { runs } = await this.parts.backend;
    const { runId } = await this.work.insist(() => this.make(runs, hand.wish));
    await this.follow(runId, true);
  }

  /** The answer may come after Stop: the run is known then too, and nothing is bought for it. */
  private async make(runs: Runs, wish: Wish): Promise<Created> {
    const created = await runs.create(wish);
    const { runId, brief } = created;
    const inHand = this.hand?.wish.idempotencyKey === wish.idempotencyKey;
    if (inHand && this.hand && this.hand.runId === null) {
      this.hand = { ...this.hand, runId, brief };
      this.ratings.bind(runId, true);
      this.changed();
    }
    if (!inHand || this.step === "stopped") this.composition.cancel(runId);
    return created;
  }

  private async follow(runId: string, compose: boolean): Promise<void> {
    await this.parts.backend;
    this.work.goOn();
    this.parts.player.attach(runId);
    this.turn("following");
    this.keep();
    if (compose) await this.work.insist(() => this.composition.compose(runId));
  }

  /** Of a cancelled or failed run all is known to be lost: it is read once it is in hand again. */
  private async composeFirst(runId: string): Promise<void> {
    this.turn("following");
    this.keep();
    try {
      await this.work.insist(() => this.composition.compose(runId));
    } finally {
      this.work.goOn();
      this.parts.player.attach(runId);
    }
  }

  private say(error: unknown): void {
    const trouble = asTrouble(error);
    if (trouble.kind === "page") this.parts.mistaken(error);
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
    if (sound.fault !== null && this.step === "following") return this.stumbled();
    if (sound.state === "finished" && this.step === "following") this.letGo("finished");
    if (sound.place && this.step === "following") this.keepPlace(sound.place);
    this.wait.follow(sound.waitingSince);
    this.changed();
  }

  /** The player stopped because of a mistake of its own, which it has told of. */
  private stumbled(): void {
    this.said = { kind: "page", until: null };
    this.work.end();
    this.turn("trouble");
  }

  private keepPlace(place: Place): void {
    this.place = place;
    const second = Math.floor(place.journeySeconds);
    if (second === this.keptSecond) return;
    this.keptSecond = second;
    this.keep();
  }

  private keep(): void {
    if (!this.hand) return;
    const { wish, runId, brief } = this.hand;
    const { place } = this;
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
