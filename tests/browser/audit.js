// What a screen must be beyond what axe can see. Loaded into the page by its own tests only;
// everything answers with a list of faults, each a short sentence.
window.__audit = (() => {
  const TARGET = 48, STOP = 64, ROUNDING = 0.5;
  const dialog = () => document.querySelector("dialog[open]");
  const room = () => dialog() ?? document.body;
  const isShown = (el) =>
    el.checkVisibility({ visibilityProperty: true }) && el.getBoundingClientRect().width > 0;
  const reached = () =>
    [...room().querySelectorAll("a[href], button, input, select, [tabindex='0']")].filter(
      (el) => el.tabIndex >= 0 && !el.disabled && isShown(el),
    );
  const name = (el) =>
    `${el.localName} « ${(el.ariaLabel ?? el.innerText ?? el.labels?.[0]?.innerText ?? "").trim().slice(0, 40)} »`;
  const stop = () => [...room().querySelectorAll(".stop")].find(isShown);

  // On top at its middle, or its label is.
  function isCovered(el) {
    const { left, right, top, bottom } = el.getBoundingClientRect();
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const hit = document.elementFromPoint(x, y);
    if (!hit) return true;
    return !(el.contains(hit) || hit.contains(el) || hit.closest("label")?.contains(el));
  }

  function targets() {
    return reached().flatMap((el) => {
      const { width, height } = el.getBoundingClientRect();
      const least = (el.classList.contains("stop") ? STOP : TARGET) - ROUNDING;
      const small = width < least || height < least;
      return small ? [`${name(el)} is ${Math.round(width)} x ${Math.round(height)} px`] : [];
    });
  }

  function stopFirst(underWay) {
    const first = stop();
    if (!underWay) return first ? ["there is a Stop where nothing sounds"] : [];
    if (!first) return ["there is no Stop"];
    const faults = reached()[0] === first ? [] : [`${name(reached()[0])} comes before Stop`];
    const { top, bottom, left, right } = first.getBoundingClientRect();
    const inside = top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
    if (!inside || isCovered(first)) faults.push("Stop is not in sight");
    return faults;
  }

  function focus() {
    const before = document.activeElement;
    const faults = [];
    for (const el of reached()) {
      el.focus();
      if (document.activeElement !== el) faults.push(`${name(el)} takes no focus`);
      else if (isCovered(el)) faults.push(`${name(el)} is covered when it has the focus`);
    }
    before?.focus?.();
    scrollTo(0, 0);
    return faults;
  }

  function reflow() {
    const boxes = [document.scrollingElement, ...document.querySelectorAll(".sheet-scroll")];
    const wide = boxes.filter((box) => box.scrollWidth > box.clientWidth + 1);
    const cut = [...room().querySelectorAll("h1, h2, h3, p, button, a, legend, label, span")].filter(
      (el) => isShown(el) && !el.closest(".visually-hidden, .set-aside") && isOutside(el),
    );
    return [
      ...wide.map((box) => `${box.localName} is ${box.scrollWidth} px wide`),
      ...cut.map((el) => `${name(el)} leaves the screen`),
    ];
  }

  function isOutside(el) {
    const { left, right } = el.getBoundingClientRect();
    return left < -1 || right > innerWidth + 1;
  }

  // WCAG 1.4.12
  const spaced = new CSSStyleSheet();
  spaced.replaceSync(
    "* { line-height: 1.5 !important; letter-spacing: 0.12em !important;" +
      " word-spacing: 0.16em !important } p { margin-block-end: 2em !important }",
  );
  return {
    targets,
    stopFirst,
    focus,
    reflow,
    space: (on) => {
      document.adoptedStyleSheets = on ? [spaced] : [];
    },
    enlarge: (percent) => {
      document.documentElement.style.fontSize = percent === 100 ? "" : `${percent}%`;
    },
    settled: () =>
      Promise.allSettled(document.getAnimations().map((animation) => animation.finished)),
  };
})();
