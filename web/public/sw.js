// Keeps the page itself, so that it opens without a network: its HTML, its hashed assets, and the
// two descriptions it reads. Never music, never an answer of Supabase.

const KEPT = "parcours-xl-page-1";
const here = new URL("./", self.location.href);
// Players ask for sound in parts, which a kept whole cannot answer: sound is not kept.
const isAsset = (url) => url.href.startsWith(`${here}assets/`) && !url.pathname.endsWith(".mp3");
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

// What the newest page was made of replaces what an older one was made of.
async function keep(files) {
  const cache = await caches.open(KEPT);
  await cache.addAll(files);
  const wanted = new Set(files);
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
  return (await kept(request)) ?? fetch(request);
}

async function kept(request) {
  return (await caches.open(KEPT)).match(request, { ignoreSearch: true, ignoreVary: true });
}
