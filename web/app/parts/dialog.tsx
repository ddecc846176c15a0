/** A sheet over the screen. Escape and the close button close it; Stop is there too. */

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { isUnderWay } from "../journey/journey-view";
import { useApp } from "./app-context";
import { Stop } from "./control-bar";

interface SheetProps {
  readonly title: string;
  readonly close: string;
  readonly children: ComponentChildren;
}

export function Sheet({ title, close, children }: SheetProps) {
  const app = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useLayoutEffect(() => {
    const shown = dialog.current;
    if (shown && !shown.open) shown.showModal();
    // The next Tab reaches Stop; closing gives the focus back to where it was.
    shown?.focus();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="sheet"
      tabIndex={-1}
      aria-labelledby={heading}
      onClose={() => app.open(null)}
    >
      {isUnderWay(app.view.phase) && (
        <div class="bar">
          <Stop />
        </div>
      )}
      <div class="sheet-scroll">
        <div class="sheet-body">
          <div class="sheet-head">
            <h2 id={heading} class="title">
              {title}
            </h2>
            <button type="button" class="button line" onClick={() => app.open(null)}>
              {close}
            </button>
          </div>
          {children}
        </div>
      </div>
      <p class="visually-hidden" role="status">
        {app.state.announcement}
      </p>
    </dialog>
  );
}
