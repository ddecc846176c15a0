/** What did not work, said kindly, with the ways on. */

import { momentOf } from "../i18n/time";
import { troubleLine } from "../line";
import { useApp } from "../parts/app-context";
import { typeset } from "../parts/typeset";

export function Troubled() {
  const app = useApp();
  const { t } = app;
  const view = app.view;
  const quota = view.trouble?.kind === "quota";
  const hint = quota ? t.trouble.quotaHint : t.trouble.failedHint;
  return (
    <div class="screen troubled">
      <div class="lamp-room small" />
      <h1 class="title">{typeset(troubleLine(view, t))}</h1>
      {quota && <Until until={view.trouble?.until ?? null} />}
      <p>{typeset(hint)}</p>
      {quota ? (
        <a class="button line strong wide" href="#runs">
          {t.home.runs}
        </a>
      ) : (
        <button
          type="button"
          class="button line strong wide"
          onClick={() => app.parts.listening.tryAgain()}
        >
          {view.stage === "failed" ? t.trouble.composeAgain : t.trouble.tryAgain}
        </button>
      )}
    </div>
  );
}

function Until({ until }: { until: Date | null }) {
  const { t, state } = useApp();
  if (!until) return null;
  const moment = momentOf(until, new Date(), state.language);
  return <p>{typeset(t.trouble.quotaUntil(moment))}</p>;
}
