/** Whether the service composes a run, kept as the listener last wanted it. */

import type { Clock } from "../../engine";
import type { Backend } from "../../supabase/backend";
import type { Runs } from "../../supabase/runs";
import { retry } from "../network/retry";

export interface CompositionParts {
  readonly backend: Promise<Backend>;
  readonly clock: Clock;
  /** Told of mistakes of the page itself; what is none is not told on. */
  readonly onInternalError: (error: unknown) => void;
}

export class Composition {
  /** The last call of each run: the next one waits for its answer, so that none overtakes another. */
  private readonly calls = new Map<string, Promise<unknown>>();
  /** What is wanted of each run; aborted by the opposite request. */
  private readonly pending = new Map<string, AbortController>();

  constructor(private readonly parts: CompositionParts) {}

  /** Has every missing piece composed, after a cancellation too. Trouble: as `Runs.compose`. */
  compose(runId: string): Promise<void> {
    const { signal } = this.request(runId);
    return this.call(runId, signal, (runs) => runs.compose(runId));
  }

  /** Has nothing more bought; asked until it is answered, or until `compose` takes it back. */
  cancel(runId: string): void {
    const { signal } = this.request(runId);
    const call = () => this.call(runId, signal, (runs) => runs.cancel(runId));
    // What is refused for good is a run that is gone, or no longer theirs: there is nothing to cancel.
    const options = { clock: this.parts.clock, signal, onRetry: () => {} };
    retry(call, options).catch(this.parts.onInternalError);
  }

  /** When every call that was made has been answered, or given up. */
  async settled(): Promise<void> {
    await Promise.all(this.calls.values());
  }

  stop(): void {
    for (const supersede of this.pending.values()) supersede.abort();
  }

  private request(runId: string): AbortController {
    this.pending.get(runId)?.abort();
    const request = new AbortController();
    this.pending.set(runId, request);
    return request;
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
