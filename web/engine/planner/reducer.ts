/**
 * The life of one journey as it is heard: what happened goes in, what is to be done comes out.
 * Pure. What the listener wishes is in wishes.ts, what the decks report in reports.ts, and what
 * follows from the place where one is in deciding.ts.
 */

import type { JourneyEvent } from "./events";
import { plan } from "./planner";
import { PLAYBACK_EVENTS } from "./playback-events";
import type { Journey, Step } from "./state";
import { USER_ACTIONS } from "./user-actions";

const HANDLERS = { ...USER_ACTIONS, ...PLAYBACK_EVENTS };

/** What an event changes, and what is to be done then. A late event changes nothing. */
export function reduce(state: Journey, event: JourneyEvent): Step {
  const handle = HANDLERS[event.event] as (state: Journey, event: JourneyEvent) => Step;
  const first = handle(state, event);
  const then = plan(first.state, event.at);
  return { state: then.state, commands: [...first.commands, ...then.commands] };
}
