/** What another page installs: the engine, and its side of Supabase. */

export * from "../engine";
export { type ChangeWatch, type FeedParts, RunFeed } from "../supabase/feed";
export { realtimeWatch } from "../supabase/realtime";
export { reserveFinder } from "../supabase/reserve";
export {
  type Created,
  type PastRun,
  type PastRuns,
  type RunRequest,
  Runs,
  type SudsMoment,
} from "../supabase/runs";
export { ServiceError, type ServiceErrorKind } from "../supabase/service-error";
export { signer } from "../supabase/signer";
