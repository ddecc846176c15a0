/** The page's Supabase clients, opened once. Loaded after the first screen is rendered. */

import { type Feed, type FindReserve, type Sign, systemClock } from "../engine";
import { openClient, type Project } from "./client";
import { RunFeed } from "./feed";
import { realtimeWatch } from "./realtime";
import { reserveFinder } from "./reserve";
import { Runs } from "./runs";
import type { ServiceError } from "./service-error";
import { Session } from "./session";
import { signer } from "./signer";

export interface Backend {
  readonly session: Session;
  readonly runs: Runs;
  readonly feed: Feed;
  readonly sign: Sign;
  readonly reserve: FindReserve;
}

/** `lost` is told when the run that is followed can no longer be read. */
export function openBackend(
  project: Project & { readonly realtime: boolean },
  lost: (error: ServiceError) => void,
): Backend {
  const client = openClient(project);
  const runs = new Runs(client);
  const feed = new RunFeed({
    clock: systemClock,
    read: (runId) => runs.read(runId),
    page: document,
    lost,
    ...(project.realtime ? { watch: realtimeWatch(client) } : {}),
  });
  return {
    session: new Session(client),
    runs,
    feed,
    sign: signer(client),
    reserve: reserveFinder(client),
  };
}
