/**
 * AbortController without the DOM: every browser and Node have it, but the engine outside browser/
 * is checked against the language alone. Only engine/tsconfig.json includes this file.
 */

interface AbortSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
}

declare class AbortController {
  readonly signal: AbortSignal;
  abort(): void;
}
