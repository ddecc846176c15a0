/** Moves the focus when the focused element is removed. */

/**
 * Whatever had the focus may vanish: an offer that was taken, a button of the waiting screen when
 * the music begins. A browser then starts again from the top of the document. The focus goes to the
 * nearest part around it that is still there and can take it (`tabindex`), else to the open dialog
 * or the screen, so that the next Tab reaches what came in its place.
 */
export class FocusKeeper {
  /** What had the focus last, and all around it, from the inside out. */
  private path: readonly HTMLElement[] = [];
  private readonly observer = new MutationObserver(() => this.keep());
  private readonly focused = (event: Event) => {
    this.path = pathOf(event.target as HTMLElement);
  };

  start(): void {
    document.addEventListener("focusin", this.focused);
    this.observer.observe(document.body, { childList: true, subtree: true });
  }

  stop(): void {
    document.removeEventListener("focusin", this.focused);
    this.observer.disconnect();
  }

  private keep(): void {
    const [lost] = this.path;
    const { activeElement, body } = document;
    if (!lost || lost.isConnected || (activeElement && activeElement !== body)) return;
    const around = this.path.find((one) => one.isConnected && one.hasAttribute("tabindex"));
    const heir = around ?? document.querySelector<HTMLElement>("dialog[open], main");
    this.path = [];
    heir?.focus({ preventScroll: true });
  }
}

function pathOf(element: HTMLElement): readonly HTMLElement[] {
  const path: HTMLElement[] = [];
  for (let one: HTMLElement | null = element; one; one = one.parentElement) path.push(one);
  return path;
}
