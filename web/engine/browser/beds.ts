/** The quiet loop under every waiting, in a graph and by itself. */

import type { Bed } from "../deck";
import { type Master, SteppedVolume } from "./plain-deck";
import { SmoothGain } from "./web-audio-deck";

/**
 * The file begins half a second before its loop and ends a little after it: whatever silence a
 * decoder adds, its whole seconds less one, from there on, repeat without a seam.
 */
const LEAD_SECONDS = 0.5;
const DECODED_HZ = 44_100;

/** Fetched and decoded before the tap, looped by the sound card. */
export class GraphBed implements Bed {
  private readonly decoded: Promise<AudioBuffer | null>;
  private gain: SmoothGain | null = null;
  private buffer: AudioBuffer | null = null;
  private source: AudioBufferSourceNode | null = null;
  private wanted = { level: 0, seconds: 0 };
  private idle: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string | null) {
    // Without a bed a listener waits in silence, nothing worse.
    this.decoded = url === null ? Promise.resolve(null) : decode(url).catch(() => null);
  }

  get level(): number {
    return this.source ? (this.gain?.level ?? 0) : 0;
  }

  /** Once there is a context. */
  async open(context: AudioContext, destination: AudioNode): Promise<void> {
    if (this.gain) return;
    this.gain = new SmoothGain(context);
    this.gain.node.connect(destination);
    this.buffer = await this.decoded;
    if (this.wanted.level > 0) this.fade(this.wanted.level, this.wanted.seconds);
  }

  fade(level: number, seconds: number): void {
    this.wanted = { level, seconds };
    clearTimeout(this.idle);
    if (!this.gain || !this.buffer) return;
    if (level > 0) this.loop(this.gain, this.buffer);
    this.gain.fade(level, seconds, "smooth");
    if (level === 0) this.idle = setTimeout(() => this.rest(), (seconds + 0.1) * 1000);
  }

  stop(): void {
    clearTimeout(this.idle);
    this.rest();
  }

  private loop(gain: SmoothGain, buffer: AudioBuffer): void {
    if (this.source) return;
    const source = new AudioBufferSourceNode(gain.node.context, { buffer, loop: true });
    source.loopStart = LEAD_SECONDS;
    source.loopEnd = LEAD_SECONDS + Math.max(Math.floor(buffer.duration) - 1, 1);
    source.connect(gain.node);
    source.start(0, LEAD_SECONDS);
    this.source = source;
  }

  private rest(): void {
    this.source?.stop();
    this.source?.disconnect();
    this.source = null;
  }
}

/** An element that begins again by itself; its seam is as good as the browser's. */
export class PlainBed implements Bed {
  private readonly element = new Audio();
  private readonly volume: SteppedVolume;
  private idle: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly url: string | null,
    master: Master,
  ) {
    this.element.loop = true;
    this.element.preload = "auto";
    if (url !== null) this.element.src = url;
    this.volume = new SteppedVolume(this.element, master);
  }

  get level(): number {
    return this.element.paused ? 0 : this.volume.level;
  }

  fade(level: number, seconds: number): void {
    if (this.url === null) return;
    clearTimeout(this.idle);
    // Without a bed a listener waits in silence, nothing worse.
    if (level > 0) this.element.play().catch(() => {});
    this.volume.fade(level, seconds, "smooth");
    if (level > 0) return;
    const wait = this.volume.fades ? seconds : 0;
    this.idle = setTimeout(() => this.element.pause(), (wait + 0.05) * 1000);
  }

  follow(): void {
    this.volume.apply();
  }

  stop(): void {
    clearTimeout(this.idle);
    this.element.pause();
  }
}

async function decode(url: string): Promise<AudioBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  // A context that plays may not be opened before the tap; this one only decodes.
  const decoder = new OfflineAudioContext(1, 1, DECODED_HZ);
  return decoder.decodeAudioData(await response.arrayBuffer());
}
