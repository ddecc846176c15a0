/** The files that fake decks can open, and what happens to them. */

export interface FakeFile {
  readonly durationSeconds: number;
  /** A stream: its length is not known before all of it is there. */
  readonly live?: boolean;
  /** How much of it has arrived; all of it where not told. */
  readonly arrivedSeconds?: number;
  /** Whether its host allows CORS; it does where not told. */
  readonly cors?: boolean;
  /** Where a deck stands still without a word. */
  readonly standsAtSeconds?: number;
  readonly opensInSeconds?: number;
  readonly seeksInSeconds?: number;
  readonly startsInSeconds?: number;
  /** A deck begins to play so much before the place where it was opened, as on a busy machine. */
  readonly startsBehindSeconds?: number;
}

export class FakeMedia {
  private readonly files = new Map<string, FakeFile>();
  private readonly watchers = new Map<string, Set<() => void>>();

  /** Puts a file there, or changes it; null takes it away. The query does not matter. */
  put(url: string, file: FakeFile | null): void {
    const address = bare(url);
    if (file) this.files.set(address, file);
    else this.files.delete(address);
    for (const changed of this.watchers.get(address) ?? []) changed();
  }

  find(url: string): FakeFile | undefined {
    return this.files.get(bare(url));
  }

  watch(url: string, changed: () => void): () => void {
    const address = bare(url);
    const watchers = this.watchers.get(address) ?? new Set();
    this.watchers.set(address, watchers.add(changed));
    return () => watchers.delete(changed);
  }
}

function bare(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}
