/** Executes the commands of the planner, one change at a time, and dispatches their results. */

import { GestureNeeded, isExpected } from "../deck";
import { findSegment } from "../planner/reserve";
import type {
  Change,
  Command,
  DeckReading,
  PlaybackEvent,
  Seek,
  SilencingCommand,
} from "../planner/state";
import type { Run, Segment } from "../run";
import type { EngineContext } from "./engine-context";
import { levelFor } from "./loudness";
import { positionOf, type Reach, reachOf, readVoice } from "./mixer";
import { fromBeginning, startPiece } from "./play";
import { swapFor } from "./swap";
import { within } from "./timing";

export class CommandRunner {
  private run: Run | null = null;
  private reserve: readonly Segment[] = [];
  private change = new AbortController();

  constructor(private readonly context: EngineContext) {}

  setPieces(run: Run | null, reserve: readonly Segment[]): void {
    this.run = run;
    this.reserve = reserve;
  }

  /** Starts at once and dispatches the result later. A new change aborts the one under way. */
  execute(command: Exclude<Command, { readonly do: "wake" }>): void {
    if (command.do === "preload") return this.prepare(command.index, command.carried);
    this.change.abort();
    this.change = new AbortController();
    switch (command.do) {
      case "play":
      case "swap":
      case "seek":
      case "resume":
        return this.startChange(command, this.change.signal);
      default:
        return this.silence(command);
    }
  }

  /** The reading of the deck that sounds; null while none does. */
  reading(): DeckReading | null {
    const { addresses, mixer, settings } = this.context;
    const voice = mixer.sounding;
    return voice && readVoice(voice, addresses.isStale(voice.validUntil), settings);
  }

  /** The position of the audible deck, for the stall detector; -1 while nothing is audible. */
  progress(): number {
    const voice = this.context.mixer.sounding;
    return voice && voice.deck.level > 0 ? positionOf(voice) : -1;
  }

  reach(): Reach | null {
    const voice = this.context.mixer.sounding;
    return voice && reachOf(voice, this.context.settings);
  }

  private prepare(index: number, carried: number): void {
    const segment = this.segment(index);
    if (segment) this.context.preloader.preload(fromBeginning(segment, carried));
  }

  /** What ends in silence. */
  private silence(command: SilencingCommand): void {
    const { mixer, preloader, settings, dispatch } = this.context;
    if (command.do !== "pause") preloader.discard();
    switch (command.do) {
      case "pause":
        return mixer.halt(settings.stopRampSeconds);
      case "release":
      case "stop":
        return mixer.clear(settings.stopRampSeconds);
      case "close":
        return mixer.close(command.seconds, (pieceSeconds) =>
          dispatch({ event: "closed", pieceSeconds }),
        );
    }
  }

  /** Dispatches the failure of a change that was not aborted, and reports unexpected errors. */
  private startChange(command: Change, signal: AbortSignal): void {
    this.perform(command, signal).catch((error: unknown) => {
      if (!isExpected(error)) this.context.report({ kind: "internal", where: command.do, error });
      if (signal.aborted) return;
      this.context.dispatch(
        error instanceof GestureNeeded ? { event: "blocked" } : failureOf(command),
      );
    });
  }

  private async perform(command: Change, signal: AbortSignal): Promise<void> {
    const { context } = this;
    if (command.do === "resume") return this.resume(signal);
    if (command.do === "seek") return this.seek(command, signal);
    const segment = this.segment(command.index);
    if (command.do === "play") {
      if (!segment) return context.dispatch({ event: "unplayable" });
      return startPiece(context, command, segment, signal);
    }
    if (!segment) return context.dispatch({ event: "kept", never: true });
    return swapFor(context, command, segment, signal);
  }

  /** Fades out, seeks, and fades in again unless paused. */
  private async seek({ pieceSeconds, paused }: Seek, signal: AbortSignal): Promise<void> {
    const { clock, mixer, settings, dispatch } = this.context;
    const voice = mixer.sounding;
    if (!voice) return dispatch({ event: "lost" });
    if (!paused) {
      await mixer.duck(settings.pauseRampSeconds);
      if (signal.aborted) return;
    }
    const there = voice.deck.seek(Math.max(pieceSeconds - voice.offsetSeconds, 0));
    // The bed covers a seek that takes long.
    const late = () => signal.aborted || paused || dispatch({ event: "stalled" });
    const cancel = clock.after(settings.standstillSeconds, late);
    await within(clock, settings.loadSecondsMax, there).finally(cancel);
    if (!signal.aborted && !paused) await this.resume(signal);
    if (!signal.aborted) dispatch({ event: "sought", pieceSeconds: positionOf(voice) });
  }

  private async resume(signal: AbortSignal): Promise<void> {
    const { mixer, settings, dispatch } = this.context;
    const voice = mixer.sounding;
    if (!voice) return dispatch({ event: "lost" });
    const segment = this.segment(voice.segmentIndex);
    if (segment) voice.level = levelFor(segment, voice.limited, settings);
    await mixer.resume(
      settings.againFadeSeconds,
      () => !signal.aborted && dispatch({ event: "settled" }),
    );
  }

  private segment(index: number): Segment | undefined {
    return findSegment(this.run, this.reserve, index);
  }
}

/** The event for a failed command; without one the state would wait for its result for ever. */
export function failureOf(command: Command): PlaybackEvent {
  if (command.do === "play") return { event: "unplayable" };
  if (command.do === "swap") return { event: "kept", never: false };
  if (command.do === "close") return { event: "closed", pieceSeconds: null };
  // Without a piece preloaded, paused or released, there is nothing to wait for.
  return command.do === "seek" || command.do === "resume"
    ? { event: "lost" }
    : { event: "settled" };
}
