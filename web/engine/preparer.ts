/** Keeps what follows open on a deck of its own, so that it is there when its turn comes. */

import type { Addresses } from "./addresses";
import type { Opened, Opener, Wanted } from "./opener";
import { Turn } from "./turn";

interface Prepared {
  readonly key: string;
  readonly turn: Turn;
  readonly opened: Promise<Opened | null>;
}

export class Preparer {
  private prepared: Prepared | null = null;

  constructor(
    private readonly opener: Opener,
    private readonly addresses: Addresses,
  ) {}

  /** Opens it in advance. Asking again for the same does nothing. */
  prepare(wanted: Wanted): void {
    const key = keyOf(wanted);
    if (this.prepared?.key === key) return;
    this.forget();
    const turn = new Turn();
    this.prepared = { key, turn, opened: this.opener.open(wanted, turn) };
  }

  /** What was prepared, else opened now. The caller owns the deck. */
  async open(wanted: Wanted, turn: Turn): Promise<Opened | null> {
    const prepared = this.prepared;
    if (!prepared || wanted.signAnew || prepared.key !== keyOf(wanted)) {
      this.forget();
      return this.opener.open(wanted, turn);
    }
    const opened = await prepared.opened;
    if (turn.over || this.prepared !== prepared) return null;
    if (opened && !this.addresses.isStale(opened.validUntil)) {
      this.prepared = null;
      return opened;
    }
    this.forget();
    return this.opener.open(wanted, turn);
  }

  /** Lets go of the deck. */
  forget(): void {
    const prepared = this.prepared;
    this.prepared = null;
    if (!prepared) return;
    prepared.turn.end();
    prepared.opened.then((opened) => opened?.giveBack());
  }
}

/** The same music from its beginning, from the same places. */
function keyOf({ sources, from }: Wanted): string {
  return [from, ...sources.map((source) => `${source.origin}:${source.segmentId}`)].join(" ");
}
