/** The bed, through Web Audio and as a plain element. */

import type { Bed } from "../deck";
import { attemptAll } from "../errors";
import { type Master, SteppedVolume } from "./plain-deck";
import { SmoothGain } from "./smooth-gain";

/**
 * The file begins half a second before its loop and ends a little after it: whatever silence a
 * decoder adds, its whole seconds less one, from there on, repeat without a seam.
 */
const LEAD_SECONDS = 0.5;
const DECODED_HZ = 44_100;

/** Between the short loop and the long one: the same chord twice, so that nobody notices. */
const LENGTHEN_SECONDS = 4;

/** Where the bed is: a few seconds of it, which come quickly, and the whole. Same origin. */
export interface BedFiles {
  readonly url: string | null;
  readonly startUrl: string | null;
}

/** Fetched and decoded before the tap, looped by the sound card; after the tap, the long loop. */
export class GraphBed implements Bed {
  /** Settles once the bed can sound, or never will. */
  readonly ready: Promise<unknown>;
  missing = false;
  private readonly decoded: Promise<AudioBuffer | null>;
  private gain: SmoothGain | null = null;
  private buffer: AudioBuffer | null = null;
  private loop: Loop | null = null;
  private wanted = { level: 0, seconds: 0 };
  private idle: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly files: BedFiles) {
    this.decoded = decode(files.startUrl ?? files.url, "high");
    this.ready = this.decoded.then((buffer) => {
      this.missing = buffer === null;
    });
  }

  get level(): number {
    return this.loop ? (this.gain?.level ?? 0) : 0;
  }

  /** Once there is a context. */
  async open(context: AudioContext, destination: AudioNode): Promise<void> {
    if (this.gain) return;
    const gain = new SmoothGain(context);
    gain.connect(destination);
    this.gain = gain;
    this.buffer = await this.decoded;
    if (this.gain !== gain) return;
    if (this.wanted.level > 0) this.fade(this.wanted.level, this.wanted.seconds);
    if (this.files.startUrl !== null) await this.lengthen(gain);
  }

  fade(level: number, seconds: number): void {
    this.wanted = { level, seconds };
    clearTimeout(this.idle);
    if (!this.gain || !this.buffer) return;
    if (level > 0) this.loop ??= new Loop(this.buffer, this.gain, 0);
    this.gain.fade(level, seconds, "smooth");
    if (level === 0) this.idle = setTimeout(() => this.rest(), (seconds + 0.1) * 1000);
  }

  /** Nothing of it sounds, or is about to. */
  get still(): boolean {
    return this.loop === null;
  }

  cut(): void {
    clearTimeout(this.idle);
    this.wanted = { level: 0, seconds: 0 };
    attemptAll(
      () => this.gain?.silence(),
      () => this.rest(),
    );
  }

  /** Its context is gone, or going; another may be opened. */
  stop(): void {
    const { gain } = this;
    this.gain = null;
    attemptAll(
      () => this.cut(),
      () => gain?.node.disconnect(),
    );
    this.loop = null;
  }

  /** The long loop takes the place of the short one, which goes on where there is no other. */
  private async lengthen(gain: SmoothGain): Promise<void> {
    const long = await decode(this.files.url, "low");
    if (!long || this.gain !== gain) return;
    this.buffer = long;
    if (!this.loop) return;
    const short = this.loop;
    this.loop = new Loop(long, gain, LENGTHEN_SECONDS);
    short.end(LENGTHEN_SECONDS);
  }

  private rest(): void {
    const { loop } = this;
    loop?.cut();
    this.loop = null;
  }
}

/** One file that repeats. It starts at once, and comes in within so many seconds. */
class Loop {
  private readonly gain: SmoothGain;
  private readonly source: AudioBufferSourceNode;

  constructor(buffer: AudioBuffer, { node }: SmoothGain, seconds: number) {
    const context = node.context as AudioContext;
    this.gain = new SmoothGain(context);
    this.gain.connect(node);
    this.source = new AudioBufferSourceNode(context, { buffer, loop: true });
    this.source.loopStart = LEAD_SECONDS;
    this.source.loopEnd = LEAD_SECONDS + Math.max(Math.floor(buffer.duration) - 1, 1);
    this.source.connect(this.gain.node);
    this.source.addEventListener("ended", () => this.gain.node.disconnect());
    this.gain.fade(1, seconds, "equal-power");
    this.source.start(0, LEAD_SECONDS);
  }

  end(seconds: number): void {
    this.gain.fade(0, seconds, "equal-power");
    this.source.stop(this.source.context.currentTime + seconds + 0.1);
  }

  /** Either of the two ends it. */
  cut(): void {
    try {
      this.source.stop();
    } catch {
      this.source.disconnect();
    }
  }
}

/** An element that begins again by itself; its seam is as good as the browser's. */
export class PlainBed implements Bed {
  /** Settles once the bed can sound, or never will. */
  readonly ready: Promise<unknown>;
  missing = false;
  private readonly element = new Audio();
  private readonly volume: SteppedVolume;
  private lengthened = false;
  private idle: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly files: BedFiles,
    master: Master,
  ) {
    const { element } = this;
    element.loop = true;
    element.preload = "auto";
    const first = files.startUrl ?? files.url;
    this.ready = first === null ? Promise.resolve() : settled(element);
    this.missing = first === null;
    element.addEventListener("error", () => {
      this.missing = true;
    });
    if (first !== null) element.src = first;
    this.volume = new SteppedVolume(element, master);
  }

  get level(): number {
    return this.element.paused ? 0 : this.volume.level;
  }

  fade(level: number, seconds: number): void {
    if (this.files.url === null) return;
    clearTimeout(this.idle);
    if (level > 0) this.play();
    this.volume.fade(level, seconds, "smooth");
    if (level > 0) return;
    const wait = this.volume.fades ? seconds : 0;
    this.idle = setTimeout(() => this.cut(), (wait + 0.05) * 1000);
  }

  follow(): void {
    this.volume.apply();
  }

  get still(): boolean {
    return this.element.paused;
  }

  cut(): void {
    clearTimeout(this.idle);
    attemptAll(
      () => this.volume.set(0),
      () => this.element.pause(),
      () => {
        // To load ends what a pause could not.
        if (!this.element.paused) this.element.load();
      },
    );
  }

  stop(): void {
    this.cut();
  }

  private play(): void {
    // What has rested for a while begins as much later in some browsers; it comes from the cache.
    if (this.element.paused) this.element.load();
    // Without a bed a listener waits in silence, nothing worse.
    this.element.play().catch(() => {});
    if (this.files.startUrl === null || this.lengthened) return;
    this.lengthened = true;
    void this.lengthen();
  }

  /** At the end of a round of the short file the long one begins; by then it is in the cache. */
  private async lengthen(): Promise<void> {
    const { element, files } = this;
    if (files.url === null || !(await bytesOf(files.url, "low"))) return;
    const { url } = files;
    element.loop = false;
    element.addEventListener(
      "ended",
      () => {
        element.loop = true;
        element.src = url;
        element.play().catch(() => {});
      },
      { once: true },
    );
  }
}

/** What is loaded, refused, or left for later by a browser that saves data. */
function settled(element: HTMLMediaElement): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ["canplaythrough", "suspend", "error"]) {
      element.addEventListener(event, () => resolve(), { once: true });
    }
  });
}

/** Null where there is none: without a bed a listener waits in silence, nothing worse. */
async function decode(url: string | null, priority: RequestPriority): Promise<AudioBuffer | null> {
  const bytes = url === null ? null : await bytesOf(url, priority);
  if (!bytes) return null;
  // A context that plays may not be opened before the tap; this one only decodes.
  const decoder = new OfflineAudioContext(1, 1, DECODED_HZ);
  return decoder.decodeAudioData(bytes).catch(() => null);
}

async function bytesOf(url: string, priority: RequestPriority): Promise<ArrayBuffer | null> {
  try {
    const response = await fetch(url, { priority });
    return response.ok ? await response.arrayBuffer() : null;
  } catch {
    return null;
  }
}
