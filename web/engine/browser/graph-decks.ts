/** All that sounds, through Web Audio: one context, two decks, the bed, and two plain decks. */

import { type Deck, type Decks, type DecksEvent, TapNeeded } from "../deck";
import { type BedFiles, GraphBed } from "./beds";
import { PlainDeck } from "./plain-deck";
import { declarePlayback, needsPriming } from "./platform";
import { WebAudioDeck } from "./web-audio-deck";

const VOLUME_RAMP_SECONDS = 0.03;
const UNLOCK_MS_MAX = 3000;

interface Graph {
  readonly context: AudioContext;
  readonly master: GainNode;
  readonly meter: AnalyserNode;
  readonly decks: readonly WebAudioDeck[];
}

export class GraphDecks implements Decks {
  readonly bed: GraphBed;
  private graph: Graph | null = null;
  private readonly loudness = { volume: 1, muted: false };
  /** Hosts that do not allow CORS are heard outside the graph. */
  private readonly plain = [new PlainDeck(this.loudness), new PlainDeck(this.loudness)];
  private readonly listeners = new Set<(event: DecksEvent) => void>();
  private ear = new AbortController();
  private ran = false;
  private primed = false;
  private samples = new Float32Array(2048);

  constructor(private readonly files: BedFiles) {
    this.bed = new GraphBed(files);
  }

  /** None in the graph before the first tap. */
  get decks(): readonly Deck[] {
    return [...(this.graph?.decks ?? []), ...this.plain];
  }

  start(): void {
    for (const deck of this.plain) deck.start();
    const { signal } = this.ear;
    document.addEventListener("visibilitychange", () => this.lookAgain(), { signal });
  }

  stop(): void {
    this.ear.abort();
    this.ear = new AbortController();
    this.bed.stop();
    for (const deck of [...(this.graph?.decks ?? []), ...this.plain]) deck.stop();
    void this.graph?.context.close();
    this.graph = null;
    this.listeners.clear();
  }

  async unlock(): Promise<void> {
    declarePlayback();
    const graph = this.open();
    this.prime(graph);
    void this.bed.open(graph.context, graph.master);
    // Where no gesture is believed in, the promise of resume() is kept for ever.
    await Promise.race([
      graph.context.resume(),
      new Promise((_, refuse) => setTimeout(() => refuse(new TapNeeded()), UNLOCK_MS_MAX)),
    ]);
  }

  volume(volume: number, muted: boolean): void {
    Object.assign(this.loudness, { volume, muted });
    for (const deck of this.plain) deck.follow();
    if (this.graph) this.applyVolume(this.graph);
  }

  rms(): number {
    if (!this.graph) return 0;
    this.graph.meter.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0);
    return Math.sqrt(power / this.samples.length);
  }

  watch(listener: (event: DecksEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private prime({ decks }: Graph): void {
    const url = this.files.startUrl ?? this.files.url;
    if (this.primed || url === null || !needsPriming()) return;
    this.primed = true;
    for (const deck of [...decks, ...this.plain]) deck.prime(url);
  }

  private open(): Graph {
    this.graph ??= this.build(new AudioContext());
    return this.graph;
  }

  private build(context: AudioContext): Graph {
    const master = context.createGain();
    const meter = context.createAnalyser();
    master.connect(meter).connect(context.destination);
    const decks = [new WebAudioDeck(context, master), new WebAudioDeck(context, master)];
    for (const deck of decks) deck.start();
    const { signal } = this.ear;
    context.addEventListener("statechange", () => this.contextChanged(context), { signal });
    const { volume, muted } = this.loudness;
    master.gain.value = muted ? 0 : volume;
    return { context, master, meter, decks };
  }

  private applyVolume({ context, master }: Graph): void {
    const { volume, muted } = this.loudness;
    const { currentTime } = context;
    master.gain.setTargetAtTime(muted ? 0 : volume, currentTime, VOLUME_RAMP_SECONDS / 3);
  }

  /** iOS says `interrupted`, others `suspended`: the system took the sound away. */
  private contextChanged(context: AudioContext): void {
    if (context.state === "running") {
      if (this.ran) this.tell("restored");
      this.ran = true;
    } else if (this.ran && context.state !== "closed") {
      this.tell("interrupted");
    }
  }

  /** The context wakes when the page is seen again; the music waits for its button. */
  private lookAgain(): void {
    const context = this.graph?.context;
    if (!context || document.hidden || !this.ran || context.state === "running") return;
    context.resume().catch(() => {});
  }

  private tell(event: DecksEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }
}
