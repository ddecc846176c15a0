import type { Memory } from "../memory";

/** A browser that remembers for the length of a test. */
export class TestMemory implements Memory {
  private readonly kept = new Map<string, string>();

  read(name: string): string | null {
    return this.kept.get(name) ?? null;
  }

  write(name: string, value: string): void {
    this.kept.set(name, value);
  }

  forget(name: string): void {
    this.kept.delete(name);
  }
}
