/** Keeps what follows open on a deck of its own, so that it is there when its turn comes. */

import { Turn } from "../turn";
import type { SignedUrls } from "./signed-urls";
import type { OpenedDeck, OpenRequest, SourceOpener } from "./source-opener";

interface Preloaded {
  readonly key: string;
  readonly turn: Turn;
  readonly opened: Promise<OpenedDeck | null>;
}

export class Preloader {
  private preloaded: Preloaded | null = null;

  constructor(
    private readonly opener: SourceOpener,
    private readonly addresses: SignedUrls,
  ) {}

  /** Opens it in advance. Asking again for the same does nothing. */
  preload(wanted: OpenRequest): void {
    const key = keyOf(wanted);
    if (this.preloaded?.key === key) return;
    this.discard();
    const turn = new Turn();
    this.preloaded = { key, turn, opened: this.opener.open(wanted, turn) };
  }

  /** What was preloaded, else opened now. The caller owns the deck. */
  async open(wanted: OpenRequest, turn: Turn): Promise<OpenedDeck | null> {
    const preloaded = this.preloaded;
    if (!preloaded || wanted.signAnew || preloaded.key !== keyOf(wanted)) {
      this.discard();
      return this.opener.open(wanted, turn);
    }
    const opened = await preloaded.opened;
    if (turn.over || this.preloaded !== preloaded) return null;
    if (opened && !this.addresses.isStale(opened.validUntil)) {
      this.preloaded = null;
      return opened;
    }
    this.discard();
    return this.opener.open(wanted, turn);
  }

  /** Lets go of the deck. */
  discard(): void {
    const preloaded = this.preloaded;
    this.preloaded = null;
    if (!preloaded) return;
    preloaded.turn.end();
    preloaded.opened.then((opened) => opened?.release());
  }
}

/** The same music from its beginning, from the same places. */
function keyOf({ sources, from }: OpenRequest): string {
  return [from, ...sources.map((source) => `${source.origin}:${source.segmentId}`)].join(" ");
}
