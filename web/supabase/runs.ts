/** A listener's runs: created, started, listed, rated (docs/specification.md#functions). */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { Run, RunStatus, SegmentStatus } from "../engine";
import { CANCEL } from "./client";
import { RUN_COLUMNS, type RunRow, readRun } from "./segments";
import { ServiceError } from "./service-error";
import { functionError, queryError } from "./vendor-errors";

export interface RunRequest {
  readonly presetKey: string;
  /** "fear-0.8", "fear", or nothing. */
  readonly emotionState?: string;
  /** The same key again answers the same run: a tap is one run, however often it is sent. */
  readonly idempotencyKey: string;
}

/** The words written for a run; null in a language in which nobody wrote them. */
export interface Brief {
  readonly fr: string | null;
  readonly en: string | null;
}

export interface Created {
  readonly runId: string;
  readonly brief: Brief | null;
}

/** One line of the list of past runs. */
export interface PastRun {
  readonly id: string;
  readonly presetKey: string;
  readonly status: RunStatus;
  /** Given up before it was whole; its owner may have it composed after all. */
  readonly stopped: boolean;
  /** Created, and nothing of it was ever asked for: the answer to its creation was lost. */
  readonly unstarted: boolean;
  readonly createdAt: Date;
  readonly brief: Brief | null;
  readonly sudsStart: number | null;
}

export type SudsMoment = "suds_start" | "suds_mid" | "suds_end";

export interface PastRuns {
  readonly runs: readonly PastRun[];
  /** There may be older ones. */
  readonly older: boolean;
}

/** How many past runs one reading brings. */
const PAGE = 20;
const PAST_COLUMNS =
  "id,preset_key,status,created_at,brief,briefs:metadata->brief,suds_start," +
  "cancelled_at:metadata->>cancelled_at,retry_at:metadata->>retry_at,parcours_segments(status)";

interface PastRow {
  id: string;
  preset_key: string;
  status: RunStatus;
  created_at: string;
  brief: unknown;
  briefs: unknown;
  suds_start: number | null;
  cancelled_at: string | null;
  retry_at: string | null;
  parcours_segments: { status: SegmentStatus }[];
}

/** What the page reads of the answer of parcours-xl-create. */
interface CreateAnswer {
  readonly runId: string;
  readonly brief: unknown;
  readonly briefs: unknown;
}

export class Runs {
  constructor(private readonly client: SupabaseClient) {}

  /** A new run with its brief. Throws ServiceError: quota, signed-out, unreachable, unavailable, refused. */
  async create({ presetKey, emotionState, idempotencyKey }: RunRequest): Promise<Created> {
    const { data, error } = await this.client.functions.invoke<CreateAnswer>("parcours-xl-create", {
      body: { presetKey, ...(emotionState ? { emotionState } : {}) },
      headers: { "Idempotency-Key": idempotencyKey },
    });
    if (error || !data) throw functionError(error);
    return { runId: data.runId, brief: readBrief(data.brief, data.briefs) };
  }

  /** Has every missing piece composed; after a failure, again. */
  async compose(runId: string): Promise<void> {
    const { error } = await this.client.functions.invoke("parcours-xl-runner", { body: { runId } });
    if (!error) return;
    const failure = functionError(error);
    // Every attempt of the run is used up: that is no matter of the listener's day.
    throw failure.kind === "quota" ? new ServiceError("refused", null, { cause: error }) : failure;
  }

  /** Has nothing more bought for the run; what is under way is still stored. Outlives the page. */
  async cancel(runId: string): Promise<void> {
    const { error } = await this.client.functions.invoke(CANCEL, { body: { runId } });
    if (error) throw functionError(error);
  }

  /** The run as it is now, for the engine. */
  async read(runId: string): Promise<Run> {
    const { data, error, status } = await this.client
      .from("parcours_runs")
      .select(RUN_COLUMNS)
      .eq("id", runId)
      .maybeSingle<RunRow>();
    if (error) throw queryError(error, status);
    if (!data) throw new ServiceError("not-found");
    return readRun(data);
  }

  /** Past runs, newest first, `PAGE` at a time, older than a date if one is given. */
  async past(before?: Date): Promise<PastRuns> {
    let query = this.client.from("parcours_runs").select<string, PastRow>(PAST_COLUMNS);
    if (before) query = query.lt("created_at", before.toISOString());
    const { data, error, status } = await query
      .order("created_at", { ascending: false })
      .limit(PAGE);
    if (error) throw queryError(error, status);
    const runs = data.map((row) => ({
      id: row.id,
      presetKey: row.preset_key,
      status: row.status,
      stopped: row.status !== "ready" && row.cancelled_at !== null,
      unstarted: isUnstarted(row),
      createdAt: new Date(row.created_at),
      brief: readBrief(row.brief, row.briefs),
      sudsStart: row.suds_start,
    }));
    return { runs, older: runs.length === PAGE };
  }

  /** Writes what the listener says about themselves, 0-10. Never read back as a score. */
  async rate(runId: string, moment: SudsMoment, value: number): Promise<void> {
    const { error, status } = await this.client
      .from("parcours_runs")
      .update({ [moment]: value })
      .eq("id", runId);
    if (error) throw queryError(error, status);
  }
}

/** Also true of a run whose first piece still waits for a free place at Suno. */
function isUnstarted({ status, retry_at, parcours_segments }: PastRow): boolean {
  const queued = parcours_segments.every((segment) => segment.status === "queued");
  return status === "creating" && retry_at === null && queued;
}

/** `column` is French, and all there is of a run that another client made. */
function readBrief(column: unknown, briefs: unknown): Brief | null {
  const written = typeof briefs === "object" && briefs !== null ? briefs : {};
  const { fr, en } = written as Partial<Record<keyof Brief, unknown>>;
  const brief = { fr: text(fr) ?? text(column), en: text(en) };
  return brief.fr === null && brief.en === null ? null : brief;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
