/** Time, in seconds: a port, so that tests never sleep. */

export interface Clock {
  /** Seconds since some fixed moment; never goes back. */
  now(): number;
  /** Calls `then` once, `seconds` from now, unless cancelled before. */
  after(seconds: number, then: () => void): Cancel;
}

export type Cancel = () => void;
