/** Several actions of which each is done, whatever the others throw. */

/** Does each in turn. Throws an AggregateError at the end where any has thrown. */
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
