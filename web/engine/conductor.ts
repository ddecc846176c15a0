/** Carries out what the journey commands, one change at a time, and reports what came of it. */

import type { Addresses } from "./addresses";
import type { Aligner } from "./aligner";
import type { Clock } from "./clock";
import type { FadeShape } from "./curves";
import { TapNeeded } from "./deck";
import type { Heard, Report } from "./events";
import { levelFor } from "./loudness";
import type { Mixer, Voice } from "./mixer";
import type { Opened, Wanted } from "./opener";
import type { Preparer } from "./preparer";
import { hear, placeOf, type Reach, reachOf } from "./reading";
import type { Run, Segment } from "./run";
import type { Settings } from "./settings";
import { carryingSourcesOf, finalsOf, isPreviewOf, sourcesOf } from "./sources";
import type { Command } from "./state";
import { pause, Turn } from "./turn";

type Play = Extract<Command, { do: "play" }>;
type Swap = Extract<Command, { do: "swap" }>;
type Seek = Extract<Command, { do: "seek" }>;

export interface ConductorParts {
  readonly clock: Clock;
  readonly addresses: Addresses;
  readonly mixer: Mixer;
  readonly preparer: Preparer;
  readonly aligner: Aligner;
  readonly settings: Settings;
  readonly tell: (report: Report) => void;
}

export class Conductor {
  private run: Run | null = null;
  private turn = new Turn();
  private unwatch = () => {};

  constructor(private readonly parts: ConductorParts) {}

  know(run: Run | null): void {
    this.run = run;
  }

  /** Begins at once; what comes of it is told. */
  carryOut(command: Command): void {
    const { mixer, preparer, settings, tell } = this.parts;
    if (command.do === "prepare") return this.prepare(command.index, command.carried);
    const turn = this.takeTurn();
    switch (command.do) {
      case "play":
        return this.undertake(this.play(command, turn), turn);
      case "swap":
        return this.undertake(this.swap(command, turn), turn);
      case "seek":
        return this.undertake(this.seek(command, turn), turn);
      case "resume":
        return this.undertake(this.resume(turn), turn);
      case "pause":
        return mixer.pause(settings.pauseRampSeconds);
      case "close":
        preparer.forget();
        return mixer.close(command.seconds, () => tell({ event: "closed" }));
      case "release":
        preparer.forget();
        return mixer.clear(settings.pauseRampSeconds);
      case "stop":
        preparer.forget();
        return mixer.clear(settings.stopRampSeconds);
    }
  }

  /** Where the deck that sounds is; null while there is none. */
  heard(): Heard | null {
    const { addresses, mixer, settings } = this.parts;
    const voice = mixer.sounding;
    return voice && hear(voice, addresses.isStale(voice.validUntil), settings);
  }

  reach(): Reach | null {
    const voice = this.parts.mixer.sounding;
    return voice && reachOf(voice, this.parts.settings);
  }

  stop(): void {
    this.carryOut({ do: "stop" });
    this.unwatch();
  }

  /** The change under way is over; another begins. */
  private takeTurn(): Turn {
    this.turn.end();
    this.turn = new Turn();
    return this.turn;
  }

  /** What goes wrong in a change that still matters: a tap is wanted, or the file is lost. */
  private undertake(change: Promise<void>, turn: Turn): void {
    change.catch((error: unknown) => {
      if (turn.over) return;
      this.parts.tell({ event: error instanceof TapNeeded ? "blocked" : "lost" });
    });
  }

  private prepare(index: number, carried: number): void {
    const segment = this.segment(index);
    if (segment) this.parts.preparer.prepare(fromBeginning(segment, carried));
  }

  private async play(command: Play, turn: Turn): Promise<void> {
    const { mixer, preparer, settings, tell } = this.parts;
    const segment = this.segment(command.index);
    if (command.how === "jump") mixer.hurry(settings.pauseRampSeconds);
    const opened = segment && (await preparer.open(this.wanted(command, segment), turn));
    if (turn.over) return opened?.giveBack();
    if (!opened) return tell({ event: "unplayable" });
    this.ownUntilHeard(opened, turn);
    const position = opened.deck.position;
    await mixer.room();
    if (!turn.over) await opened.deck.play();
    if (!turn.over) this.enter(command, segment, opened, position);
  }

  /** From its beginning; at the same place, after a loss. */
  private wanted(command: Play, segment: Segment): Wanted {
    if (command.how === "follow" || command.how === "jump") {
      return fromBeginning(segment, command.carried);
    }
    const sounding = this.parts.mixer.sounding;
    const offset = command.how === "rescue" && sounding ? sounding.offsetSeconds : 0;
    return {
      ...fromBeginning(segment, command.carried),
      from: "place",
      at: () => Math.max(command.pieceSeconds - offset, 0),
      signAnew: command.how === "rescue",
    };
  }

  private enter(command: Play, segment: Segment, opened: Opened, position: number): void {
    const { mixer, settings, tell } = this.parts;
    const before = mixer.sounding;
    const leftAtSeconds = before ? placeOf(before) : command.pieceSeconds;
    const carriesOn = command.how === "follow" && command.carried > 0;
    const offsetSeconds = carriesOn
      ? leftAtSeconds - opened.deck.position
      : command.pieceSeconds - position;
    const level = levelFor(segment, settings);
    const voice = { ...opened, segmentIndex: command.index, level, offsetSeconds };
    const [seconds, shape] = this.crossing(command, before);
    mixer.enter(voice, seconds, shape, () => tell({ event: "settled" }));
    this.announce(voice, command.carried, leftAtSeconds);
  }

  private crossing({ how }: Play, before: Voice | null): [number, FadeShape] {
    const { settings } = this.parts;
    if (how === "first") return [settings.firstFadeSeconds, "smooth"];
    if (how === "jump" || !before?.deck.playing) return [settings.againFadeSeconds, "equal-power"];
    return how === "rescue"
      ? [settings.swapSeconds, "linear"]
      : [settings.crossfadeSeconds, "equal-power"];
  }

  /** The same place on another deck, without a seam. */
  private async swap({ index, why }: Swap, turn: Turn): Promise<void> {
    const { aligner, mixer, preparer, tell } = this.parts;
    const voice = mixer.sounding;
    const segment = this.segment(index);
    if (!voice || !segment) return tell({ event: "kept", never: true });
    const isFinal = why === "final";
    if (isFinal && !isPreviewOf(voice.source, segment)) return tell({ event: "kept", never: true });
    const sources = isFinal ? finalsOf(segment) : [voice.source];
    const at = () => aligner.ahead(voice.deck);
    const wanted: Wanted = { sources, from: "place", at, signAnew: !isFinal };
    const opened = await preparer.open(wanted, turn);
    if (turn.over) return opened?.giveBack();
    if (!opened) return tell({ event: "kept", never: false });
    this.ownUntilHeard(opened, turn);
    const { duration } = opened.deck;
    const never = duration !== null && duration < at() + this.parts.settings.swapSecondsMax;
    if (!never && (await aligner.align(voice.deck, opened.deck, turn))) {
      return this.replace(voice, segment, opened);
    }
    if (turn.over) return;
    opened.giveBack();
    tell({ event: "kept", never });
  }

  private replace(before: Voice, segment: Segment, opened: Opened): void {
    const { mixer, settings, tell } = this.parts;
    const leftAtSeconds = placeOf(before);
    // The same music as before, as loud as before; what it is measured at comes slowly.
    const voice = { ...before, ...opened };
    mixer.enter(voice, settings.swapSeconds, "linear", () => {
      mixer.slide(levelFor(segment, settings));
      tell({ event: "settled" });
    });
    this.announce(voice, 0, leftAtSeconds);
  }

  private async seek({ pieceSeconds, paused }: Seek, turn: Turn): Promise<void> {
    const { clock, mixer, settings, tell } = this.parts;
    const voice = mixer.sounding;
    if (!voice) return tell({ event: "lost" });
    if (!paused) {
      mixer.dip(settings.pauseRampSeconds);
      await pause(clock, settings.pauseRampSeconds);
      if (turn.over) return;
    }
    await voice.deck.seek(Math.max(pieceSeconds - voice.offsetSeconds, 0));
    if (!turn.over && !paused) await this.resume(turn);
    if (!turn.over) tell({ event: "sought", pieceSeconds: placeOf(voice) });
  }

  private async resume(turn: Turn): Promise<void> {
    const { mixer, settings, tell } = this.parts;
    const voice = mixer.sounding;
    const segment = voice && this.segment(voice.segmentIndex);
    if (!voice) return tell({ event: "lost" });
    if (segment) voice.level = levelFor(segment, settings);
    await mixer.resume(settings.againFadeSeconds, () => !turn.over && tell({ event: "settled" }));
  }

  /** A deck that is opened but not heard yet is let go when nobody wants it any more. */
  private ownUntilHeard(opened: Opened, turn: Turn): void {
    turn.whenOver(() => this.parts.mixer.owns(opened.deck) || opened.giveBack());
  }

  private announce(voice: Voice, carried: number, leftAtSeconds: number): void {
    const { mixer, tell } = this.parts;
    this.unwatch();
    this.unwatch = voice.deck.watch((event) => mixer.sounding === voice && tell({ event }));
    const heard = this.heard();
    if (!heard) return;
    const { kind, origin } = voice.source;
    const previewing = origin === "preview_url";
    const index = voice.segmentIndex;
    tell({ event: "sounded", index, carried, kind, previewing, leftAtSeconds, ...heard });
  }

  private segment(index: number): Segment | undefined {
    return this.run?.segments.find((segment) => segment.index === index);
  }
}

function fromBeginning(segment: Segment, carried: number): Wanted {
  const sources = carried > 0 ? carryingSourcesOf(segment, carried) : sourcesOf(segment);
  return { sources, from: "beginning", at: () => 0 };
}
