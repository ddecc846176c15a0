/** The words written for this run, in the page's language; else as they were written. */

import { useApp } from "./app-context";

export function Brief() {
  const { view, state } = useApp();
  const { fr, en } = view.brief ?? { fr: null, en: null };
  const french = en === null || (state.language === "fr" && fr !== null);
  return (
    <p class="brief" lang={french ? "fr" : "en"}>
      {french ? fr : en}
    </p>
  );
}
