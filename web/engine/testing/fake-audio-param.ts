/**
 * An AudioParam's events, as browsers keep them: ramps, steps, curves, and the exceptions of the
 * standard (Web Audio API, 1.6 AudioParam). Its value is computed from the events alone.
 */

type Event =
  | { readonly kind: "set" | "ramp"; readonly at: number; readonly value: number }
  | {
      readonly kind: "curve";
      readonly at: number;
      readonly seconds: number;
      readonly values: Float32Array;
    };

export class FakeAudioParam {
  private events: Event[] = [];
  private intrinsic: number;

  /** `before` is called with the name of each call, and may throw. */
  constructor(
    private readonly now: () => number,
    initial: number,
    private readonly before: (call: string) => void = () => {},
  ) {
    this.intrinsic = initial;
  }

  get value(): number {
    return this.valueAt(this.now());
  }

  set value(value: number) {
    this.before("AudioParam.value");
    this.insert({ kind: "set", at: this.now(), value: finite(value) });
  }

  setValueAtTime(value: number, at: number): this {
    this.before("AudioParam.setValueAtTime");
    return this.insert({ kind: "set", at: inTime(at), value: finite(value) });
  }

  linearRampToValueAtTime(value: number, at: number): this {
    this.before("AudioParam.linearRampToValueAtTime");
    if (this.events.length === 0) {
      // The standard: as if the value that it has had been set when the ramp was asked for.
      this.insert({ kind: "set", at: Math.min(this.now(), at), value: this.intrinsic });
    }
    return this.insert({ kind: "ramp", at: inTime(at), value: finite(value) });
  }

  setTargetAtTime(value: number, at: number, _constant: number): this {
    this.before("AudioParam.setTargetAtTime");
    return this.insert({ kind: "set", at: inTime(at), value: finite(value) });
  }

  setValueCurveAtTime(values: Float32Array, at: number, seconds: number): this {
    this.before("AudioParam.setValueCurveAtTime");
    return this.insert({ kind: "curve", at: inTime(at), seconds, values });
  }

  cancelScheduledValues(from: number): this {
    this.before("AudioParam.cancelScheduledValues");
    inTime(from);
    this.events = this.events.filter(
      (event) => event.at < from && !(event.kind === "curve" && event.at + event.seconds > from),
    );
    return this;
  }

  /** As Chromium and WebKit do: what is held ends where it is held, and nothing may lie over it. */
  cancelAndHoldAtTime(from: number): this {
    this.before("AudioParam.cancelAndHoldAtTime");
    const value = this.valueAt(from);
    const cut = this.events.find((event) => event.kind === "curve" && overlaps(event, from));
    this.events = this.events.filter((event) => event.at < from && event !== cut);
    if (cut?.kind === "curve") {
      const seconds = from - cut.at;
      const values = new Float32Array([curveAt(cut, cut.at), value]);
      this.events.push({ ...cut, seconds, values });
    } else {
      this.insert({ kind: "ramp", at: from, value });
    }
    return this;
  }

  valueAt(time: number): number {
    let value = this.intrinsic;
    let since = 0;
    for (const event of this.events) {
      if (time < event.at) return event.kind === "ramp" ? ramped(event, time, value, since) : value;
      const end = event.kind === "curve" ? event.at + event.seconds : event.at;
      if (event.kind === "curve" && time < end) return curveAt(event, time);
      value = event.kind === "curve" ? curveAt(event, end) : event.value;
      since = end;
    }
    return value;
  }

  private insert(event: Event): this {
    const from = event.at;
    const until = event.kind === "curve" ? from + event.seconds : from;
    for (const other of this.events) {
      const within = event.kind === "curve" && other.at > from && other.at < until;
      if (within || overlaps(other, from)) {
        throw new DOMException("events overlap", "NotSupportedError");
      }
    }
    const after = this.events.findIndex((other) => other.at > from);
    this.events.splice(after < 0 ? this.events.length : after, 0, event);
    return this;
  }
}

/** Whether an event at this time would lie within a curve. */
function overlaps(event: Event, at: number): boolean {
  return event.kind === "curve" && event.at <= at && at < event.at + event.seconds;
}

function curveAt({ values, at, seconds }: Event & { kind: "curve" }, time: number): number {
  const place = ((time - at) / seconds) * (values.length - 1);
  const before = Math.min(Math.floor(place), values.length - 1);
  const [one = 0, other = one] = [values[before], values[before + 1]];
  return one + (other - one) * (place - before);
}

/** Between what was before and the end of a ramp. */
function ramped(ramp: { at: number; value: number }, time: number, from: number, since: number) {
  if (time <= since) return from;
  return from + ((ramp.value - from) * (time - since)) / (ramp.at - since);
}

function inTime(at: number): number {
  if (!Number.isFinite(at)) throw new TypeError("the time is not finite");
  if (at < 0) throw new RangeError("the time is negative");
  return at;
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new TypeError("the value is not finite");
  return value;
}
