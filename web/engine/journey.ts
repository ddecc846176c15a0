/**
 * The life of one journey as it is heard: what happened goes in, what is to be done comes out.
 * Pure. What the listener wishes is in wishes.ts, what the decks report in reports.ts, and what
 * follows from the place where one is in deciding.ts.
 */

import { decide } from "./deciding";
import type { JourneyEvent } from "./events";
import { REPORTS } from "./reports";
import type { Journey, Step } from "./state";
import { WISHES } from "./wishes";

const HANDLERS = { ...WISHES, ...REPORTS };

/** What an event changes, and what is to be done then. A late event changes nothing. */
export function step(state: Journey, event: JourneyEvent): Step {
  const handle = HANDLERS[event.event] as (state: Journey, event: JourneyEvent) => Step;
  const first = handle(state, event);
  const then = decide(first.state, event.at);
  return { state: then.state, commands: [...first.commands, ...then.commands] };
}
