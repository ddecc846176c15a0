/** Errors of the player itself, as opposed to those of the service and the network. */

/**
 * - `internal`: a mistake in the player's own code.
 * - `sound`: the browser refused a Web Audio or media call.
 */
export interface PlayerError {
  readonly kind: "internal" | "sound";
  /** Which call, without anything of a person: `step tick`, `deck.fade`. */
  readonly where: string;
  readonly error: unknown;
}

export type ReportError = (error: PlayerError) => void;

/** Runs it; where it throws, reports that and answers `otherwise`. Never throws. */
export type SafeCall = <T>(where: string, action: () => T, otherwise: T) => T;

export function safeCallFor(kind: PlayerError["kind"], report: ReportError): SafeCall {
  return (where, action, otherwise) => {
    try {
      return action();
    } catch (error) {
      report({ kind, where, error });
      return otherwise;
    }
  };
}

/** A report that cannot throw, whatever the page does with it. */
export function safeReporter(report: ReportError | undefined): ReportError {
  return (error) => {
    try {
      report?.(error);
    } catch {
      // Nothing more can be done.
    }
  };
}

/** Runs every action, even after one has thrown; then throws an AggregateError if any did. */
export function attemptAll(...actions: readonly (() => void)[]): void {
  const errors: unknown[] = [];
  for (const action of actions) {
    try {
      action();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join("; "));
}
