/** Registers the service worker, so that the page opens offline too: its help is needed most then. */

/** Tells the service worker which files to cache. */
export function cacheForOffline(): void {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  navigator.serviceWorker
    .register("sw.js")
    .then(() => navigator.serviceWorker.ready)
    .then(({ active }) => active?.postMessage({ keep: ownFiles() }))
    // Forbidden in some private windows; the page works without.
    .catch(() => {});
}

function ownFiles(): string[] {
  const here = new URL(".", location.href).href;
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  const files = loaded.filter((name) => name.startsWith(here) && !name.includes("?"));
  return [
    here,
    ...files.filter((name) =>
      /\/assets\/(?!.*\.mp3$)|\/assets\/bed-start-|\.json$|\.svg$/.test(name),
    ),
  ];
}
