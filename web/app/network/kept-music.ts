/**
 * When music is kept (docs/player.md#kept-music): while nobody touches the page, on a connection
 * that can bear it, and never while a journey waits for its own. Loaded after the first sound.
 */

import type { Cancel, Clock, FindReserve, ReservePiece } from "../../engine";
import { Idle } from "../browser/idle";
import { CALM_NOW } from "../journey/run-request";
import { CachedPieces, reserveWithKept } from "./kept-pieces";

/** Seconds without input before music is kept: where the browser knows its connection, and where not. */
export const CALM_S = 5;
export const CALM_UNKNOWN_S = 30;
/** Seconds until the next look, where it could not be done now. */
export const AGAIN_S = 30;
/** Failed downloads of one visit. */
export const FAILURES_MAX = 3;

/** The Network Information API, which only Chromium has. */
export interface Connection {
  readonly saveData?: boolean;
  readonly effectiveType?: string;
}

export interface KeptMusicParts {
  readonly find: FindReserve;
  readonly clock: Clock;
  readonly allowed: () => boolean;
  /** Nobody is signed in, or a journey waits for its music: nothing may be in its way. */
  readonly busy: () => boolean;
}

export interface KeptMusic {
  readonly find: FindReserve;
  /** Erases all that is kept. */
  clear(): Promise<void>;
}

export function openKeptMusic(parts: KeptMusicParts): KeptMusic {
  const kept = new CachedPieces({
    caches: globalThis.caches,
    fetch: (url, init) => fetch(url, init),
    base: document.baseURI,
    now: () => Date.now(),
    allowed: parts.allowed,
  });
  const online = () => navigator.onLine;
  const there = { kept, online, connection: connection(), page: window };
  const keeper = new MusicKeeper({ ...parts, ...there });
  keeper.start();
  return {
    find: reserveWithKept((presetKey) => keeper.ask(presetKey), kept, { ...parts, online }),
    clear: () => kept.clear(),
  };
}

export interface MusicKeeperParts extends KeptMusicParts {
  readonly kept: Pick<CachedPieces, "keep" | "isFresh">;
  /** Undefined where the browser does not tell. */
  readonly connection: Connection | undefined;
  readonly online: () => boolean;
  readonly page: Window;
}

/** Keeps a piece of each preset that is used, and one of the first card. */
export class MusicKeeper {
  private readonly idle: Idle;
  /** Of the presets used in this visit, the piece that is heard first; null: to be asked for. */
  private readonly wanted = new Map<string, ReservePiece | null>([[CALM_NOW, null]]);
  private failures = 0;
  private calm = false;
  private working = false;
  private cancel: Cancel = () => {};

  constructor(private readonly parts: MusicKeeperParts) {
    const seconds = parts.connection ? CALM_S : CALM_UNKNOWN_S;
    const { clock, page } = parts;
    this.idle = new Idle(clock, (idle) => this.turned(idle), page, seconds);
  }

  start(): void {
    this.idle.start();
  }

  stop(): void {
    this.idle.stop();
    this.cancel();
  }

  /** The network's pieces for a journey that begins: the first is also one to keep. */
  async ask(presetKey: string): Promise<readonly ReservePiece[]> {
    const pieces = await this.parts.find(presetKey);
    if (pieces[0]) this.wanted.set(presetKey, pieces[0]);
    return pieces;
  }

  private turned(idle: boolean): void {
    this.cancel();
    this.calm = idle;
    if (idle) whenIdle(this.parts.page, () => void this.look());
  }

  private async look(): Promise<void> {
    if (this.working || !this.calm) return;
    this.working = true;
    if (this.mayDownload()) await this.keepWanted().catch(() => this.fail());
    this.working = false;
    this.cancel();
    this.cancel = this.parts.clock.after(AGAIN_S, () => void this.look());
  }

  private async keepWanted(): Promise<void> {
    for (const [presetKey, known] of [...this.wanted]) {
      if (!known && (await this.parts.kept.isFresh(presetKey))) {
        this.wanted.delete(presetKey);
        continue;
      }
      const piece = known ?? (await this.parts.find(presetKey))[0];
      if (piece) await this.parts.kept.keep(presetKey, piece);
      if (piece && !(await this.parts.kept.isFresh(presetKey))) this.fail();
      this.wanted.delete(presetKey);
    }
  }

  private fail(): void {
    this.failures += 1;
  }

  private mayDownload(): boolean {
    const { allowed, busy, online, connection } = this.parts;
    if (this.wanted.size === 0 || this.failures >= FAILURES_MAX) return false;
    return allowed() && online() && !busy() && bears(connection);
  }
}

/** Whether a connection can bear a piece of some megabytes that nobody has asked for. */
export function bears(connection: Connection | undefined): boolean {
  return connection?.saveData !== true && (connection?.effectiveType ?? "4g") === "4g";
}

function connection(): Connection | undefined {
  return (navigator as { connection?: Connection }).connection;
}

/** Safari has no requestIdleCallback. */
function whenIdle(page: Window, then: () => void): void {
  if (page.requestIdleCallback) page.requestIdleCallback(then, { timeout: 10_000 });
  else page.setTimeout(then, 1000);
}
