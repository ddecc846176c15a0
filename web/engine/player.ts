/** The public door: verbs, `snapshot()`, `subscribe()`. */

import { Addresses } from "./addresses";
import { Aligner } from "./aligner";
import { BedKeeper } from "./bed";
import type { Cancel, Clock } from "./clock";
import { Conductor } from "./conductor";
import type { Decks } from "./deck";
import { draw } from "./drawing";
import type { Report, Wish } from "./events";
import type { Feed, Following, Sign } from "./feed";
import { step } from "./journey";
import { Mixer } from "./mixer";
import { isIn } from "./moving";
import { Opener } from "./opener";
import { Preparer } from "./preparer";
import { SETTINGS, type Settings } from "./settings";
import { Shelf } from "./shelf";
import type { Place, Snapshot } from "./snapshot";
import { type Journey, newJourney } from "./state";

export interface PlayerParts {
  readonly clock: Clock;
  readonly decks: Decks;
  readonly feed: Feed;
  readonly sign: Sign;
  readonly settings?: Partial<Settings>;
}

export function createPlayer(parts: PlayerParts): Player {
  return new Player(parts);
}

export class Player {
  private readonly settings: Settings;
  private readonly conductor: Conductor;
  private readonly bed: BedKeeper;
  private readonly listeners = new Set<(snapshot: Snapshot) => void>();
  private readonly happened: (Wish | Report)[] = [];
  private journey: Journey;
  private runId: string | null = null;
  private following: Following | null = null;
  private unwatch: () => void;
  private cancelTick: Cancel | null = null;
  private volume: number;
  private muted = false;
  private online = true;
  private reachable = true;
  private busy = false;
  private announcing = false;

  constructor(private readonly parts: PlayerParts) {
    const { clock, decks, sign } = parts;
    const settings = { ...SETTINGS, ...parts.settings };
    const addresses = new Addresses(clock, sign, settings);
    const opener = new Opener(clock, addresses, new Shelf(decks), settings);
    this.settings = settings;
    this.journey = newJourney(settings);
    this.volume = settings.volume;
    this.bed = new BedKeeper(decks.bed, settings);
    this.conductor = new Conductor({
      clock,
      addresses,
      mixer: new Mixer(clock, settings, (event) => this.tell({ event })),
      preparer: new Preparer(opener, addresses),
      aligner: new Aligner(clock, settings),
      settings,
      tell: (report) => this.tell(report),
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
    if (this.journey.name !== "idle") this.beginAnew();
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
    const begun = name === "waiting" || name === "paused";
    // A call, or a slow unlock, may have paused what was begun before its run was known.
    const goesOn = begun && this.runId === null && !place;
    if (!goesOn && name !== "idle") this.beginAnew();
    if (place) this.tell({ event: "restore", place });
    else if (name === "waiting") this.tell({ event: "start" });
    this.follow(runId);
  }

  pause(): void {
    this.tell({ event: "pause" });
  }

  /** In a tap, where `needsGesture` or after a reload. */
  resume(): void {
    if (this.journey.name !== "paused") return;
    this.unlock();
    this.tell({ event: "resume" });
  }

  /** Silence within 50 ms, whatever was going on; nothing is asked any more. `start()` begins anew. */
  stop(): void {
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
    this.parts.decks.volume(this.volume, muted);
    this.announce();
  }

  /** The listener's own switch for « En attendant votre musique ». */
  setBed(on: boolean): void {
    this.bed.turn(on);
    this.announce();
  }

  /** What the browser knows about its network. */
  setOnline(online: boolean): void {
    this.online = online;
    this.tell({ event: "online", online: online && this.reachable });
  }

  /** How loud it is now, 0..1, unsmoothed: for the light. */
  rms(): number {
    return this.parts.decks.rms();
  }

  snapshot(): Snapshot {
    const { loaded, doing } = this.journey;
    const reads = loaded && doing?.what !== "seek";
    return draw(this.journey, {
      pieceSeconds: reads ? (this.conductor.heard()?.pieceSeconds ?? null) : null,
      reach: this.conductor.reach(),
      volume: this.volume,
      muted: this.muted,
      bed: { on: this.bed.on, sounding: this.bed.sounding },
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
    this.listeners.clear();
    this.unwatch();
    this.stopTicking();
    this.parts.decks.stop();
  }

  private unlock(): void {
    this.parts.decks.unlock().catch(() => this.tell({ event: "blocked" }));
  }

  /** Another life: silent, and of no run. */
  private beginAnew(): void {
    this.conductor.carryOut({ do: "stop" });
    this.unfollow();
    this.conductor.know(null);
    const before = this.journey.name;
    this.journey = { ...newJourney(this.settings), online: this.journey.online };
    this.bed.follow(before, this.journey);
  }

  private follow(runId: string): void {
    if (this.runId === runId) return;
    this.following?.stop();
    this.runId = runId;
    const mine = () => this.runId === runId;
    this.following = this.parts.feed.follow(runId, {
      run: (run) => mine() && this.tell({ event: "run", run }),
      reachable: (reachable) => {
        this.reachable = reachable;
        if (mine()) this.tell({ event: "online", online: this.online && reachable });
      },
    });
  }

  /** What comes late of that run is not heard. */
  private unfollow(): void {
    this.following?.stop();
    this.following = null;
    this.runId = null;
  }

  /** What happens while something is being done waits until it is done. */
  private tell(event: Wish | Report): void {
    this.happened.push(event);
    if (this.busy) return;
    this.busy = true;
    try {
      for (let next = this.happened.shift(); next; next = this.happened.shift()) this.take(next);
    } finally {
      this.busy = false;
    }
    this.tickWhileNeeded();
    this.announce();
  }

  private take(event: Wish | Report): void {
    const before = this.journey;
    if (event.event === "run") this.conductor.know(event.run);
    const { state, commands } = step(before, { ...event, at: this.parts.clock.now() });
    this.journey = state;
    for (const command of commands) this.conductor.carryOut(command);
    this.bed.follow(before.name, state);
    if (event.event === "sounded") this.following?.heard();
    if (state.name === "finished") this.unfollow();
  }

  private tickWhileNeeded(): void {
    if (!isIn(this.journey, "waiting", "playing", "stalled")) return this.stopTicking();
    this.cancelTick ??= this.parts.clock.after(this.settings.tickSeconds, () => {
      this.cancelTick = null;
      this.tell({ event: "tick", heard: this.conductor.heard() });
    });
  }

  private stopTicking(): void {
    this.cancelTick?.();
    this.cancelTick = null;
  }

  private announce(): void {
    if (this.announcing || this.listeners.size === 0) return;
    this.announcing = true;
    Promise.resolve().then(() => {
      this.announcing = false;
      const snapshot = this.snapshot();
      for (const listener of this.listeners) listener(snapshot);
    });
  }
}
