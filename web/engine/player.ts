/** The public interface of the engine: actions, `snapshot()`, `subscribe()`. */

import type { Cancel, Clock } from "./clock";
import { type Decks, GestureNeeded } from "./deck";
import { type ReportError, type SafeCall, safeCallFor, safeReporter } from "./errors";
import { reduce } from "./planner/planner";
import { isReserve } from "./planner/reserve";
import { selectSnapshot } from "./planner/selectors";
import {
  type Command,
  isIn,
  type Journey,
  type JourneyEvent,
  newJourney,
  type PlaybackEvent,
  type Step,
  UNLOADED,
  type UserAction,
} from "./planner/state";
import { Aligner } from "./playback/aligner";
import { BedController } from "./playback/bed-controller";
import { CommandRunner, failureOf } from "./playback/command-runner";
import { HardStop } from "./playback/hard-stop";
import { Mixer } from "./playback/mixer";
import { SafeDecks } from "./playback/safe-decks";
import { DeckPool, Preloader, SignedUrls, SourceOpener } from "./playback/source-loader";
import { StallDetector } from "./playback/stall-detector";
import type { ReservePiece } from "./reserve";
import type { Feed, FeedListener, FeedSubscription, Sign } from "./run";
import { SETTINGS, type Settings } from "./settings";
import type { Place, Snapshot, StateName } from "./snapshot";

export interface PlayerParts {
  readonly clock: Clock;
  readonly decks: Decks;
  readonly feed: Feed;
  readonly sign: Sign;
  readonly settings?: Partial<Settings>;
  /** Told of every error of the player itself; see PlayerError. What it throws is ignored. */
  readonly onError?: ReportError;
}

/** In these nothing may sound. */
const QUIET: readonly StateName[] = ["paused", "finished", "stopped"];
/** After so many failed events in a row, or failed commands in one dispatch, the player stops. */
const MISTAKES_MAX = 8;

export function createPlayer(parts: PlayerParts): Player {
  return new Player(parts);
}

export class Player {
  private readonly settings: Settings;
  private readonly decks: Decks;
  private readonly hardStop: HardStop;
  private readonly report: ReportError;
  private readonly safeCall: SafeCall;
  private readonly commands: CommandRunner;
  private readonly bed: BedController;
  private readonly stalls: StallDetector;
  private readonly listeners = new Set<(snapshot: Snapshot) => void>();
  private readonly queue: (UserAction | PlaybackEvent)[] = [];
  private journey: Journey;
  private runId: string | null = null;
  private subscription: FeedSubscription | null = null;
  private unwatch: () => void;
  private cancelTick: Cancel | null = null;
  private volume: number;
  private muted = false;
  private online = true;
  private reachable = true;
  private busy = false;
  private notifying = false;
  private mistakes = 0;
  /** How many commands have failed since something last happened. */
  private failures = 0;

  constructor(private readonly parts: PlayerParts) {
    this.report = safeReporter(parts.onError);
    this.safeCall = safeCallFor("internal", this.report);
    const { sign, clock } = parts;
    const decks = new SafeDecks(parts.decks, safeCallFor("sound", this.report));
    const settings = { ...SETTINGS, ...parts.settings };
    const addresses = new SignedUrls(clock, sign, settings);
    const opener = new SourceOpener(clock, addresses, new DeckPool(decks), settings);
    this.settings = settings;
    this.stalls = new StallDetector(settings.standstillSeconds);
    this.decks = decks;
    this.hardStop = new HardStop(
      clock,
      parts.decks,
      settings.stopRampSeconds,
      safeCallFor("sound", this.report),
    );
    this.journey = newJourney(settings);
    this.volume = settings.volume;
    this.bed = new BedController(decks.bed, settings);
    this.commands = new CommandRunner({
      clock,
      addresses,
      mixer: new Mixer(clock, settings, (event) => this.tell({ event })),
      preloader: new Preloader(opener, addresses),
      aligner: new Aligner(clock, settings),
      settings,
      dispatch: (report) => this.tell(report),
      report: this.report,
    });
    decks.start();
    decks.volume(this.volume, this.muted);
    this.unwatch = decks.watch((event) => event === "interrupted" && this.tell({ event }));
  }

  /**
   * In the tap: unlocks the sound; the bed comes in and the music follows by itself. Begins
   * anew, with the run given, else with the one attached before or after.
   */
  start(runId?: string): void {
    if (this.journey.name !== "idle") this.reset();
    this.hardStop.lift();
    this.unlock();
    this.tell({ event: "start" });
    if (runId !== undefined) this.follow(runId);
  }

  /**
   * Follows a run, before or after `start()`. With a place: paused there until `resume()`.
   * Another run lets go of the one before.
   */
  attach(runId: string, place?: Place): void {
    if (runId === this.runId && !place) return;
    const { name } = this.journey;
    // Before the run is known the reserve may sound; a call or a slow unlock may have paused it.
    const begun = isIn(this.journey, "waiting", "playing", "stalled", "paused");
    const goesOn = begun && this.runId === null && !place;
    if (!goesOn && name !== "idle") this.reset();
    if (place) this.tell({ event: "restore", place });
    else if (name === "waiting") this.tell({ event: "start" });
    this.follow(runId);
  }

  /**
   * Ready pieces: they sound while the run has nothing to be heard. After `start()`; given again,
   * they take new addresses, and those not known yet come after the others.
   */
  reserve(pieces: readonly ReservePiece[]): void {
    this.tell({ event: "reserve", pieces });
  }

  /** From a piece of the reserve to the listener's own, as soon as `ownPlayable` says so. */
  own(): void {
    this.tell({ event: "own" });
  }

  /** Silence within 50 ms, whatever was going on. */
  pause(): void {
    if (!isIn(this.journey, "waiting", "playing", "stalled")) return;
    this.hardStop.silence(false);
    this.tell({ event: "pause" });
  }

  /** In a tap, where `needsGesture` or after a reload. */
  resume(): void {
    if (this.journey.name !== "paused") return;
    this.hardStop.lift();
    if (this.journey.gestureReason === "output") this.decks.renew();
    this.unlock();
    this.tell({ event: "resume" });
  }

  /** Silence within 50 ms, whatever was going on; nothing is asked any more. `start()` begins anew. */
  stop(): void {
    this.hardStop.silence(true);
    this.tell({ event: "stop" });
    this.unfollow();
  }

  /** To the beginning of the piece, or to the one before when at its beginning. */
  previous(): void {
    this.tell({ event: "previous" });
  }

  next(): void {
    this.tell({ event: "next" });
  }

  /** To a place in the journey, as far as `seekable` allows. */
  seek(journeySeconds: number): void {
    const { seekable } = this.snapshot();
    if (!seekable) return;
    const { fromSeconds, toSeconds } = seekable;
    const place = Math.min(Math.max(journeySeconds, fromSeconds), toSeconds);
    const pieceSeconds = place - this.journey.startSeconds;
    this.tell({ event: "seek", pieceSeconds });
  }

  /** 0..1; unmutes. */
  setVolume(volume: number): void {
    this.volume = Math.min(Math.max(volume, 0), 1);
    this.setMuted(false);
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    this.decks.volume(this.volume, muted);
    this.notify();
  }

  /** The listener's own switch for « En attendant votre musique ». */
  setBed(on: boolean): void {
    this.bed.setOn(on);
    this.notify();
  }

  /** Reports whether the browser is online. */
  setOnline(online: boolean): void {
    this.online = online;
    this.tell({ event: "online", online: online && this.reachable });
  }

  /** The loudness now, 0..1, unsmoothed: for the animation. */
  rms(): number {
    return this.decks.rms();
  }

  snapshot(): Snapshot {
    const { loaded, pending } = this.journey;
    const reads = loaded && pending?.what !== "seek";
    return selectSnapshot(this.journey, {
      pieceSeconds: reads ? (this.commands.reading()?.pieceSeconds ?? null) : null,
      reach: this.commands.reach(),
      volume: this.volume,
      muted: this.muted,
      bed: { on: this.bed.on, sounding: this.bed.sounding, missing: this.bed.missing },
    });
  }

  /** Calls back after every change of the snapshot, at most once a task; returns how to stop. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Silent, and no listener or timer left. */
  dispose(): void {
    this.stop();
    this.hardStop.end();
    this.listeners.clear();
    this.unwatch();
    this.stopTicking();
    this.decks.stop();
  }

  private unlock(): void {
    this.decks.unlock().catch((error: unknown) => {
      if (error instanceof GestureNeeded) this.tell({ event: "blocked" });
      else this.report({ kind: "sound", where: "unlock", error });
    });
  }

  /** Silent, with a new state and without a run. */
  private reset(): void {
    this.execute({ do: "stop" });
    this.unfollow();
    this.commands.setPieces(null, []);
    const before = this.journey.name;
    this.journey = { ...newJourney(this.settings), online: this.journey.online };
    this.bed.update(before, this.journey);
  }

  private follow(runId: string): void {
    if (this.runId === runId) return;
    this.unfollow();
    this.runId = runId;
    const mine = () => this.runId === runId;
    const listener: FeedListener = {
      run: (run) => mine() && this.tell({ event: "run", run }),
      reachable: (reachable) => {
        this.reachable = reachable;
        if (mine()) this.tell({ event: "online", online: this.online && reachable });
      },
    };
    this.subscription = this.safeCall(
      "feed.follow",
      () => this.parts.feed.subscribe(runId, listener),
      null,
    );
  }

  /** Later updates of that run are ignored. */
  private unfollow(): void {
    const { subscription } = this;
    this.subscription = null;
    this.runId = null;
    this.safeCall("feed.stop", () => subscription?.unsubscribe(), undefined);
  }

  /** Events that arrive during a dispatch are queued. Never throws. */
  private tell(event: UserAction | PlaybackEvent): void {
    this.queue.push(event);
    if (this.busy) return;
    this.busy = true;
    this.failures = 0;
    for (let next = this.queue.shift(); next; next = this.queue.shift()) this.process(next);
    this.busy = false;
    this.safeCall("ticking", () => this.tickWhileNeeded(), undefined);
    this.notify();
  }

  /** Each part runs on its own: an error is reported, and the others still run. */
  private process(event: UserAction | PlaybackEvent): void {
    const before = this.journey;
    const { state, commands } = this.reduce({ ...event, at: this.parts.clock.now() });
    this.journey = state;
    this.commands.setPieces(state.run, state.reserve);
    for (const command of commands) this.execute(command);
    this.safeCall("bed", () => this.bed.update(before.name, state), undefined);
    // Under the reserve the run is still waited for, and read as often.
    if (event.event === "sounded" && !isReserve(event.index)) {
      this.safeCall("feed.heard", () => this.subscription?.soundStarted(), undefined);
    }
    if (state.name !== before.name) this.enforce(state.name);
  }

  /** After an internal error the state stays as it was; pause, stop, and repeated errors still silence it. */
  private reduce(event: JourneyEvent): Step {
    const after = this.safeCall(`step ${event.event}`, () => reduce(this.journey, event), null);
    this.mistakes = after ? 0 : this.mistakes + 1;
    if (after) return after;
    const stops = event.event === "stop" || this.mistakes >= MISTAKES_MAX;
    if (!stops && event.event !== "pause") return { state: this.journey, commands: [] };
    const fault = event.event === "stop" || event.event === "pause" ? null : "internal";
    return forced(this.journey, stops ? "stopped" : "paused", fault);
  }

  private execute(command: Command): void {
    const done = () => {
      if (command.do === "wake") this.decks.wake();
      else this.commands.execute(command);
      return true;
    };
    if (this.safeCall(`command ${command.do}`, done, false)) return;
    this.failures += 1;
    if (this.failures < MISTAKES_MAX) return this.tell(failureOf(command));
    // Commands that fail again and again would loop for ever.
    this.queue.length = 0;
    this.journey = forced(this.journey, "stopped", "internal").state;
    this.hardStop.silence(true);
  }

  /** The hard stop silences what the state does not allow to sound. */
  private enforce(name: StateName): void {
    if (name === "finished") this.unfollow();
    if (!QUIET.includes(name)) this.hardStop.lift();
    else if (!this.hardStop.active) this.hardStop.silence(name !== "paused");
  }

  private tickWhileNeeded(): void {
    if (!isIn(this.journey, "waiting", "playing", "stalled")) return this.stopTicking();
    this.cancelTick ??= this.parts.clock.after(this.settings.tickSeconds, () => {
      this.cancelTick = null;
      this.safeCall("bed", () => this.bed.retry(), undefined);
      this.tell({
        event: "tick",
        heard: this.safeCall("heard", () => this.commands.reading(), null),
      });
      this.safeCall("watch", () => this.watchProgress(), undefined);
    });
  }

  private watchProgress(): void {
    const { name, loaded, pending, closing } = this.journey;
    const moves = name === "playing" && loaded && pending?.what !== "seek";
    const progress = moves && !closing ? this.commands.progress() : null;
    const what = this.stalls.check(this.parts.clock.now(), progress, this.decks.outputSeconds);
    if (what) this.tell({ event: "stuck", what });
  }

  private stopTicking(): void {
    this.cancelTick?.();
    this.cancelTick = null;
  }

  private notify(): void {
    if (this.notifying || this.listeners.size === 0) return;
    this.notifying = true;
    void Promise.resolve().then(() => {
      this.notifying = false;
      const snapshot = this.safeCall("snapshot", () => this.snapshot(), null);
      if (!snapshot) return;
      for (const listener of [...this.listeners]) {
        this.safeCall("listener", () => listener(snapshot), undefined);
      }
    });
  }
}

/** The state that was asked for, after an internal error prevented the transition. */
function forced(journey: Journey, name: "paused" | "stopped", fault: Journey["fault"]): Step {
  const rest = { pending: null, waitingSince: null, closing: false, failure: null };
  const command = { do: name === "stopped" ? "stop" : "release" } as const;
  return { state: { ...journey, ...UNLOADED, ...rest, name, fault }, commands: [command] };
}
