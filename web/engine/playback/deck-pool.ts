/** The decks that nobody uses, lent one by one. */

import type { Deck, DeckOutput, Decks } from "../deck";

/** A deck in somebody's hands, until given back. */
export interface DeckLease {
  readonly deck: Deck;
  /** Silent and empty, for others to take. Only the first time counts. */
  release(): void;
}

export class DeckPool {
  private readonly leased = new Set<Deck>();
  private waiting: (() => void)[] = [];

  constructor(private readonly decks: Decks) {}

  has(way: DeckOutput): boolean {
    return this.decks.decks.some((deck) => deck.output === way);
  }

  /** A deck of this way, once there is a free one; null where none exists. */
  async acquire(way: DeckOutput): Promise<DeckLease | null> {
    while (this.has(way)) {
      const free = this.decks.decks.find((deck) => deck.output === way && !this.leased.has(deck));
      if (free) return this.lease(free);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    return null;
  }

  private lease(deck: Deck): DeckLease {
    this.leased.add(deck);
    let given = false;
    const release = () => {
      if (given) return;
      given = true;
      deck.unload();
      this.leased.delete(deck);
      for (const look of this.waiting.splice(0)) look();
    };
    return { deck, release };
  }
}
