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

  // Text and controls as boxes on the screen, those of hidden rooms left out.
  function boxes() {
    const words = document.createTreeWalker(room(), NodeFilter.SHOW_TEXT);
    const found = [];
    while (words.nextNode()) {
      const el = words.currentNode.parentElement;
      if (!words.currentNode.data.trim() || !isShown(el) || el.closest(".visually-hidden, .set-aside"))
        continue;
      const range = document.createRange();
      range.selectNodeContents(words.currentNode);
      found.push(...[...range.getClientRects()].map((box) => ({ el, box })));
    }
    return found;
  }

  const meet = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const drawn = () => new Promise((then) => requestAnimationFrame(() => setTimeout(then)));

  // Nothing is read or tapped beside or behind Help, wherever one has scrolled to.
  async function help() {
    const button = dialog() ? null : document.querySelector(".top .help-button");
    if (!button) return [];
    const faults = new Set();
    const end = document.scrollingElement.scrollHeight - innerHeight;
    for (let y = 0; y <= Math.max(end, 0); y += Math.max(innerHeight / 7, 40)) {
      scrollTo(0, y);
      await drawn();
      const area = button.getBoundingClientRect();
      for (const { el, box } of boxes()) {
        if (button.contains(el) || !meet(area, box)) continue;
        // Under the strip from one side to the other nobody takes it for something to read.
        const x = box.left + 1 < area.left ? box.left + 1 : box.right - 1;
        const seen = document.elementFromPoint(x, Math.max(area.top, box.top) + 1);
        const strip = getComputedStyle(button.closest(".top"), "::before").visibility === "visible";
        if (!strip || (seen && el.contains(seen))) faults.add(`Help covers ${name(el)}`);
      }
    }
    scrollTo(0, 0);
    await drawn();
    return [...faults];
  }

  // Eleven equal places in one grid, no more than one of its places empty.
  function scales() {
    return [...room().querySelectorAll(".scale-steps")].filter(isShown).flatMap((scale) => {
      const steps = [...scale.children].map((step) => step.getBoundingClientRect());
      const tops = [...new Set(steps.map(({ top }) => Math.round(top)))];
      const columns = steps.filter(({ top }) => Math.round(top) === tops[0]).length;
      const sizes = steps.map(({ width, height }) => [width, height]);
      const even = sizes.every(([w, h]) => Math.abs(w - sizes[0][0]) < 1 && Math.abs(h - sizes[0][1]) < 1);
      const empty = tops.length * columns - steps.length;
      return even && empty <= 1 ? [] : [`the steps stand ${columns} in a row, ${empty} places empty`];
    });
  }

  // The way forward, where there is one; else Stop.
  function loudest(underWay) {
    if (matchMedia("(forced-colors: active)").matches) return [];
    const loud = [...room().querySelectorAll("button, a.button")].filter(
      (el) => isShown(el) && getComputedStyle(el).backgroundColor === getComputedStyle(document.body).color,
    );
    const faults = loud.length > 1 ? loud.map((el) => `${name(el)} is as loud as another`) : [];
    const asks = document.querySelector(".account, .error-screen, .ask .solid");
    if (underWay && loud.length === 0) faults.push("no button is the loudest");
    if (underWay && !dialog() && asks && loud.includes(stop())) faults.push("Stop is louder than the way on");
    return faults;
  }

  // What a person waits with is read without scrolling.
  function fold() {
    const words = dialog() ? null : document.querySelector(".waiting h1");
    if (!words || document.querySelector(".scale")) return [];
    const { top, bottom } = words.getBoundingClientRect();
    const bar = document.querySelector("main > .bar")?.getBoundingClientRect().top ?? innerHeight;
    return top < 0 || bottom > bar ? [`${name(words)} is below the fold`] : [];
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

  // How it looks: the measures of a lamp in a dark room.
  const COLUMN_REM = 34, LINE_CHARACTERS = 60, TRANSITION_MS = 600;
  const GROUND = { dark: "rgb(14, 17, 22)", light: "rgb(246, 242, 234)" };
  const TEXT = { dark: "rgb(237, 232, 223)", light: "rgb(35, 38, 43)" };
  const HARSH = ["rgb(0, 0, 0)", "rgb(255, 255, 255)"];
  const shown = (selector) => [...room().querySelectorAll(selector)].filter(isShown);

  function looks() {
    return [...colours(), ...type(), ...lines(), ...columns(), ...movements(), ...middles()];
  }

  function colours() {
    const theme = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
    const [page, words] = [document.documentElement, document.body].map((el) => getComputedStyle(el));
    const faults = [];
    if (page.backgroundColor !== GROUND[theme]) faults.push(`the ground is ${page.backgroundColor}`);
    if (words.color !== TEXT[theme]) faults.push(`text is ${words.color}`);
    for (const el of shown("*:not([type='radio'], [type='checkbox'], [type='range'])")) {
      const { color, backgroundColor } = getComputedStyle(el);
      if (HARSH.includes(color)) faults.push(`${name(el)} is written in ${color}`);
      if (HARSH.includes(backgroundColor)) faults.push(`${name(el)} lies on ${backgroundColor}`);
    }
    if (document.querySelectorAll("canvas").length > 1) faults.push("there are several lights");
    return faults;
  }

  function type() {
    const { fontSize, lineHeight } = getComputedStyle(document.body);
    const faults = [];
    if (fontSize !== "18px") faults.push(`text is of ${fontSize}`);
    if (Math.abs(parseFloat(lineHeight) / 18 - 1.6) > 0.01) faults.push(`lines are ${lineHeight} high`);
    for (const title of shown("h1")) {
      const { fontSize: size, fontFamily } = getComputedStyle(title);
      if (parseFloat(size) < 32 || parseFloat(size) > 44) faults.push(`${name(title)} is of ${size}`);
      if (!fontFamily.includes("Literata")) faults.push(`${name(title)} is set in ${fontFamily}`);
    }
    const bold = shown("h1, h2, h3").filter((el) => getComputedStyle(el).fontWeight >= 600);
    return [...faults, ...bold.map((el) => `${name(el)} is bold`)];
  }

  function lines() {
    const long = shown("p, li, legend").filter(
      (el) => !el.closest(".visually-hidden") && longestLine(el) > LINE_CHARACTERS,
    );
    return long.map((el) => `${name(el)} has lines of ${longestLine(el)} characters`);
  }

  // A list's items may hold paragraphs of their own: only an element's own words are its lines.
  function longestLine(el) {
    const length = new Map();
    const range = document.createRange();
    for (const node of el.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE) continue;
      for (let at = 0; at < node.length; at += 1) {
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        const top = Math.round(range.getBoundingClientRect().top);
        length.set(top, (length.get(top) ?? 0) + 1);
      }
    }
    return Math.max(0, ...length.values());
  }

  function columns() {
    const most = COLUMN_REM * parseFloat(getComputedStyle(document.documentElement).fontSize) + 1;
    return shown(".screen > *, .sheet-body > *").flatMap((el) => {
      const width = el.clientWidth - sides(el);
      return width > most ? [`${name(el)} is ${Math.round(width)} px wide`] : [];
    });
  }

  function sides(el) {
    const { paddingLeft, paddingRight } = getComputedStyle(el);
    return parseFloat(paddingLeft) + parseFloat(paddingRight);
  }

  function movements() {
    return shown("*").flatMap((el) => {
      const { transitionProperty: what, transitionDuration: long } = getComputedStyle(el);
      if (parseFloat(long) === 0) return [];
      const slow = parseFloat(long) * 1000 > TRANSITION_MS;
      return what !== "opacity" || slow ? [`${name(el)} changes its ${what} in ${long}`] : [];
    });
  }

  // What is said of a journey stands under its light.
  function middles() {
    const middle = (el) => {
      const { left, right } = el.getBoundingClientRect();
      return (left + right) / 2;
    };
    const aside = shown(".words > *").filter(
      (el) => Math.abs(middle(el) - middle(el.parentElement)) > 1,
    );
    return aside.map((el) => `${name(el)} is not in the middle`);
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
    help,
    loudest,
    reflow,
    layout: async () => [...(await help()), ...scales(), ...fold()],
    looks,
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
