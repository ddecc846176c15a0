/** Carries out what the journey commands, one change at a time, and reports what came of it. */

import { isExpected, TapNeeded } from "./deck";
import { bringIn, fromBeginning } from "./entrance";
import type { Heard, Report } from "./events";
import { levelFor } from "./loudness";
import type { Orchestra } from "./orchestra";
import { hear, placeOf, type Reach, reachOf } from "./reading";
import type { Run, Segment } from "./run";
import type { Change, Command, Quieting, Seek } from "./state";
import { swapFor } from "./swap";
import { Turn, within } from "./turn";

export class Conductor {
  private run: Run | null = null;
  private turn = new Turn();

  constructor(private readonly orchestra: Orchestra) {}

  know(run: Run | null): void {
    this.run = run;
  }

  /** Begins at once; what comes of it is told. A new change ends the one under way. */
  carryOut(command: Exclude<Command, { readonly do: "wake" }>): void {
    if (command.do === "prepare") return this.prepare(command.index, command.carried);
    this.turn.end();
    this.turn = new Turn();
    switch (command.do) {
      case "play":
      case "swap":
      case "seek":
      case "resume":
        return this.undertake(command, this.turn);
      default:
        return this.quiet(command);
    }
  }

  /** Where the deck that sounds is; null while there is none. */
  heard(): Heard | null {
    const { addresses, mixer, settings } = this.orchestra;
    const voice = mixer.sounding;
    return voice && hear(voice, addresses.isStale(voice.validUntil), settings);
  }

  /** What moves while the piece is heard; one that cannot be heard does not. */
  progress(): number {
    const voice = this.orchestra.mixer.sounding;
    return voice && voice.deck.level > 0 ? placeOf(voice) : -1;
  }

  reach(): Reach | null {
    const voice = this.orchestra.mixer.sounding;
    return voice && reachOf(voice, this.orchestra.settings);
  }

  private prepare(index: number, carried: number): void {
    const segment = this.segment(index);
    if (segment) this.orchestra.preparer.prepare(fromBeginning(segment, carried));
  }

  /** What ends in silence. */
  private quiet(command: Quieting): void {
    const { mixer, preparer, settings, tell } = this.orchestra;
    if (command.do !== "pause") preparer.forget();
    switch (command.do) {
      case "pause":
        return mixer.halt(settings.stopRampSeconds);
      case "release":
      case "stop":
        return mixer.clear(settings.stopRampSeconds);
      case "close":
        return mixer.close(command.seconds, (pieceSeconds) =>
          tell({ event: "closed", pieceSeconds }),
        );
    }
  }

  /** What goes wrong in a change that still matters: a tap is wanted, or the file is lost. */
  private undertake(command: Change, turn: Turn): void {
    this.perform(command, turn).catch((error: unknown) => {
      if (!isExpected(error)) this.orchestra.report({ kind: "internal", where: command.do, error });
      if (turn.over) return;
      this.orchestra.tell(error instanceof TapNeeded ? { event: "blocked" } : failureOf(command));
    });
  }

  private async perform(command: Change, turn: Turn): Promise<void> {
    const { orchestra } = this;
    if (command.do === "resume") return this.resume(turn);
    if (command.do === "seek") return this.seek(command, turn);
    const segment = this.segment(command.index);
    if (command.do === "play") {
      if (!segment) return orchestra.tell({ event: "unplayable" });
      return bringIn(orchestra, command, segment, turn);
    }
    if (!segment) return orchestra.tell({ event: "kept", never: true });
    return swapFor(orchestra, command, segment, turn);
  }

  /** Silent while it goes there; then it fades in again, unless it is paused. */
  private async seek({ pieceSeconds, paused }: Seek, turn: Turn): Promise<void> {
    const { clock, mixer, settings, tell } = this.orchestra;
    const voice = mixer.sounding;
    if (!voice) return tell({ event: "lost" });
    if (!paused) {
      await mixer.dip(settings.pauseRampSeconds);
      if (turn.over) return;
    }
    const there = voice.deck.seek(Math.max(pieceSeconds - voice.offsetSeconds, 0));
    await within(clock, settings.loadSecondsMax, there);
    if (!turn.over && !paused) await this.resume(turn);
    if (!turn.over) tell({ event: "sought", pieceSeconds: placeOf(voice) });
  }

  private async resume(turn: Turn): Promise<void> {
    const { mixer, settings, tell } = this.orchestra;
    const voice = mixer.sounding;
    if (!voice) return tell({ event: "lost" });
    const segment = this.segment(voice.segmentIndex);
    if (segment) voice.level = levelFor(segment, voice.limited, settings);
    await mixer.resume(settings.againFadeSeconds, () => !turn.over && tell({ event: "settled" }));
  }

  private segment(index: number): Segment | undefined {
    return this.run?.segments.find((segment) => segment.index === index);
  }
}

/** Whatever went wrong, the journey is told, or it would wait for the change for ever. */
export function failureOf(command: Command): Report {
  if (command.do === "play") return { event: "unplayable" };
  if (command.do === "swap") return { event: "kept", never: false };
  if (command.do === "close") return { event: "closed", pieceSeconds: null };
  // Without a piece prepared, paused or released, there is nothing to wait for.
  return command.do === "seek" || command.do === "resume"
    ? { event: "lost" }
    : { event: "settled" };
}
