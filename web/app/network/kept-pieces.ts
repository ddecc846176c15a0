/**
 * Ready pieces that this browser keeps, so that there is music without a network
 * (docs/player.md#kept-music). A piece lies under an address of the page's own: the signed address
 * that it came from, and whose journey it was, are not kept.
 */

import type { Clock, FindReserve, ReservePiece } from "../../engine";
import { CALM_NOW } from "../journey/run-request";

export interface KeptPieces {
  /** The piece of this preset, else that of the first card; null where nothing is kept. */
  find(presetKey: string): Promise<ReservePiece | null>;
  /** Never rejects: what cannot be kept is not. */
  keep(presetKey: string, piece: ReservePiece): Promise<void>;
}

export const KEPT_CACHE = "parcours-xl-music-1";
/** Eleven minutes at 192 kbit/s. */
export const PIECE_BYTES_MAX = 16_000_000;
/** Beside the piece of the first card: the presets last used. */
export const OTHER_PIECES_MAX = 3;
/** An older piece is replaced, as the reserve itself renews its pieces (docs/specification.md#reserve). */
export const KEPT_MS_MAX = 30 * 86_400_000;
/** Seconds for the network's pieces, where one is kept. */
export const ANSWER_S_MAX = 3;
const DOWNLOAD_MS_MAX = 180_000;

/** What is known of a kept piece. Times in ms since 1970. */
interface Entry {
  readonly id: string;
  readonly seconds: number;
  readonly loudnessLufs: number | null;
  readonly bytes: number;
  readonly keptAt: number;
  readonly usedAt: number;
}

type Index = Readonly<Record<string, Entry>>;

export interface CachedPiecesParts {
  /** Undefined where the browser has none: some private windows, and pages without TLS. */
  readonly caches: CacheStorage | undefined;
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  /** The page's own address. */
  readonly base: string;
  /** ms since 1970 */
  readonly now: () => number;
  /** Whether the listener lets this browser keep music. */
  readonly allowed: () => boolean;
}

export class CachedPieces implements KeptPieces {
  /** Never revoked: the player may be playing one. Of each kept piece there is one. */
  private readonly urls = new Map<string, string>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: CachedPiecesParts) {}

  async find(presetKey: string): Promise<ReservePiece | null> {
    if (!this.parts.allowed()) return null;
    try {
      return (await this.read(presetKey)) ?? (await this.read(CALM_NOW));
    } catch {
      return null;
    }
  }

  keep(presetKey: string, piece: ReservePiece): Promise<void> {
    return this.inTurn(() => this.keepNow(presetKey, piece));
  }

  /** Whether there is no need to download a piece of this preset. */
  async isFresh(presetKey: string): Promise<boolean> {
    try {
      const cache = await this.open();
      const entry = cache && (await this.readIndex(cache))[presetKey];
      return Boolean(
        entry && this.isYoung(entry) && (await cache.match(this.addressOf(presetKey))),
      );
    } catch {
      return false;
    }
  }

  /** Erases every kept piece. */
  clear(): Promise<void> {
    return this.inTurn(async () => {
      this.urls.clear();
      await this.parts.caches?.delete(KEPT_CACHE);
    });
  }

  private async read(presetKey: string): Promise<ReservePiece | null> {
    const cache = await this.open();
    const entry = cache && (await this.readIndex(cache))[presetKey];
    if (!entry) return null;
    const blob = await (await cache.match(this.addressOf(presetKey)))?.blob();
    // The browser, or a person, may have erased a part.
    if (blob?.size !== entry.bytes) return null;
    const { id, seconds, loudnessLufs } = entry;
    const url = this.urls.get(id) ?? URL.createObjectURL(blob);
    this.urls.set(id, url);
    return { id, url, seconds, loudnessLufs };
  }

  private async keepNow(presetKey: string, piece: ReservePiece): Promise<void> {
    const cache = this.parts.allowed() ? await this.open() : null;
    if (!cache) return;
    const index = await this.readIndex(cache);
    const entry = (await this.isFresh(presetKey)) ? index[presetKey] : undefined;
    const kept = entry ?? (await this.download(cache, presetKey, piece));
    const now = this.parts.now();
    await this.writeIndex(cache, lastUsed({ ...index, [presetKey]: { ...kept, usedAt: now } }));
    // They may have changed their mind meanwhile.
    if (!this.parts.allowed()) await this.parts.caches?.delete(KEPT_CACHE);
  }

  private async download(cache: Cache, presetKey: string, piece: ReservePiece): Promise<Entry> {
    const response = await this.parts.fetch(piece.url, {
      credentials: "omit",
      signal: AbortSignal.timeout(DOWNLOAD_MS_MAX),
    });
    const blob = await wholePiece(response);
    const headers = { "content-type": "audio/mpeg", "content-length": String(blob.size) };
    await cache.put(this.addressOf(presetKey), new Response(blob, { headers }));
    const { id, seconds, loudnessLufs } = piece;
    const now = this.parts.now();
    return { id, seconds, loudnessLufs, bytes: blob.size, keptAt: now, usedAt: now };
  }

  /** Of the page's own, without a token; the service worker does not answer it. */
  private addressOf(presetKey: string): string {
    return new URL(`kept/${encodeURIComponent(presetKey)}.mp3`, this.parts.base).href;
  }

  private get indexAddress(): string {
    return new URL("kept/index.json", this.parts.base).href;
  }

  private async readIndex(cache: Cache): Promise<Index> {
    const found = await cache.match(this.indexAddress);
    return found ? found.json().catch(() => ({})) : {};
  }

  /** Erases every piece that the index does not name. */
  private async writeIndex(cache: Cache, index: Index): Promise<void> {
    const named = Object.keys(index).map((presetKey) => this.addressOf(presetKey));
    const wanted = new Set([this.indexAddress, ...named]);
    await cache.put(this.indexAddress, Response.json(index));
    for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url);
  }

  private isYoung({ keptAt }: Entry): boolean {
    const age = this.parts.now() - keptAt;
    return age >= 0 && age < KEPT_MS_MAX;
  }

  private async open(): Promise<Cache | null> {
    return (await this.parts.caches?.open(KEPT_CACHE)) ?? null;
  }

  /** One change after the other. Disks are full and storage is forbidden: neither is an error. */
  private inTurn(change: () => Promise<void>): Promise<void> {
    const changed = this.last.then(change).catch(() => {});
    this.last = changed;
    return changed;
  }
}

/**
 * The network's pieces, and last the kept one: the network may go while they sound. The kept one
 * alone where the network has none, fails, or keeps waiting.
 */
export function reserveWithKept(
  find: FindReserve,
  kept: Pick<KeptPieces, "find">,
  { clock, online }: { readonly clock: Clock; readonly online: () => boolean },
): FindReserve {
  return async (presetKey) => {
    const asked = find(presetKey);
    // Not an unhandled rejection, whoever still waits for it.
    asked.catch(() => {});
    const found = kept.find(presetKey);
    const pieces = online() ? await inTime(asked, clock) : [];
    const piece = await found;
    if (!piece) return pieces.length > 0 ? pieces : asked;
    const isSame = ({ id }: ReservePiece) => id === piece.id;
    if (pieces.some(isSame)) return pieces.map((other) => (isSame(other) ? piece : other));
    return [...pieces, piece];
  };
}

/** What is there by then; [] for a failure. */
function inTime(asked: ReturnType<FindReserve>, clock: Clock): ReturnType<FindReserve> {
  return new Promise((resolve) => {
    const cancel = clock.after(ANSWER_S_MAX, () => resolve([]));
    asked
      .catch(() => [])
      .then((pieces) => {
        cancel();
        resolve(pieces);
      });
  });
}

function lastUsed(index: Index): Index {
  const others = Object.entries(index).filter(([presetKey]) => presetKey !== CALM_NOW);
  const last = others.sort(([, one], [, other]) => other.usedAt - one.usedAt);
  const first = index[CALM_NOW] ? { [CALM_NOW]: index[CALM_NOW] } : {};
  return { ...first, ...Object.fromEntries(last.slice(0, OTHER_PIECES_MAX)) };
}

/** Throws where it is not one whole MP3 of a bearable size. */
async function wholePiece(response: Response): Promise<Blob> {
  const told = Number(response.headers.get("content-length") ?? 0);
  const isAudio = response.headers.get("content-type")?.startsWith("audio/");
  if (response.status !== 200 || !isAudio || told > PIECE_BYTES_MAX) {
    await response.body?.cancel();
    throw new TypeError("not a piece to keep");
  }
  const blob = await response.blob();
  const isWhole = told === 0 || blob.size === told;
  const isMp3 = beginsAnMp3(new Uint8Array(await blob.slice(0, 3).arrayBuffer()));
  if (!isWhole || !isMp3 || blob.size > PIECE_BYTES_MAX) throw new TypeError("not a whole piece");
  return blob;
}

/** An ID3 tag, or the sync word of a frame. */
function beginsAnMp3([a = 0, b = 0, c = 0]: Uint8Array): boolean {
  return (a === 0x49 && b === 0x44 && c === 0x33) || (a === 0xff && (b & 0xe0) === 0xe0);
}
