/** The error screen: what failed, and what the listener can do. */

import type { ServiceErrorKind } from "../../supabase/service-error";
import type { Dictionary } from "../i18n/language";
import { momentOf } from "../i18n/time";
import { errorText } from "../journey/status-text";
import { useApp } from "../parts/app-context";
import { typeset } from "../parts/typeset";

export function ErrorScreen() {
  const app = useApp();
  const { t } = app;
  const view = app.view;
  const quota = view.error?.kind === "quota";
  const page = view.error?.kind === "internal";
  return (
    <div class="screen error-screen">
      <div class="light-space small" />
      <h1 class="title">{typeset(errorText(view, t))}</h1>
      {quota && <Until until={view.error?.until ?? null} />}
      <p>{typeset(hintFor(view.error?.kind, t))}</p>
      {quota && (
        <a class="button solid wide" href="#runs">
          {t.home.runs}
        </a>
      )}
      {page && (
        <button type="button" class="button solid wide" onClick={() => location.reload()}>
          {t.errors.reopen}
        </button>
      )}
      {!quota && !page && (
        <button
          type="button"
          class="button solid wide"
          onClick={() => app.parts.journey.tryAgain()}
        >
          {view.phase === "failed" ? t.errors.composeAgain : t.errors.tryAgain}
        </button>
      )}
    </div>
  );
}

function hintFor(kind: ServiceErrorKind | undefined, { errors }: Dictionary): string {
  if (kind === "quota") return errors.quotaHint;
  return kind === "internal" ? errors.pageHint : errors.failedHint;
}

function Until({ until }: { until: Date | null }) {
  const { t, state } = useApp();
  if (!until) return null;
  const moment = momentOf(until, new Date(), state.language);
  return <p>{typeset(t.errors.quotaUntil(moment))}</p>;
}
