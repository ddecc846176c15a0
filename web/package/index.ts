/** What another page installs: the engine, and its side of Supabase. */

export * from "../engine";
export { type FeedParts, RunFeed, type Watch } from "../supabase/feed";
export { realtimeWatch } from "../supabase/realtime";
export {
  type Created,
  type PastRun,
  type PastRuns,
  Runs,
  type SudsMoment,
  type Wish,
} from "../supabase/runs";
export { signer } from "../supabase/signer";
export { Trouble, type TroubleKind } from "../supabase/trouble";
