/** Lock screen and media keys. Titles are neutral: whoever sees the phone learns nothing. */

import type { Player, Snapshot } from "../../engine";

const SEEK_SECONDS = 10;

export interface MediaSessionParts {
  readonly player: Pick<Player, "pause" | "previous" | "next" | "seek" | "snapshot" | "subscribe">;
  /** Through the page, which holds the sound for this tab and ends the journey. */
  readonly resume: () => void;
  readonly stop: () => void;
  readonly title: () => string;
  readonly piece: (place: number, of: number) => string;
}

const SOUNDING: ReadonlySet<Snapshot["state"]> = new Set(["playing", "stalled", "waiting"]);

export class MediaKeys {
  private unsubscribe = () => {};

  constructor(
    private readonly parts: MediaSessionParts,
    private readonly session: MediaSession | null = navigator.mediaSession ?? null,
  ) {}

  start(): void {
    const { player, resume, stop } = this.parts;
    const seekBy = (seconds: number) => player.seek(player.snapshot().journeySeconds + seconds);
    this.handle("play", resume);
    this.handle("pause", () => player.pause());
    this.handle("stop", stop);
    this.handle("previoustrack", () => player.previous());
    this.handle("nexttrack", () => player.next());
    this.handle("seekbackward", ({ seekOffset }) => seekBy(-(seekOffset ?? SEEK_SECONDS)));
    this.handle("seekforward", ({ seekOffset }) => seekBy(seekOffset ?? SEEK_SECONDS));
    this.handle("seekto", ({ seekTime }) => seekTime !== undefined && player.seek(seekTime));
    this.unsubscribe = player.subscribe((snapshot) => this.show(snapshot));
  }

  stop(): void {
    this.unsubscribe();
    for (const action of ACTIONS) this.handle(action, null);
    if (this.session) {
      this.session.metadata = null;
      this.session.playbackState = "none";
    }
  }

  private show(snapshot: Snapshot): void {
    if (!this.session) return;
    this.session.playbackState = playbackState(snapshot);
    this.nameThePiece(snapshot);
    this.showPosition(snapshot);
  }

  private nameThePiece({ segment, run }: Snapshot): void {
    if (!this.session || typeof MediaMetadata === "undefined") return;
    const title = this.parts.title();
    const artist = segment && run ? this.parts.piece(segment.index + 1, run.segments.length) : "";
    const shown = this.session.metadata;
    if (shown?.title === title && shown.artist === artist) return;
    this.session.metadata = new MediaMetadata({ title, artist });
  }

  private showPosition({ journeySeconds, totalSeconds, place }: Snapshot): void {
    // Browsers refuse a length that is not finite, and a position beyond it.
    if (!place || !Number.isFinite(totalSeconds) || totalSeconds <= 0) return;
    attempt(() =>
      this.session?.setPositionState?.({
        duration: totalSeconds,
        position: Math.min(Math.max(0, journeySeconds), totalSeconds),
      }),
    );
  }

  private handle(action: MediaSessionAction, handler: MediaSessionActionHandler | null): void {
    attempt(() => this.session?.setActionHandler(action, handler));
  }
}

const ACTIONS: readonly MediaSessionAction[] = [
  "play",
  "pause",
  "stop",
  "previoustrack",
  "nexttrack",
  "seekbackward",
  "seekforward",
  "seekto",
];

function playbackState({ state }: Snapshot): MediaSessionPlaybackState {
  if (SOUNDING.has(state)) return "playing";
  return state === "paused" ? "paused" : "none";
}

/** Each browser knows other actions; what it does not know it throws at. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // The page has its own buttons.
  }
}
