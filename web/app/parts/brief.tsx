/**
 * The words written for this run, in the page's language; else as they were written. Until they are
 * there, the preset's own, under the title of its first piece.
 */

import { useApp } from "./app-context";
import { typeset } from "./typeset";

export function Brief() {
  const app = useApp();
  const { view, state, t } = app;
  const preset = app.preset(view.presetKey);
  const { fr, en } = view.brief ?? preset?.text ?? { fr: null, en: null };
  if (fr === null && en === null) return null;
  const french = en === null || (state.language === "fr" && fr !== null);
  const title = view.brief ? undefined : preset?.firstTitle?.[state.language];
  return (
    <>
      {title && <p class="first-title">{typeset(t.waiting.first(title))}</p>}
      <p class="brief" lang={french ? "fr" : "en"}>
        {french ? fr : en}
      </p>
    </>
  );
}
