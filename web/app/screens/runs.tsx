/** Past runs: heard again, joined, or composed to their end. */

import { useEffect, useState } from "preact/hooks";
import type { PastRun } from "../../supabase/runs";
import { asServiceError, type ServiceErrorKind } from "../../supabase/service-error";
import { SignOut } from "../account/sign-out";
import { momentOf } from "../i18n/time";
import { useApp } from "../parts/app-context";
import { typeset } from "../parts/typeset";

export function PastRuns() {
  const app = useApp();
  const { t, state } = app;
  const { runs, older, failed, more } = usePastRuns();
  const offline = !state.online && state.listener && !runs;
  return (
    <div class="screen runs">
      <div class="light-space small" />
      <h1 class="title">{t.runs.title}</h1>
      {state.listener?.anonymous && (
        <p class="keep-offer">
          <span class="quiet">{typeset(t.keep.browserOnly)}</span>
          <a class="button bare" href="#keep">
            {t.keep.open}
          </a>
        </p>
      )}
      {(failed || offline) && (
        <p role="status">
          {typeset(t.errors[failed === "internal" ? "page" : state.online ? "service" : "offline"])}
        </p>
      )}
      {runs?.length === 0 && !failed && <p class="quiet">{typeset(t.runs.none)}</p>}
      <ul class="plain">
        {runs?.map((run) => (
          <li key={run.id}>
            <RunLine run={run} />
          </li>
        ))}
      </ul>
      {older && (
        <button type="button" class="button bare" onClick={more}>
          {t.runs.older}
        </button>
      )}
      <SignOut />
    </div>
  );
}

function RunLine({ run }: { run: PastRun }) {
  const app = useApp();
  const { t } = app;
  const { language } = app.state;
  const title = app.preset(run.presetKey)?.title[language] ?? t.runs.unknownPreset;
  const when = t.runs.when(momentOf(run.createdAt, new Date(), language));
  const state = stateOf(run);
  const action = {
    ready: t.runs.listen,
    creating: t.runs.join,
    unstarted: t.runs.begin,
    failed: t.runs.compose,
    stopped: t.runs.takeBack,
  }[state];
  return (
    <div class="run">
      <p class="run-what">
        <span class="card-title">{typeset(title)}</span>
        <span class="quiet">{typeset(when)}</span>
        {state !== "ready" && <span class="quiet">{typeset(t.runs[state])}</span>}
      </p>
      <button
        type="button"
        class="button line"
        aria-label={t.runs.about(action, title, when)}
        onClick={() => app.replay(run, run.status !== "ready")}
      >
        {action}
      </button>
    </div>
  );
}

function stateOf(run: PastRun): PastRun["status"] | "stopped" | "unstarted" {
  if (run.stopped) return "stopped";
  return run.unstarted ? "unstarted" : run.status;
}

function usePastRuns() {
  const { parts, state } = useApp();
  const [runs, setRuns] = useState<readonly PastRun[] | null>(null);
  const [older, setOlder] = useState(false);
  const [failed, setFailed] = useState<ServiceErrorKind | null>(null);
  const read = async (known: readonly PastRun[]) => {
    try {
      const past = await (await parts.backend).runs.past(known.at(-1)?.createdAt);
      setRuns([...known, ...past.runs]);
      setOlder(past.older);
      setFailed(null);
    } catch (error) {
      setFailed(asServiceError(error).kind);
      parts.onInternalError(error);
    }
  };
  useEffect(() => {
    if (state.listener && state.online) void read([]);
  }, [state.listener?.id, state.online]);
  return { runs: state.listener ? runs : [], older, failed, more: () => void read(runs ?? []) };
}
