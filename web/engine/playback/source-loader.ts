/**
 * Loads sources on free decks: signs the addresses of stored tracks, opens the first source that
 * can be played, and opens what follows in advance.
 */

import type { Clock } from "../clock";
import type { Deck, DeckOutput, Decks } from "../deck";
import type { Source } from "../planner/sources";
import type { Sign } from "../run";
import type { Settings } from "../settings";
import { onAbort, within } from "./timing";

interface SourceUrl {
  readonly url: string;
  /** Clock seconds; null where no end is known. */
  readonly validUntil: number | null;
}

export class SignedUrls {
  private readonly signed = new Map<string, SourceUrl>();

  constructor(
    private readonly clock: Clock,
    private readonly sign: Sign,
    private readonly settings: Settings,
  ) {}

  /** The URL of a source; `anew` signs again even if one is still valid. May reject. */
  async urlFor(source: Source, anew: boolean): Promise<SourceUrl> {
    if (source.url !== null) return { url: source.url, validUntil: null };
    const known = this.signed.get(source.segmentId);
    if (known && !anew && !this.isStale(known.validUntil)) return known;
    // Counted from before the request, as the service signs a little later. The token is not read.
    const validUntil = this.clock.now() + this.settings.signedSeconds;
    const url = await within(this.clock, this.settings.loadSecondsMax, this.sign(source.segmentId));
    const address = { url, validUntil };
    this.signed.set(source.segmentId, address);
    return address;
  }

  isStale(validUntil: number | null): boolean {
    return validUntil !== null && validUntil - this.clock.now() < this.settings.signedSecondsMin;
  }
}

/** A deck in use, until released. */
interface DeckLease {
  readonly deck: Deck;
  /** Silent and empty, for others to acquire. Later calls do nothing. */
  release(): void;
}

export class DeckPool {
  private readonly leased = new Set<Deck>();
  private waiting: (() => void)[] = [];

  constructor(private readonly decks: Decks) {}

  has(output: DeckOutput): boolean {
    return this.decks.decks.some((deck) => deck.output === output);
  }

  /** A deck of this output, as soon as one is free; null where none exists. */
  async acquire(output: DeckOutput): Promise<DeckLease | null> {
    while (this.has(output)) {
      const free = this.decks.decks.find(
        (deck) => deck.output === output && !this.leased.has(deck),
      );
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

  /** A deck that can play from there, or null when no source works or the signal is aborted. */
  async open(request: OpenRequest, signal: AbortSignal): Promise<OpenedDeck | null> {
    for (const source of request.sources) {
      const opened = await this.openSource(source, request, signal);
      if (opened || signal.aborted) return opened;
    }
    return null;
  }

  /** On a media error a stored track is signed once more; another address stays the same. */
  private async openSource(
    source: Source,
    request: OpenRequest,
    signal: AbortSignal,
  ): Promise<OpenedDeck | null> {
    const tries = source.url !== null ? [false] : request.signAnew ? [true] : [false, true];
    for (const anew of tries) {
      const address = await this.addresses.urlFor(source, anew).catch(() => null);
      if (signal.aborted || !address) return null;
      const opened = await this.openAt(source, address, request.at, signal);
      if (opened || signal.aborted) return opened;
    }
    return null;
  }

  private async openAt(
    source: Source,
    address: SourceUrl,
    at: () => number,
    signal: AbortSignal,
  ): Promise<OpenedDeck | null> {
    for (const output of this.outputsFor(source)) {
      const lease = await this.pool.acquire(output);
      if (!lease) continue;
      let loading = true;
      // A load that was aborted is not finished.
      onAbort(signal, () => loading && lease.release());
      const loaded = !signal.aborted && (await this.load(lease.deck, address.url, at()));
      loading = false;
      if (loaded && !signal.aborted) {
        if (output === "plain") this.plainHosts.add(hostOf(address.url));
        return { ...lease, source, validUntil: address.validUntil };
      }
      lease.release();
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

  /** Stored tracks allow CORS; for other hosts it is tried. */
  private outputsFor(source: Source): readonly DeckOutput[] {
    if (source.url === null && this.pool.has("graph")) return ["graph"];
    const plainOnly = source.url !== null && this.plainHosts.has(hostOf(source.url));
    return plainOnly ? ["plain"] : ["graph", "plain"];
  }
}

function hostOf(url: string): string {
  return /^[a-z]+:\/\/([^/?#]*)/i.exec(url)?.[1] ?? "";
}

interface Preloaded {
  readonly key: string;
  readonly controller: AbortController;
  readonly opened: Promise<OpenedDeck | null>;
}

export class Preloader {
  private preloaded: Preloaded | null = null;

  constructor(
    private readonly opener: SourceOpener,
    private readonly addresses: SignedUrls,
  ) {}

  /** Opens it in advance. Asking again for the same does nothing. */
  preload(request: OpenRequest): void {
    const key = keyOf(request);
    if (this.preloaded?.key === key) return;
    this.discard();
    const controller = new AbortController();
    this.preloaded = {
      key,
      controller,
      opened: this.opener.open(request, controller.signal),
    };
  }

  /** Returns what was preloaded, else opens it now. The caller owns the deck. */
  async open(request: OpenRequest, signal: AbortSignal): Promise<OpenedDeck | null> {
    const preloaded = this.preloaded;
    if (!preloaded || request.signAnew || preloaded.key !== keyOf(request)) {
      this.discard();
      return this.opener.open(request, signal);
    }
    const opened = await preloaded.opened;
    if (signal.aborted || this.preloaded !== preloaded) return null;
    if (opened && !this.addresses.isStale(opened.validUntil)) {
      this.preloaded = null;
      return opened;
    }
    this.discard();
    return this.opener.open(request, signal);
  }

  /** Releases the deck. */
  discard(): void {
    const preloaded = this.preloaded;
    this.preloaded = null;
    if (!preloaded) return;
    preloaded.controller.abort();
    preloaded.opened.then((opened) => opened?.release());
  }
}

/** The same music from its beginning, from the same places. */
function keyOf({ sources, from }: OpenRequest): string {
  return [from, ...sources.map((source) => `${source.origin}:${source.segmentId}`)].join(" ");
}
