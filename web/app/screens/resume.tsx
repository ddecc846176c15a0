/** Music that needs one tap: kept over a reload, or sounding in another tab. */

import { useApp } from "../parts/app-context";
import { typeset } from "../parts/typeset";

export function Kept({ keptAt }: { keptAt: number | null }) {
  const { t } = useApp();
  const begun = keptAt !== null && keptAt >= 1;
  const words = begun ? t.resume.at(keptAt) : t.resume.fromStart;
  return <OneTap title={t.resume.title} words={words} />;
}

export function Elsewhere() {
  const { t } = useApp();
  return <OneTap title={t.tabs.elsewhere} words={t.tabs.here} />;
}

function OneTap({ title, words }: { title: string; words: string }) {
  const app = useApp();
  return (
    <div class="screen one-tap">
      <div class="light-space" />
      <h1 class="title">{typeset(title)}</h1>
      <button type="button" class="button solid wide" onClick={app.resume}>
        {words}
      </button>
      <button type="button" class="button bare" onClick={app.leave}>
        {app.t.resume.leave}
      </button>
    </div>
  );
}
