/** Controls the current journey from the tap to the end: session, run, player, saved place. */

import type { Clock, FindReserve, Place, Player, Snapshot } from "../../engine";
import type { Backend } from "../../supabase/backend";
import type { Brief, Created, PastRun, RunRequest, Runs, SudsMoment } from "../../supabase/runs";
import { asServiceError, ServiceError, type ServiceErrorKind } from "../../supabase/service-error";
import type { Session } from "../../supabase/session";
import type { KeyValueStore } from "../browser/local-store";
import type { TabLock } from "../browser/tab-lock";
import { LatestTask, retry } from "../network/retry";
import { Composition } from "./composition";
import {
  isAccompanied,
  isServed,
  type JourneyView,
  type PageStep,
  phaseOf,
  type ShownError,
} from "./journey-view";
import { type Ratings, RatingWriter } from "./ratings";
import type { SavedJourneyStore } from "./saved-journey";
import { WaitMonitor } from "./wait-monitor";

export interface JourneyParts {
  readonly player: Player;
  readonly backend: Promise<Backend>;
  readonly reserve: FindReserve;
  readonly resume: SavedJourneyStore;
  readonly tab: TabLock;
  readonly clock: Clock;
  readonly store: KeyValueStore;
  readonly changed: () => void;
  /** Receives internal errors of the page. */
  readonly onInternalError: (error: unknown) => void;
}

/** A place is kept once a second. */
const SAME_PLACE_S = 2;

/** Steps in which this tab owns the sound of a journey. */
const OWNING_SOUND: ReadonlySet<PageStep> = new Set([
  "kept",
  "opening",
  "form",
  "writing",
  "following",
  "error",
]);

/** Errors after which the journey cannot continue. */
const FINAL_ERRORS: ReadonlySet<ServiceErrorKind> = new Set(["not-found", "quota"]);

interface CurrentJourney {
  readonly request: RunRequest;
  readonly runId: string | null;
  readonly brief: Brief | null;
  readonly keptAt: number | null;
}

export class JourneyController {
  private step: PageStep = "none";
  private current: CurrentJourney | null = null;
  private error: ShownError | null = null;
  private keptSecond = -1;
  /** The last position of the current run; the player forgets it at Stop. */
  private place: Place | null = null;
  /** All that the reserve had were pieces that this browser keeps. */
  private keptOnly = false;
  /** Ends the asking for the reserve. */
  private reserveAsked = new AbortController();
  private unsubscribe = () => {};
  private readonly task: LatestTask;
  private readonly ratings: RatingWriter;
  private readonly wait: WaitMonitor;
  private readonly composition: Composition;

  constructor(private readonly parts: JourneyParts) {
    const { backend, clock, store, changed, onInternalError } = parts;
    this.task = new LatestTask({ clock, changed, failed: (error) => this.fail(error) });
    this.ratings = new RatingWriter(backend, changed, onInternalError);
    this.wait = new WaitMonitor(clock, changed);
    this.composition = new Composition({ backend, clock, store, onInternalError });
  }

  start(): void {
    this.unsubscribe = this.parts.player.subscribe((sound) => this.playerChanged(sound));
    this.restore();
    this.composition.start();
  }

  stop(): void {
    this.unsubscribe();
    this.wait.stop();
    this.task.end();
    this.reserveAsked.abort();
    this.composition.stop();
  }

  view(): JourneyView {
    const sound = this.parts.player.snapshot();
    return {
      phase: phaseOf(this.step, sound, { failed: this.error !== null, slow: this.wait.slow }),
      presetKey: this.current?.request.presetKey ?? "",
      brief: this.current?.brief ?? null,
      sound,
      slow: this.wait.slow,
      retrying: this.task.retrying,
      error: this.error,
      ratings: this.ratings.given,
      ratingFailed: this.ratings.failed,
      rateable: this.current !== null && this.current.runId !== null,
      keptAt: this.current?.keptAt ?? null,
      canTakeBack: this.canTakeBack,
      keptOnly: this.keptOnly && sound.source === "reserve",
      accompanied: isAccompanied(sound, this.error !== null),
    };
  }

  /** Call it in the tap. The rest follows without further action. */
  begin(request: RunRequest, ratings: Ratings = {}): void {
    this.take({ request, runId: null, brief: null, keptAt: null }, ratings);
    this.parts.player.start();
    this.findReserve();
    this.task.begin(() => this.open());
  }

  /** In the tap: a past run, from its beginning. `compose` also has its missing pieces made. */
  replay(run: PastRun, compose: boolean): void {
    const request = { presetKey: run.presetKey, idempotencyKey: run.id };
    const { id: runId, brief, sudsStart } = run;
    this.take(
      { request, runId, brief, keptAt: null },
      sudsStart === null ? {} : { suds_start: sudsStart },
    );
    this.ratings.bind(runId, false);
    if (compose && run.status !== "creating") {
      this.parts.player.start();
      this.task.begin(() => this.composeFirst(runId));
    } else {
      this.parts.player.start(runId);
      this.task.begin(() => this.follow(runId, compose));
    }
    if (run.status !== "ready") this.findReserve();
  }

  /** In the tap: what was paused, kept over a reload, or sounds in another tab. */
  resume(): void {
    const { current, step } = this;
    if (current && (step === "kept" || step === "elsewhere"))
      this.continueKept(current, step === "elsewhere");
    else {
      this.parts.tab.take();
      this.parts.player.resume();
    }
  }

  /** In the tap, while the anonymous sign-in is being retried: use an account instead. */
  useAccount(): void {
    if (this.step !== "opening") return;
    this.task.end();
    this.setStep("form");
  }

  /** The form was filled in. */
  signedIn(): void {
    if (this.step === "form") this.task.begin(() => this.create());
  }

  /** In the tap, after an error: sends the same request, or continues the same run. */
  tryAgain(): void {
    if (this.current) this.goOn(this.current);
  }

  /** Silence at once; aborts what is under way and cancels the run. */
  end(): void {
    this.parts.player.stop();
    this.task.end();
    this.cancelRun();
    this.release("stopped");
  }

  /** In the tap: Stop is taken back, from where it was. */
  takeBack(): void {
    if (!this.current || !this.canTakeBack) return;
    if (!this.current.runId) return this.begin(this.current.request, this.ratings.given);
    this.goOn(this.current);
    this.setStep("following");
  }

  /** Leaves the end screen or the saved journey; nothing of it remains. */
  leave(): void {
    this.parts.player.stop();
    this.task.end();
    this.cancelRun();
    this.current = null;
    this.release("none");
  }

  /** Resolves when every call to the service has been answered. */
  settled(): Promise<void> {
    return this.composition.settled();
  }

  rate(moment: SudsMoment, value: number): void {
    if (!this.current) return;
    this.ratings.rate(moment, value);
    if (OWNING_SOUND.has(this.step)) this.keep();
  }

  /** Another tab took the sound. */
  lost(): void {
    if (!OWNING_SOUND.has(this.step)) return;
    this.parts.player.pause();
    // An unanswered request is sent again, with the same key, when this tab takes the sound back.
    if (!this.current?.runId) this.task.end();
    this.setStep("elsewhere");
  }

  /** The current run can no longer be read. */
  runUnreadable(error: ServiceError): void {
    if (this.step !== "following" && this.step !== "kept") return;
    this.fail(error);
    if (!this.parts.player.snapshot().run) this.setStep("error");
  }

  private restore(): void {
    const kept = this.parts.resume.read();
    if (!kept) return;
    const { request, runId, brief, place, ratings } = kept;
    this.current = { request, runId, brief, keptAt: place?.journeySeconds ?? null };
    this.place = place;
    this.ratings.open(ratings);
    this.setStep("kept");
    void this.lookElsewhere();
    if (!runId) return;
    this.ratings.bind(runId, false);
    this.parts.player.attach(runId, place ?? undefined);
  }

  private continueKept({ request, runId }: CurrentJourney, elsewhere: boolean): void {
    const { player, tab, resume } = this.parts;
    if (!runId) return this.begin(request, this.ratings.given);
    tab.take();
    this.error = null;
    const kept = elsewhere ? resume.read() : null;
    if (kept?.runId === runId && kept.place && isElsewhere(kept.place, player.snapshot().place)) {
      player.attach(runId, kept.place);
    }
    this.setStep("following");
    if (player.snapshot().state === "paused") player.resume();
    else player.start(runId);
    // It may have been cancelled meanwhile, or not started before the reload.
    if (player.snapshot().run?.status === "ready") return;
    this.task.begin(() => this.follow(runId, true));
    this.findReserve();
  }

  /** In the tap: from the place where it was last heard, or from the beginning. */
  private goOn({ runId }: CurrentJourney): void {
    const { player, tab } = this.parts;
    const { place } = this;
    this.error = null;
    tab.take();
    if (runId && place) {
      player.attach(runId, place);
      player.resume();
      this.task.begin(() => this.follow(runId, true));
    } else {
      player.start();
      this.task.begin(() => (runId ? this.composeFirst(runId) : this.open()));
    }
    this.findReserve();
  }

  private get canTakeBack(): boolean {
    const over = this.error !== null && FINAL_ERRORS.has(this.error.kind);
    return this.step === "stopped" && this.current !== null && !over;
  }

  /** Cancels the run unless it is over. `createRun` cancels one that is not known yet. */
  private cancelRun(): void {
    const { run } = this.parts.player.snapshot();
    const runId = this.current?.runId;
    if (!runId || !OWNING_SOUND.has(this.step)) return;
    const isOver = run?.id === runId && run.status !== "creating";
    if (!isOver) this.composition.cancel(runId);
  }

  /** The same journey may be playing in another tab. */
  private async lookElsewhere(): Promise<void> {
    const elsewhere = await this.parts.tab.elsewhere();
    if (elsewhere && this.step === "kept") this.setStep("elsewhere");
  }

  private take(current: CurrentJourney, ratings: Ratings): void {
    // Another journey replaces one that is under way: that one is cancelled.
    if (current.runId === null || current.runId !== this.current?.runId) this.cancelRun();
    this.reserveAsked.abort();
    this.current = current;
    this.place = null;
    this.ratings.open(ratings);
    this.error = null;
    this.keptSecond = -1;
    this.parts.tab.take();
    this.setStep("opening");
  }

  private async open(renewed = false): Promise<void> {
    this.setStep("opening");
    const { session } = await this.parts.backend;
    if ((await this.signIn(session)) === "form") return this.setStep("form");
    try {
      await this.create();
    } catch (error) {
      // A session that the project refuses is worth one renewal, not two.
      if (renewed || !(error instanceof ServiceError) || error.kind !== "signed-out") throw error;
      await this.task.retry(() => session.renew());
      await this.open(true);
    }
  }

  /** When anonymous sign-ins stay rate-limited, the account form is shown. */
  private async signIn(session: Session): Promise<"open" | "form"> {
    try {
      return await this.task.retry(() => session.open());
    } catch (error) {
      if (error instanceof ServiceError && error.kind === "rate-limited") return "form";
      throw error;
    }
  }

  /**
   * Beside everything else, and again where that may help; the player takes the pieces when they
   * are there, and none is no error.
   */
  private findReserve(): void {
    const request = this.current?.request;
    if (!request) return;
    this.reserveAsked.abort();
    this.reserveAsked = new AbortController();
    const { signal } = this.reserveAsked;
    const ask = () => this.parts.reserve(request.presetKey);
    retry(ask, { clock: this.parts.clock, signal, onRetry: () => {} }).then(
      (pieces) => {
        this.keptOnly = pieces.every(({ url }) => url.startsWith("blob:"));
        this.parts.player.reserve(pieces);
      },
      () => {},
    );
  }

  private async create(): Promise<void> {
    this.setStep("writing");
    const current = this.current;
    if (!current) return;
    this.keep();
    const { runs } = await this.parts.backend;
    const { runId } = await this.task.retry(() => this.createRun(runs, current.request));
    await this.follow(runId, true);
  }

  /** The answer may come after Stop: then the run is cancelled. */
  private async createRun(runs: Runs, request: RunRequest): Promise<Created> {
    const created = await runs.create(request);
    const { runId, brief } = created;
    const inHand = this.current?.request.idempotencyKey === request.idempotencyKey;
    if (inHand && this.current && this.current.runId === null) {
      this.current = { ...this.current, runId, brief };
      this.ratings.bind(runId, true);
      this.changed();
    }
    if (!inHand || this.step === "stopped" || this.step === "finished")
      this.composition.cancel(runId);
    return created;
  }

  private async follow(runId: string, compose: boolean): Promise<void> {
    await this.parts.backend;
    this.task.throwIfEnded();
    this.parts.player.attach(runId);
    this.setStep("following");
    this.keep();
    if (compose) await this.task.retry(() => this.composition.compose(runId));
  }

  /** A cancelled or failed run is restarted before it is read, or the player would give it up at once. */
  private async composeFirst(runId: string): Promise<void> {
    this.setStep("following");
    this.keep();
    try {
      await this.task.retry(() => this.composition.compose(runId));
    } finally {
      this.task.throwIfEnded();
      this.parts.player.attach(runId);
    }
  }

  private fail(error: unknown): void {
    const failure = asServiceError(error);
    if (failure.kind === "internal") this.parts.onInternalError(error);
    const seconds = failure.retryAfterSeconds;
    this.error = {
      kind: failure.kind,
      until: seconds === null ? null : new Date(Date.now() + seconds * 1000),
    };
    this.task.end();
    // What is available of a run plays on (phaseOf).
    this.setStep(this.step === "following" ? "following" : "error");
  }

  private playerChanged(sound: Snapshot): void {
    if (isServed(this.step)) {
      if (sound.fault !== null) return this.playerFailed();
      if (sound.state === "finished") this.finish();
    }
    if (sound.place && this.step === "following") this.keepPlace(sound.place);
    this.wait.follow(sound.waitingSince);
    this.changed();
  }

  /** The reserve may have been all of it: then nothing more is created. */
  private finish(): void {
    if (this.step !== "following") this.task.end();
    this.release("finished");
  }

  /** The player stopped because of an internal error, which it has reported. */
  private playerFailed(): void {
    this.error = { kind: "internal", until: null };
    this.task.end();
    this.setStep("error");
  }

  private keepPlace(place: Place): void {
    this.place = place;
    const second = Math.floor(place.journeySeconds);
    if (second === this.keptSecond) return;
    this.keptSecond = second;
    this.keep();
  }

  private keep(): void {
    if (!this.current) return;
    const { request, runId, brief } = this.current;
    const { place } = this;
    this.parts.resume.save({
      request,
      runId,
      brief,
      ratings: this.ratings.given,
      place: place?.runId === runId ? place : null,
    });
  }

  private release(step: PageStep): void {
    this.reserveAsked.abort();
    this.parts.resume.remove();
    this.parts.tab.stop();
    this.setStep(step);
  }

  private setStep(step: PageStep): void {
    this.step = step;
    this.changed();
  }

  private changed(): void {
    this.parts.changed();
  }
}

/** The other tab has moved on, or back, in the same run. */
function isElsewhere(there: Place, here: Place | null): boolean {
  return Math.abs(there.journeySeconds - (here?.journeySeconds ?? 0)) > SAME_PLACE_S;
}
