/** Opens the first source that can be played, in the order given, on a free deck. */

import type { Clock } from "../clock";
import type { Deck, DeckOutput } from "../deck";
import type { Source } from "../planner/sources";
import type { Settings } from "../settings";
import { type Turn, within } from "../turn";
import type { DeckLease, DeckPool } from "./deck-pool";
import type { SignedUrls, SourceUrl } from "./signed-urls";

/** A deck that can play a source. */
export interface OpenedDeck extends DeckLease {
  readonly source: Source;
  readonly validUntil: number | null;
}

export interface OpenRequest {
  readonly sources: readonly Source[];
  readonly from: "beginning" | "place";
  /** Seconds into the file, asked when a deck is about to load. */
  readonly at: () => number;
  /** After a media error: do not trust the address that was signed before. */
  readonly signAnew?: boolean;
}

export class SourceOpener {
  /** Hosts that play, but do not allow CORS. */
  private readonly plainHosts = new Set<string>();

  constructor(
    private readonly clock: Clock,
    private readonly addresses: SignedUrls,
    private readonly pool: DeckPool,
    private readonly settings: Settings,
  ) {}

  /** A deck that can play from there, or null when no source works or the turn is over. */
  async open(wanted: OpenRequest, turn: Turn): Promise<OpenedDeck | null> {
    for (const source of wanted.sources) {
      const opened = await this.openSource(source, wanted, turn);
      if (opened || turn.over) return opened;
    }
    return null;
  }

  /** On a media error a stored track is signed once more; another address stays the same. */
  private async openSource(
    source: Source,
    wanted: OpenRequest,
    turn: Turn,
  ): Promise<OpenedDeck | null> {
    const tries = source.url !== null ? [false] : wanted.signAnew ? [true] : [false, true];
    for (const anew of tries) {
      const address = await this.addresses.urlFor(source, anew).catch(() => null);
      if (turn.over || !address) return null;
      const opened = await this.openAt(source, address, wanted.at, turn);
      if (opened || turn.over) return opened;
    }
    return null;
  }

  private async openAt(
    source: Source,
    address: SourceUrl,
    at: () => number,
    turn: Turn,
  ): Promise<OpenedDeck | null> {
    for (const way of this.outputsFor(source)) {
      const loan = await this.pool.acquire(way);
      if (!loan) continue;
      let loading = true;
      // A load that nobody waits for any more is not finished.
      turn.whenOver(() => loading && loan.release());
      const loaded = !turn.over && (await this.load(loan.deck, address.url, at()));
      loading = false;
      if (loaded && !turn.over) {
        if (way === "plain") this.plainHosts.add(hostOf(address.url));
        return { ...loan, source, validUntil: address.validUntil };
      }
      loan.release();
    }
    return null;
  }

  private async load(deck: Deck, url: string, at: number): Promise<boolean> {
    try {
      await within(this.clock, this.settings.loadSecondsMax, deck.load(url, at));
      return true;
    } catch {
      return false;
    }
  }

  /** Stored tracks allow CORS; of other hosts it is found out. */
  private outputsFor(source: Source): readonly DeckOutput[] {
    if (source.url === null && this.pool.has("graph")) return ["graph"];
    const plainOnly = source.url !== null && this.plainHosts.has(hostOf(source.url));
    return plainOnly ? ["plain"] : ["graph", "plain"];
  }
}

function hostOf(url: string): string {
  return /^[a-z]+:\/\/([^/?#]*)/i.exec(url)?.[1] ?? "";
}
