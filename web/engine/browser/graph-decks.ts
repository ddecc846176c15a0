/** Decks and bed through Web Audio: one context, two decks, the bed, and two plain decks. */

import { type Deck, type Decks, type DecksEvent, GestureNeeded } from "../deck";
import { attemptAll } from "../errors";
import { type BedFiles, GraphBed } from "./beds";
import { OutputClock } from "./output-clock";
import { PlainDeck } from "./plain-deck";
import { declarePlayback } from "./platform";
import { StartQuirks } from "./start-quirks";
import { WebAudioDeck } from "./web-audio-deck";

const VOLUME_RAMP_SECONDS = 0.03;
const UNLOCK_MS_MAX = 3000;
/** Resuming a context changes its state; that is not an interruption by the system. */
const WAKE_MS_MAX = 1000;

interface Graph {
  readonly context: AudioContext;
  readonly clock: OutputClock;
  readonly master: GainNode;
  readonly meter: AnalyserNode;
  readonly decks: readonly WebAudioDeck[];
}

export class GraphDecks implements Decks {
  readonly bed: GraphBed;
  private graph: Graph | null = null;
  private readonly loudness = { volume: 1, muted: false };
  private readonly quirks = new StartQuirks();
  private readonly plainQuirks = new StartQuirks();
  /** Hosts that do not allow CORS are heard outside the graph. */
  private readonly plain = [0, 1].map(() => new PlainDeck(this.loudness, this.plainQuirks));
  private readonly listeners = new Set<(event: DecksEvent) => void>();
  private subscriptions = new AbortController();
  private ran = false;
  private primed = false;
  /** Suspended on purpose: since `cut()`, until `unlock()`. */
  private asleep = false;
  private waking = false;
  private samples = new Float32Array(2048);

  constructor(private readonly files: BedFiles) {
    this.bed = new GraphBed(files);
  }

  /** None in the graph before the first tap. */
  get decks(): readonly Deck[] {
    return this.all;
  }

  start(): void {
    for (const deck of this.plain) deck.start();
    const { signal } = this.subscriptions;
    document.addEventListener("visibilitychange", () => this.lookAgain(), { signal });
  }

  stop(): void {
    this.subscriptions.abort();
    this.subscriptions = new AbortController();
    attemptAll(
      () => this.renew(),
      ...this.plain.map((deck) => () => deck.stop()),
      () => this.listeners.clear(),
    );
  }

  async unlock(): Promise<void> {
    this.asleep = false;
    declarePlayback();
    const graph = this.open();
    attemptAll(
      () => this.prime(graph),
      () => void this.bed.open(graph.context, graph.master).catch(() => {}),
    );
    await this.run(graph.context);
  }

  volume(volume: number, muted: boolean): void {
    Object.assign(this.loudness, { volume, muted });
    attemptAll(
      ...this.plain.map((deck) => () => deck.follow()),
      () => this.graph && this.applyVolume(this.graph),
    );
  }

  rms(): number {
    if (!this.graph) return 0;
    this.graph.meter.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0);
    return Math.sqrt(power / this.samples.length);
  }

  fadeOut(seconds: number): void {
    attemptAll(...this.all.map((deck) => () => deck.fade(0, seconds, "smooth")), () =>
      this.bed.fade(0, seconds),
    );
  }

  cut(emptied: boolean): void {
    this.asleep = true;
    attemptAll(
      ...this.all.map((deck) => () => deck.cut(emptied)),
      () => this.bed.cut(),
      () => this.sleep(),
    );
  }

  get silent(): boolean {
    const moving = this.all.filter((deck) => !deck.still);
    return moving.length === 0 && this.bed.still && this.graph?.context.state !== "running";
  }

  get outputSeconds(): number | null {
    if (this.graph?.context.state !== "running" || this.asleep) return null;
    const { context, clock } = this.graph;
    clock.now();
    return context.currentTime;
  }

  wake(): void {
    const context = this.graph?.context;
    if (!context || this.asleep) return;
    this.waking = true;
    setTimeout(() => {
      this.waking = false;
    }, WAKE_MS_MAX);
    const resume = () => (this.asleep ? undefined : context.resume());
    context
      .suspend()
      .then(resume)
      .catch(() => {});
  }

  renew(): void {
    const { graph } = this;
    this.graph = null;
    this.ran = false;
    this.primed = false;
    if (!graph) return;
    attemptAll(
      () => this.bed.stop(),
      ...graph.decks.map((deck) => () => deck.lose()),
      () => graph.master.disconnect(),
      ...graph.decks.map((deck) => () => deck.stop()),
      () => void graph.context.close().catch(() => {}),
    );
  }

  watch(listener: (event: DecksEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private get all(): readonly (WebAudioDeck | PlainDeck)[] {
    return [...(this.graph?.decks ?? []), ...this.plain];
  }

  /** In every browser: which of them permit an element to play later cannot be asked. */
  private prime({ decks }: Graph): void {
    const url = this.files.startUrl ?? this.files.url;
    if (this.primed || url === null) return;
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
    const clock = new OutputClock(context);
    const decks = [0, 1].map(() => new WebAudioDeck(context, master, clock, this.quirks));
    for (const deck of decks) deck.start();
    const { signal } = this.subscriptions;
    context.addEventListener("statechange", () => clock.forget(), { signal });
    context.addEventListener("statechange", () => this.contextChanged(context), { signal });
    const { volume, muted } = this.loudness;
    master.gain.value = muted ? 0 : volume;
    return { context, clock, master, meter, decks };
  }

  /** Where no gesture is believed in, the promise of resume() is kept for ever. */
  private async run(context: AudioContext): Promise<void> {
    const resumed = context.resume();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve, refuse) => {
      timer = setTimeout(() => {
        const given = this.asleep || context.state === "running" || context !== this.graph?.context;
        if (given) resolve();
        else refuse(new GestureNeeded());
      }, UNLOCK_MS_MAX);
    });
    await Promise.race([resumed, late]).finally(() => clearTimeout(timer));
  }

  private applyVolume({ context, master }: Graph): void {
    const { volume, muted } = this.loudness;
    const { currentTime } = context;
    master.gain.setTargetAtTime(muted ? 0 : volume, currentTime, VOLUME_RAMP_SECONDS / 3);
  }

  private sleep(): void {
    const context = this.graph?.context;
    // What is refused is seen when it is verified that nothing sounds.
    if (context?.state === "running") context.suspend().catch(() => {});
  }

  /** iOS says `interrupted`, others `suspended`: the system took the sound away. */
  private contextChanged(context: AudioContext): void {
    if (context !== this.graph?.context) return;
    if (context.state === "running") {
      if (this.asleep) return this.sleep();
      if (this.ran) this.tell("restored");
      this.ran = true;
    } else if (this.ran && !this.asleep && !this.waking && context.state !== "closed") {
      this.tell("interrupted");
    }
  }

  /** The context resumes when the page is visible again; the music waits for the button. */
  private lookAgain(): void {
    const context = this.graph?.context;
    if (!context || document.hidden || this.asleep || !this.ran || context.state === "running") {
      return;
    }
    context.resume().catch(() => {});
  }

  private tell(event: DecksEvent): void {
    attemptAll(...[...this.listeners].map((listener) => () => listener(event)));
  }
}
