import type { KeyValueStore } from "../browser/local-store";

/** A key-value store for one test. */
export class MemoryStore implements KeyValueStore {
  private readonly kept = new Map<string, string>();

  read(name: string): string | null {
    return this.kept.get(name) ?? null;
  }

  write(name: string, value: string): void {
    this.kept.set(name, value);
  }

  remove(name: string): void {
    this.kept.delete(name);
  }
}
