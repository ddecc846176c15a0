/** The decks that nobody uses, lent one by one. */

import type { Deck, Decks, Way } from "./deck";

/** A deck in somebody's hands, until given back. */
export interface Loan {
  readonly deck: Deck;
  /** Silent and empty, for others to take. Only the first time counts. */
  giveBack(): void;
}

export class Shelf {
  private readonly lent = new Set<Deck>();
  private waiting: (() => void)[] = [];

  constructor(private readonly decks: Decks) {}

  has(way: Way): boolean {
    return this.decks.decks.some((deck) => deck.way === way);
  }

  /** A deck of this way, once there is a free one; null where none exists. */
  async take(way: Way): Promise<Loan | null> {
    while (this.has(way)) {
      const free = this.decks.decks.find((deck) => deck.way === way && !this.lent.has(deck));
      if (free) return this.lend(free);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    return null;
  }

  private lend(deck: Deck): Loan {
    this.lent.add(deck);
    let given = false;
    const giveBack = () => {
      if (given) return;
      given = true;
      deck.unload();
      this.lent.delete(deck);
      for (const look of this.waiting.splice(0)) look();
    };
    return { deck, giveBack };
  }
}
