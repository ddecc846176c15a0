/** What did not work, said kindly, with the ways on. */

import type { TroubleKind } from "../../supabase/trouble";
import type { Dictionary } from "../i18n/language";
import { momentOf } from "../i18n/time";
import { troubleLine } from "../line";
import { useApp } from "../parts/app-context";
import { typeset } from "../parts/typeset";

export function Troubled() {
  const app = useApp();
  const { t } = app;
  const view = app.view;
  const quota = view.trouble?.kind === "quota";
  const page = view.trouble?.kind === "page";
  return (
    <div class="screen troubled">
      <div class="lamp-room small" />
      <h1 class="title">{typeset(troubleLine(view, t))}</h1>
      {quota && <Until until={view.trouble?.until ?? null} />}
      <p>{typeset(hintFor(view.trouble?.kind, t))}</p>
      {quota && (
        <a class="button solid wide" href="#runs">
          {t.home.runs}
        </a>
      )}
      {page && (
        <button type="button" class="button solid wide" onClick={() => location.reload()}>
          {t.trouble.reopen}
        </button>
      )}
      {!quota && !page && (
        <button
          type="button"
          class="button solid wide"
          onClick={() => app.parts.listening.tryAgain()}
        >
          {view.stage === "failed" ? t.trouble.composeAgain : t.trouble.tryAgain}
        </button>
      )}
    </div>
  );
}

function hintFor(kind: TroubleKind | undefined, { trouble }: Dictionary): string {
  if (kind === "quota") return trouble.quotaHint;
  return kind === "page" ? trouble.pageHint : trouble.failedHint;
}

function Until({ until }: { until: Date | null }) {
  const { t, state } = useApp();
  if (!until) return null;
  const moment = momentOf(until, new Date(), state.language);
  return <p>{typeset(t.trouble.quotaUntil(moment))}</p>;
}
