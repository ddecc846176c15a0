import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { FakeCaches } from "./fake-caches";

const SOURCE = readFileSync(new URL("../../public/sw.js", import.meta.url), "utf8");
const HERE = "https://page.example/";
const BED = `${HERE}assets/bed-start-0a1b.mp3`;

type Listener = (event: unknown) => void;

/** public/sw.js, in place: its listeners, its storage and its network. */
class Worker {
  readonly caches = new FakeCaches();
  readonly listeners = new Map<string, Listener>();
  readonly network = vi.fn(async (_: RequestInfo | URL) => new Response("fresh"));
  away = false;

  constructor() {
    const self = {
      location: { href: `${HERE}sw.js` },
      clients: { claim: async () => {} },
      skipWaiting: () => {},
      addEventListener: (name: string, listener: Listener) => this.listeners.set(name, listener),
    };
    const fetchNow = async (request: RequestInfo | URL) => {
      if (this.away) throw new TypeError("offline");
      return this.network(request);
    };
    vi.stubGlobal("fetch", fetchNow);
    new Function("self", "caches", "fetch", SOURCE)(self, this.caches, fetchNow);
  }

  async keep(...files: string[]): Promise<void> {
    await this.send("message", { data: { keep: files } });
  }

  /** What it answers; null where it leaves the request to the browser. */
  async get(url: string, init: RequestInit & { mode?: string } = {}): Promise<Response | null> {
    const { mode, ...rest } = init;
    const request = new Request(url, rest);
    if (mode) Object.defineProperty(request, "mode", { value: mode });
    return (await this.send("fetch", { request })) as Response | null;
  }

  private async send(name: string, event: object): Promise<unknown> {
    let answer: unknown = null;
    const take = (given: unknown) => {
      answer = given;
    };
    this.listeners.get(name)?.({ ...event, waitUntil: take, respondWith: take });
    return answer;
  }

  async kept(): Promise<string[]> {
    const [cache] = this.caches.all.values();
    return [...(cache?.kept.keys() ?? [])];
  }
}

let worker: Worker;
beforeEach(() => {
  worker = new Worker();
});

describe("the service worker", () => {
  test("opens the page without a network", async () => {
    await worker.keep(HERE, `${HERE}assets/main-1.js`, `${HERE}config.json`);
    worker.away = true;

    for (const url of [HERE, `${HERE}?utm=1`]) {
      const answer = await worker.get(url, { mode: "navigate" });
      expect(await answer?.text()).toBe("fresh");
    }
    expect((await worker.get(`${HERE}config.json`))?.status).toBe(200);
    expect((await worker.get(`${HERE}assets/main-1.js`))?.status).toBe(200);
  });

  test("keeps nothing of another origin, and only what the newest page is made of", async () => {
    await worker.keep(HERE, `${HERE}assets/main-1.js`);
    await worker.keep(HERE, `${HERE}assets/main-2.js`, "https://store.example/x.mp3?token=secret");

    expect(await worker.kept()).toEqual([HERE, `${HERE}assets/main-2.js`]);
  });

  test("keeps a page that names a file twice", async () => {
    await worker.keep(HERE, `${HERE}config.json`, `${HERE}assets/main-1.js`, `${HERE}config.json`);

    expect(await worker.kept()).toEqual([HERE, `${HERE}config.json`, `${HERE}assets/main-1.js`]);
  });

  test("keeps the older page where the newest lacks a script, and any without its icon", async () => {
    worker.network.mockImplementation(async (request) => {
      const missing = /main-2|icon/.test(String(request));
      return new Response("fresh", { status: missing ? 404 : 200 });
    });
    await worker.keep(HERE, `${HERE}icon.svg`, `${HERE}assets/main-1.js`);
    await worker.keep(HERE, `${HERE}assets/main-2.js`).catch(() => {});

    expect(await worker.kept()).toEqual([HERE, `${HERE}assets/main-1.js`]);
  });

  test.each([
    ["https://store.example/object/sign/reserve/x.mp3?token=secret", {}],
    [`${HERE}functions/v1/parcours-xl-reserve`, { method: "POST" }],
    [`${HERE}functions/v1/parcours-xl-reserve`, {}],
    [`${HERE}object/sign/x.mp3?token=secret`, {}],
    [`${HERE}auth/v1/user`, {}],
    [`${HERE}kept/00-universel-reset.mp3`, {}],
    [`${HERE}assets/bed-0a1b.mp3`, {}],
  ])("leaves %s to the browser", async (url, init) => {
    expect(await worker.get(url, init)).toBeNull();
    expect(await worker.kept()).toEqual([]);
  });

  test("keeps no answer by itself", async () => {
    await worker.get(HERE, { mode: "navigate" });
    await worker.get(`${HERE}presets.json`);
    expect(await worker.kept()).toEqual([]);
  });
});

describe("the short sound for waiting", () => {
  beforeEach(async () => {
    worker.network.mockImplementation(
      async () => new Response("0123456789", { headers: { "content-type": "audio/mpeg" } }),
    );
    await worker.keep(BED);
    worker.away = true;
  });

  test("is there without a network, whole", async () => {
    const answer = await worker.get(BED);
    expect([answer?.status, await answer?.text()]).toEqual([200, "0123456789"]);
  });

  test.each([
    ["bytes=0-1", "01", "bytes 0-1/10"],
    ["bytes=4-", "456789", "bytes 4-9/10"],
    ["bytes=8-99", "89", "bytes 8-9/10"],
  ])("is there in parts, as players ask for it: %s", async (range, text, said) => {
    const answer = await worker.get(BED, { headers: { range } });
    expect(answer?.status).toBe(206);
    expect(answer?.headers.get("content-range")).toBe(said);
    expect(answer?.headers.get("content-type")).toBe("audio/mpeg");
    expect(await answer?.text()).toBe(text);
  });

  test("is not needed for the page to open", async () => {
    worker.away = false;
    worker.network.mockImplementation(async (request) => {
      if (String(request).endsWith(".mp3")) throw new TypeError("404");
      return new Response("fresh");
    });
    await worker.keep(HERE, `${HERE}assets/bed-start-2.mp3`);
    expect(await worker.kept()).toEqual([HERE]);
  });

  test("has nothing after its end", async () => {
    const answer = await worker.get(BED, { headers: { range: "bytes=10-" } });
    expect(answer?.status).toBe(416);
  });
});
