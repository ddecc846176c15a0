/** Random actions and events, for property tests. */

import fc from "fast-check";
import type { Segment } from "../run";
import {
  complete,
  failed,
  type PlayerHarness,
  previewed,
  queued,
  ready,
  reserved,
  stored,
} from "./player-harness";

export const PIECES = 3;
const PLANNED = 10;
const NEVER = 1e9;
const KEPT = { ...ready(2, PLANNED), url: "blob:kept" };

type Progress = "queued" | "first" | "complete" | "failed";
type Health = "whole" | "gone" | "stalling" | "short" | "no CORS" | Hanging;
/** What the browser never answers. */
type Hanging = "never opens" | "never seeks" | "never starts";

export type RandomAction =
  | { readonly do: "pass"; readonly seconds: number }
  | { readonly do: "progress"; readonly index: number; readonly to: Progress }
  | { readonly do: "file"; readonly index: number; readonly final: boolean; readonly to: Health }
  | { readonly do: "sign"; readonly to: PlayerHarness["signing"] }
  | { readonly do: "seek"; readonly seconds: number }
  | { readonly do: "online"; readonly online: boolean }
  | { readonly do: "tap"; readonly works: boolean }
  | { readonly do: "reserve"; readonly pieces: number }
  | { readonly do: "reserve file"; readonly index: number; readonly to: Health }
  | { readonly do: "own" }
  | { readonly do: "start" | "pause" | "resume" | "stop" | "next" | "previous" }
  | { readonly do: "call" | "unplug" };

const one = fc.constantFrom;
const index = fc.nat(PIECES - 1);
const progress = one<Progress[]>("queued", "first", "first", "complete", "complete", "failed");
const health = one<Health[]>(
  ...(["whole", "whole", "whole", "gone", "stalling", "short", "no CORS"] as const),
  ...(["never opens", "never seeks", "never starts"] as const),
);
const signing = one<PlayerHarness["signing"][]>("works", "works", "fails", "hangs");
const verb = one("start", "pause", "resume", "resume", "stop", "next", "previous");

export const RANDOM_ACTION: fc.Arbitrary<RandomAction> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ do: one("pass"), seconds: one(0.05, 0.2, 0.5, 1, 2, 4) }) },
  { weight: 4, arbitrary: fc.record({ do: one("progress"), index, to: progress }) },
  { weight: 3, arbitrary: fc.record({ do: one("file"), index, final: fc.boolean(), to: health }) },
  { weight: 2, arbitrary: fc.record({ do: one("reserve"), pieces: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: one("reserve file"), index: fc.nat(1), to: health }),
  },
  { weight: 1, arbitrary: fc.record({ do: one("own") }) },
  { weight: 1, arbitrary: fc.record({ do: one("sign"), to: signing }) },
  { weight: 1, arbitrary: fc.record({ do: one("seek"), seconds: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ do: one("online"), online: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: one("tap"), works: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ do: verb }) },
  { weight: 1, arbitrary: fc.record({ do: one("call", "unplug") }) },
);

/** The service and the listener, pending as they are told. */
export class World {
  /** Whether a file was there once for which the browser does not answer. */
  unanswered = false;
  private readonly segments: Segment[] = [];

  constructor(private readonly harness: PlayerHarness) {
    for (const url of [reserved(0), reserved(1), KEPT.url]) this.put(url, false, "whole");
    for (let i = 0; i < PIECES; i += 1) this.segments.push(queued(i, { plannedSeconds: PLANNED }));
  }

  /** Everything but letting time pass. */
  act(act: RandomAction): void {
    const { player, decks } = this.harness;
    switch (act.do) {
      case "progress":
        return this.progress(act.index, act.to);
      case "file":
        return this.file(act.index, act.final, act.to);
      case "reserve":
        return player.reserve([ready(0, PLANNED), ready(1, PLANNED), KEPT].slice(0, act.pieces));
      case "reserve file":
        return this.put(reserved(act.index), false, act.to);
      case "sign":
        this.harness.signing = act.to;
        return;
      case "seek":
        return player.seek(act.seconds);
      case "online":
        return player.setOnline(act.online);
      case "tap":
        decks.refusing = !act.works;
        return;
      case "start":
        return player.start("run");
      case "call":
        return decks.interrupt();
      case "unplug":
        return decks.audible[0]?.interrupt();
      case "pass":
        return;
      default:
        return player[act.do]();
    }
  }

  /** Every source lives, and nothing stands in the way. */
  heal(): void {
    this.harness.signing = "works";
    this.harness.decks.refusing = false;
    this.harness.player.setOnline(true);
    for (const i of [0, 1]) this.put(reserved(i), false, "whole");
    for (let i = 0; i < PIECES; i += 1) {
      this.file(i, true, "whole");
      this.file(i, false, "whole");
      this.progress(i, "complete");
    }
  }

  private progress(index: number, to: Progress): void {
    const made = { queued, first: previewed, complete, failed }[to];
    this.segments[index] = made(index, { plannedSeconds: PLANNED, durationSeconds: PLANNED });
    const urls = [stored(`s${index}`), `https://stream.test/s${index}.mp3`];
    const known = urls.every((url) => this.harness.media.find(url) !== undefined);
    if (!known && to !== "failed") this.harness.serve(this.segments[index]);
    this.harness.tell(this.segments);
  }

  private file(index: number, final: boolean, to: Health): void {
    const url = final ? stored(`s${index}`) : `https://stream.test/s${index}.mp3`;
    this.put(url, !final, to);
  }

  private put(url: string, live: boolean, to: Health): void {
    const file = { durationSeconds: PLANNED, live };
    const changes = {
      whole: file,
      gone: null,
      stalling: { ...file, arrivedSeconds: 3 },
      short: { ...file, durationSeconds: 4 },
      "no CORS": { ...file, cors: false },
      "never opens": { ...file, opensInSeconds: NEVER },
      "never seeks": { ...file, seeksInSeconds: NEVER, startsBehindSeconds: 0.8 },
      "never starts": { ...file, startsInSeconds: NEVER },
    };
    this.unanswered ||= to.startsWith("never");
    this.harness.media.put(url, changes[to]);
  }
}
