/**
 * The sound of a browser in fake time: contexts, gains, elements, as the standards say and as
 * browsers do. Any call may be made to throw, or a promise to be refused.
 */

import { FakeAudioParam } from "./fake-audio-param";
import type { FakeClock } from "./fake-clock";

/** Every call that may fail. */
export const CALLS = [
  "new AudioContext",
  "AudioContext.createGain",
  "AudioContext.createAnalyser",
  "AudioContext.createMediaElementSource",
  "AudioContext.resume",
  "AudioContext.suspend",
  "AudioContext.close",
  "AudioNode.connect",
  "AudioNode.disconnect",
  "AudioParam.value",
  "AudioParam.setValueAtTime",
  "AudioParam.setTargetAtTime",
  "AudioParam.linearRampToValueAtTime",
  "AudioParam.cancelScheduledValues",
  "new DelayNode",
  "new AudioBufferSourceNode",
  "AudioBufferSourceNode.start",
  "AudioBufferSourceNode.stop",
  "HTMLMediaElement.play",
  "HTMLMediaElement.pause",
  "HTMLMediaElement.load",
  "HTMLMediaElement.src",
  "HTMLMediaElement.removeAttribute",
  "HTMLMediaElement.currentTime",
  "HTMLMediaElement.playbackRate",
  "HTMLMediaElement.volume",
  "HTMLMediaElement.muted",
  "HTMLMediaElement.buffered",
] as const;
export type Call = (typeof CALLS)[number];

export interface FakeTrack {
  readonly seconds: number;
  /** A stream: its length grows with what has been decoded, and nothing is told to be buffered. */
  readonly growing?: boolean;
  /** Where an element stands still without a word. */
  readonly standsAt?: number;
}

type Listener = (event: { readonly type: string }) => void;

class Events {
  private readonly listeners = new Map<string, Set<Listener>>();

  addEventListener(type: string, then: Listener, options: AddEventListenerOptions = {}): void {
    const { signal, once } = options;
    const known = this.listeners.get(type) ?? new Set();
    const listener: Listener = (event) => {
      if (signal?.aborted || once) known.delete(listener);
      if (!signal?.aborted) then(event);
    };
    this.listeners.set(type, known.add(listener));
  }

  dispatch(type: string): void {
    for (const listener of [...(this.listeners.get(type) ?? [])]) {
      apart(() => listener({ type }))();
    }
  }
}

class FakeNode {
  readonly outputs = new Set<FakeNode>();

  constructor(
    protected readonly browser: FakeBrowser,
    readonly context: FakeContext,
  ) {}

  connect(to: FakeNode): FakeNode {
    this.browser.before("AudioNode.connect");
    this.outputs.add(to);
    return to;
  }

  disconnect(): void {
    this.browser.before("AudioNode.disconnect");
    this.outputs.clear();
  }

  /** How loud a signal of this node arrives at the loudspeaker. */
  get reach(): number {
    if (this === this.context.destination) return this.context.sounds ? 1 : 0;
    let sum = 0;
    for (const output of this.outputs) sum += output.reach;
    return sum * this.own;
  }

  protected get own(): number {
    return 1;
  }
}

class FakeGain extends FakeNode {
  readonly gain: FakeAudioParam;

  constructor(browser: FakeBrowser, context: FakeContext, initial: number) {
    super(browser, context);
    const before = (call: string) => browser.before(call as Call);
    this.gain = new FakeAudioParam(() => context.currentTime, initial, before);
  }

  protected override get own(): number {
    return this.gain.value;
  }
}

class FakeDelay extends FakeNode {
  readonly delayTime: FakeAudioParam;

  constructor(browser: FakeBrowser, context: FakeContext) {
    super(browser, context);
    browser.before("new DelayNode");
    const before = (call: string) => browser.before(call as Call);
    this.delayTime = new FakeAudioParam(() => context.currentTime, 0, before);
  }
}

class FakeBufferSource extends FakeNode {
  loopStart = 0;
  loopEnd = 0;
  private begun = false;
  private endsAt = Infinity;

  constructor(browser: FakeBrowser, context: FakeContext) {
    super(browser, context);
    browser.before("new AudioBufferSourceNode");
    browser.sources.push(this);
  }

  addEventListener(): void {}

  start(): void {
    this.browser.before("AudioBufferSourceNode.start");
    this.begun = true;
  }

  stop(at = 0): void {
    this.browser.before("AudioBufferSourceNode.stop");
    if (!this.begun) throw new DOMException("not started", "InvalidStateError");
    this.endsAt = Math.min(this.endsAt, at);
  }

  get level(): number {
    return this.begun && this.context.currentTime < this.endsAt ? this.reach : 0;
  }
}

/** Between asking a context to change, and its changing. */
const CONTEXT_SECONDS = 0.005;

export class FakeContext extends Events {
  readonly destination: FakeNode;
  readonly baseLatency = 0.01;
  readonly sampleRate = 48_000;
  state: "suspended" | "running" | "closed" = "suspended";
  private base = 0;
  private since = 0;
  private frozen = false;

  constructor(private readonly browser: FakeBrowser) {
    super();
    browser.before("new AudioContext");
    this.destination = new FakeNode(browser, this);
    browser.contexts.push(this);
  }

  get currentTime(): number {
    return this.base + (this.runs ? this.browser.clock.now() - this.since : 0);
  }

  get sounds(): boolean {
    return this.runs;
  }

  /** Says that it runs, and its clock stands still. */
  freeze(): void {
    this.base = this.currentTime;
    this.frozen = true;
  }

  createGain(): FakeGain {
    this.browser.before("AudioContext.createGain");
    return new FakeGain(this.browser, this, 1);
  }

  createAnalyser(): FakeNode {
    this.browser.before("AudioContext.createAnalyser");
    return new FakeAnalyser(this.browser, this);
  }

  createMediaElementSource(element: FakeElement): FakeNode {
    this.browser.before("AudioContext.createMediaElementSource");
    const node = new FakeNode(this.browser, this);
    element.source = node;
    return node;
  }

  resume(): Promise<void> {
    return this.become("AudioContext.resume", "running");
  }

  suspend(): Promise<void> {
    return this.become("AudioContext.suspend", "suspended");
  }

  close(): Promise<void> {
    return this.become("AudioContext.close", "closed");
  }

  private get runs(): boolean {
    return this.state === "running" && !this.frozen;
  }

  private become(call: Call, state: FakeContext["state"]): Promise<void> {
    this.browser.before(call);
    return this.browser.promised(call, CONTEXT_SECONDS, () => {
      if (this.state === "closed") throw new DOMException("closed", "InvalidStateError");
      if (this.state === state) return;
      this.base = this.currentTime;
      this.since = this.browser.clock.now();
      this.state = state;
      this.dispatch("statechange");
    });
  }
}

class FakeAnalyser extends FakeNode {
  getFloatTimeDomainData(): void {}
}

const OPENS_SECONDS = 0.1;
const SEEKS_SECONDS = 0.05;
/** As WebKitGTK: through a graph the place that is told is so far ahead of what is heard. */
const AHEAD_SECONDS = 1;

export class FakeElement extends Events {
  source: FakeNode | null = null;
  loop = false;
  preload = "";
  preservesPitch = true;
  crossOrigin: string | null = null;
  paused = true;
  ended = false;
  seeking = false;
  error: { readonly message: string } | null = null;
  readyState = 0;
  networkState = 0;
  private address = "";
  private base = 0;
  private since: number | null = null;
  private opened = 0;
  private idleSince = 0;
  private begun = false;
  private overAt = -Infinity;
  private cancelEnd = () => {};
  private refuse: (error: unknown) => void = () => {};
  private loudness = 1;
  private silenced = false;

  constructor(private readonly browser: FakeBrowser) {
    super();
    browser.elements.push(this);
  }

  get src(): string {
    return this.address;
  }

  set src(address: string) {
    this.browser.before("HTMLMediaElement.src");
    this.address = address;
    this.load();
  }

  get volume(): number {
    return this.loudness;
  }

  set volume(volume: number) {
    this.browser.before("HTMLMediaElement.volume");
    this.loudness = volume;
  }

  get muted(): boolean {
    return this.silenced;
  }

  set muted(muted: boolean) {
    this.browser.before("HTMLMediaElement.muted");
    this.silenced = muted;
  }

  set playbackRate(_rate: number) {
    this.browser.before("HTMLMediaElement.playbackRate");
  }

  get duration(): number {
    if (this.readyState === 0) return Number.NaN;
    const { seconds, growing } = this.track ?? { seconds: Number.NaN };
    return growing ? Math.min(this.currentTime + 1, seconds) : seconds;
  }

  get buffered(): TimeRanges {
    this.browser.before("HTMLMediaElement.buffered");
    const known = this.readyState > 0 && !this.track?.growing;
    return ranges(known ? this.duration : null);
  }

  get seekable(): TimeRanges {
    return ranges(this.readyState > 0 ? this.duration : null);
  }

  get currentTime(): number {
    if (this.since === null) return this.base;
    const most = Math.min(this.track?.seconds ?? 0, this.track?.standsAt ?? Infinity);
    const moved = this.base + Math.max(this.browser.clock.now() - this.since, 0);
    return Math.max(Math.min(moved, most), Math.min(this.base, most));
  }

  set currentTime(seconds: number) {
    this.browser.before("HTMLMediaElement.currentTime");
    if (this.readyState === 0) return;
    this.halt();
    this.base = seconds;
    this.begun = false;
    this.overAt = -Infinity;
    this.seeking = true;
    this.ended = false;
    this.later(SEEKS_SECONDS, () => {
      this.seeking = false;
      // As WebKitGTK: a seek while it plays runs to the end.
      if (!this.paused && this.browser.beginsLate) this.end();
      else if (!this.paused) this.run(0);
      this.dispatch("seeked");
    });
  }

  removeAttribute(_name: "src"): void {
    this.browser.before("HTMLMediaElement.removeAttribute");
    this.address = "";
  }

  load(): void {
    this.browser.before("HTMLMediaElement.load");
    this.refuse(new DOMException("a new load", "AbortError"));
    this.halt();
    this.opened += 1;
    this.base = 0;
    this.overAt = -Infinity;
    this.paused = true;
    this.ended = false;
    this.seeking = false;
    this.error = null;
    this.readyState = 0;
    this.networkState = this.address ? 2 : 0;
    if (this.address) this.later(OPENS_SECONDS, () => this.open());
  }

  play(): Promise<void> {
    this.browser.before("HTMLMediaElement.play");
    if (!this.address) return Promise.reject(new DOMException("no source", "NotSupportedError"));
    this.paused = false;
    this.ended = false;
    const promise = new Promise<void>((resolve, reject) => {
      this.refuse = reject;
      const begin = () => {
        if (!this.paused && this.readyState > 0) resolve();
      };
      if (this.readyState > 0) this.browser.later(0.01, begin);
      else this.addEventListener("canplay", begin, { once: true });
    });
    if (this.browser.refuses("HTMLMediaElement.play")) {
      this.paused = true;
      this.refuse(new DOMException("refused", "NotSupportedError"));
      return promise;
    }
    if (this.readyState > 0) this.run(this.lateness);
    return promise;
  }

  pause(): void {
    this.browser.before("HTMLMediaElement.pause");
    if (this.paused) return;
    this.halt();
    this.paused = true;
    this.idleSince = this.browser.clock.now();
    this.refuse(new DOMException("paused", "AbortError"));
    this.later(0, () => this.dispatch("pause"));
  }

  /** Something outside pauses it. */
  interrupt(): void {
    if (this.paused) return;
    this.halt();
    this.paused = true;
    this.idleSince = this.browser.clock.now();
    this.dispatch("pause");
  }

  /** How loud it is heard. */
  get level(): number {
    const now = this.browser.clock.now();
    const stands = this.currentTime >= (this.track?.standsAt ?? Infinity);
    const moves = !this.paused && this.since !== null && now >= this.since && !stands;
    if (!moves && now >= this.overAt + this.ahead) return 0;
    return this.source ? this.source.reach : this.silenced ? 0 : this.loudness;
  }

  private get ahead(): number {
    return this.browser.beginsLate && this.source ? AHEAD_SECONDS : 0;
  }

  /** As WebKitGTK: what did not play for so long begins as much later. */
  private get lateness(): number {
    return this.browser.beginsLate ? this.browser.clock.now() - this.idleSince : 0;
  }

  private get track(): FakeTrack | undefined {
    return this.browser.tracks.get(this.address.split("?")[0] ?? "");
  }

  private open(): void {
    if (!this.track) {
      this.error = { message: "nothing there" };
      this.refuse(new DOMException("nothing there", "NotSupportedError"));
      return this.dispatch("error");
    }
    this.readyState = 4;
    this.networkState = 1;
    this.idleSince = this.browser.clock.now();
    this.begun = false;
    for (const event of ["durationchange", "loadedmetadata", "canplay"]) this.dispatch(event);
    if (!this.paused) this.run(this.lateness);
  }

  private run(late: number): void {
    this.halt();
    const { seconds } = this.track ?? { seconds: 0 };
    if (!this.begun) this.base = Math.min(this.base + this.ahead, seconds);
    this.begun = true;
    this.since = this.browser.clock.now() + late;
    this.dispatch("playing");
    this.cancelEnd = this.browser.later(late + seconds - this.base, () => this.end());
  }

  private end(): void {
    if (this.track?.standsAt !== undefined) return;
    this.halt();
    if (this.loop) {
      this.base = 0;
      return this.run(0);
    }
    this.overAt = this.browser.clock.now();
    this.ended = true;
    this.paused = true;
    this.dispatch("ended");
  }

  private halt(): void {
    this.base = this.currentTime;
    this.since = null;
    this.cancelEnd();
  }

  /** Unless another load comes first. */
  private later(seconds: number, then: () => void): void {
    const { opened } = this;
    this.browser.later(seconds, () => opened === this.opened && then());
  }
}

export interface FakeBrowserOptions {
  /** As WebKitGTK does with elements that did not play for a while (docs/player.md). */
  readonly beginsLate?: boolean;
}

export class FakeBrowser {
  readonly tracks = new Map<string, FakeTrack>();
  readonly elements: FakeElement[] = [];
  readonly contexts: FakeContext[] = [];
  readonly sources: FakeBufferSource[] = [];
  readonly beginsLate: boolean;
  /** Whether this call fails now. */
  fails: (call: Call) => boolean = () => false;

  constructor(
    readonly clock: FakeClock,
    { beginsLate = false }: FakeBrowserOptions = {},
  ) {
    this.beginsLate = beginsLate;
  }

  /** How loud everything is together. */
  get level(): number {
    const all = [...this.elements, ...this.sources];
    return all.reduce((sum, { level }) => sum + level, 0);
  }

  before(call: Call): void {
    if (this.fails(call)) throw new DOMException(call, "InvalidStateError");
  }

  refuses(call: Call): boolean {
    return this.fails(call);
  }

  later(seconds: number, then: () => void): () => void {
    return this.clock.after(seconds, then);
  }

  /** Done a little later, and resolved then. */
  promised(call: Call, seconds: number, action: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.later(seconds, () => {
        try {
          if (this.refuses(call)) throw new DOMException(call, "InvalidStateError");
          action();
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** What a page finds in its global scope. */
  globals(): Record<string, unknown> {
    const browser = this;
    const { clock } = this;
    const timers = new Map<number, () => void>();
    let count = 0;
    const every = (ms: number, then: () => void, id: number): void => {
      const again = () => {
        every(ms, then, id);
        then();
      };
      timers.set(id, clock.after(ms / 1000, apart(again)));
    };
    const clear = (id: number) => timers.get(id)?.();
    return {
      Audio: class extends FakeElement {
        constructor() {
          super(browser);
        }
      },
      AudioContext: class extends FakeContext {
        constructor() {
          super(browser);
        }
      },
      AnalyserNode: class extends FakeAnalyser {
        constructor(context: FakeContext) {
          super(browser, context);
        }
      },
      GainNode: class extends FakeGain {
        constructor(context: FakeContext, { gain = 1 } = {}) {
          super(browser, context, gain);
        }
      },
      DelayNode: class extends FakeDelay {
        constructor(context: FakeContext) {
          super(browser, context);
        }
      },
      DynamicsCompressorNode: class extends FakeNode {
        constructor(context: FakeContext) {
          super(browser, context);
        }
      },
      AudioBufferSourceNode: class extends FakeBufferSource {
        constructor(context: FakeContext) {
          super(browser, context);
        }
      },
      OfflineAudioContext: class {
        decodeAudioData = () => Promise.resolve({ duration: 20 });
      },
      HTMLMediaElement: { HAVE_FUTURE_DATA: 3, NETWORK_LOADING: 2 },
      document: { hidden: false, addEventListener: () => {} },
      navigator: { vendor: "" },
      performance: { now: () => clock.now() * 1000 },
      fetch: () => Promise.resolve({ ok: true, arrayBuffer: () => Promise.resolve({}) }),
      setTimeout: (then: () => void, ms: number) => {
        count += 1;
        timers.set(count, clock.after(ms / 1000, apart(then)));
        return count;
      },
      setInterval: (then: () => void, ms: number) => {
        count += 1;
        every(ms, then, count);
        return count;
      },
      clearTimeout: clear,
      clearInterval: clear,
    };
  }
}

/** What a timer or a listener throws goes to the console, and stops nothing else. */
function apart(action: () => void): () => void {
  return () => {
    try {
      action();
    } catch (error) {
      if (!(error instanceof DOMException || error instanceof AggregateError)) throw error;
    }
  };
}

function ranges(end: number | null): TimeRanges {
  return { length: end === null ? 0 : 1, start: () => 0, end: () => end ?? 0 };
}
