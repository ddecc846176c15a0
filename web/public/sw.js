// Keeps the page itself, so that it opens without a network: its HTML, its hashed assets, and the
// two descriptions it reads, and the short sound for waiting. Never music, never an answer of
// Supabase: pieces are kept by the page itself (web/app/network/kept-pieces.ts).

const KEPT = "parcours-xl-page-1";
const here = new URL("./", self.location.href);
const isBedStart = (url) => url.href.startsWith(`${here}assets/bed-start-`);
const isAsset = (url) =>
  url.href.startsWith(`${here}assets/`) && (!url.pathname.endsWith(".mp3") || isBedStart(url));
const isDescription = (url) =>
  url.href === `${here}config.json` || url.href === `${here}presets.json`;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  const files = Array.isArray(event.data?.keep) ? event.data.keep : [];
  event.waitUntil(keep(files.filter((file) => file.startsWith(here.href))));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== here.origin) return;
  if (request.mode === "navigate" && url.pathname === here.pathname) {
    event.respondWith(freshOrKept(new Request(here.href)));
  } else if (isDescription(url)) {
    event.respondWith(freshOrKept(request));
  } else if (isAsset(url) || url.href === `${here}icon.svg`) {
    event.respondWith(keptOrFresh(request));
  }
});

// What the newest page was made of replaces what an older one was made of. A page without one of its
// scripts does not open: all that it needs is kept, or nothing new. A page may name a file twice,
// which addAll refuses.
async function keep(files) {
  const cache = await caches.open(KEPT);
  const wanted = new Set(files);
  const needed = [...wanted].filter((file) => file === here.href || /\.(js|css|json)$/.test(file));
  await cache.addAll(needed);
  for (const file of wanted) if (!needed.includes(file)) await cache.add(file).catch(() => {});
  for (const request of await cache.keys()) {
    if (!wanted.has(request.url)) await cache.delete(request);
  }
}

async function freshOrKept(request) {
  try {
    const response = await fetch(request);
    if (response.ok) return response;
    return (await kept(request)) ?? response;
  } catch (error) {
    const response = await kept(request);
    if (response) return response;
    throw error;
  }
}

// An asset's name says what is in it: it never changes.
async function keptOrFresh(request) {
  const response = await kept(request);
  if (!response) return fetch(request);
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
  return range ? part(response, range) : response;
}

// Players ask for sound in parts.
async function part(response, [, from, to]) {
  const whole = await response.blob();
  const start = Number(from);
  const end = Math.min(to ? Number(to) : whole.size - 1, whole.size - 1);
  if (start > end) return new Response(null, { status: 416 });
  return new Response(whole.slice(start, end + 1), {
    status: 206,
    headers: {
      "content-type": response.headers.get("content-type"),
      "content-length": String(end + 1 - start),
      "content-range": `bytes ${start}-${end}/${whole.size}`,
    },
  });
}

async function kept(request) {
  return (await caches.open(KEPT)).match(request, { ignoreSearch: true, ignoreVary: true });
}
