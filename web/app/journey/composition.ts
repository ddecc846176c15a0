/**
 * Whether the service composes a run, as the listener last wanted it. A cancellation that was not
 * answered is remembered in this browser and sent again at the next visit.
 */

import type { Clock } from "../../engine";
import type { Backend } from "../../supabase/backend";
import type { Runs } from "../../supabase/runs";
import { ServiceError } from "../../supabase/service-error";
import type { KeyValueStore } from "../browser/local-store";
import { retry } from "../network/retry";

export interface CompositionParts {
  readonly backend: Promise<Backend>;
  readonly clock: Clock;
  readonly store: KeyValueStore;
  /** Receives internal errors of the page; others are filtered out. */
  readonly onInternalError: (error: unknown) => void;
}

export class Composition {
  /** The last call of each run: the next one waits for its answer, so that none overtakes another. */
  private readonly calls = new Map<string, Promise<unknown>>();
  /** What is wanted of each run; aborted by the opposite call. */
  private readonly pending = new Map<string, AbortController>();

  private readonly cancellations: Cancellations;

  constructor(private readonly parts: CompositionParts) {
    this.cancellations = new Cancellations(parts.store);
  }

  /** Sends the cancellations of an earlier visit. */
  start(): void {
    for (const runId of this.cancellations.read()) this.cancel(runId);
  }

  /** Has every missing piece composed, after a cancellation too. Throws as `Runs.compose` does. */
  compose(runId: string): Promise<void> {
    this.cancellations.remove(runId);
    const { signal } = this.supersede(runId);
    return this.call(runId, signal, (runs) => runs.compose(runId));
  }

  /** Has nothing more bought; asked until it is answered, or until `compose` takes it back. */
  cancel(runId: string): void {
    this.cancellations.add(runId);
    const { signal } = this.supersede(runId);
    const call = () => this.call(runId, signal, (runs) => runs.cancel(runId));
    retry(call, { clock: this.parts.clock, signal, onRetry: () => {} }).then(
      () => this.cancellations.remove(runId),
      (error: unknown) => {
        if (isFinal(error)) this.cancellations.remove(runId);
        this.parts.onInternalError(error);
      },
    );
  }

  /** When every call that was made has been answered, or given up. */
  async settled(): Promise<void> {
    await Promise.all(this.calls.values());
  }

  stop(): void {
    for (const controller of this.pending.values()) controller.abort();
  }

  private supersede(runId: string): AbortController {
    this.pending.get(runId)?.abort();
    const controller = new AbortController();
    this.pending.set(runId, controller);
    return controller;
  }

  private call(
    runId: string,
    signal: AbortSignal,
    call: (runs: Runs) => Promise<void>,
  ): Promise<void> {
    const before = this.calls.get(runId) ?? Promise.resolve();
    const answer = before.then(async () => {
      const { runs } = await this.parts.backend;
      signal.throwIfAborted();
      await call(runs);
    });
    this.calls.set(
      runId,
      answer.catch(() => {}),
    );
    return answer;
  }
}

/** The run is gone, or belongs to somebody else: there is nothing to cancel. */
function isFinal(error: unknown): boolean {
  return error instanceof ServiceError && !error.transient && error.kind !== "signed-out";
}

/** Later everything that could be bought has been bought, or has failed. */
const CANCELLATION_MS_MAX = 12 * 3600 * 1000;
const NAME = "cancellations";

/** Runs whose cancellation has not been answered, with the time of the first try. */
class Cancellations {
  constructor(private readonly store: KeyValueStore) {}

  add(runId: string): void {
    this.write({ [runId]: Date.now(), ...this.all() });
  }

  remove(runId: string): void {
    const { [runId]: removed, ...others } = this.all();
    if (removed !== undefined) this.write(others);
  }

  read(): readonly string[] {
    return Object.keys(this.all());
  }

  private all(): Readonly<Record<string, number>> {
    const since = Date.now() - CANCELLATION_MS_MAX;
    return Object.fromEntries(
      Object.entries(parse(this.store.read(NAME))).filter(([, at]) => at > since),
    );
  }

  private write(all: Readonly<Record<string, number>>): void {
    if (Object.keys(all).length === 0) this.store.remove(NAME);
    else this.store.write(NAME, JSON.stringify(all));
  }
}

function parse(text: string | null): Record<string, number> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, number>) : {};
  } catch {
    return {};
  }
}
