/** Cache Storage in memory: what kept-pieces.ts and sw.js call of it. */

type Asked = RequestInfo | URL | { readonly url: string };

export class FakeCache {
  readonly kept = new Map<string, Response>();
  /** Thrown by the next write: the disk is full. */
  full = false;

  async match(request: Asked): Promise<Response | undefined> {
    return this.kept.get(addressOf(request))?.clone();
  }

  async put(request: Asked, response: Response): Promise<void> {
    if (this.full) throw new DOMException("no room", "QuotaExceededError");
    this.kept.set(addressOf(request), response);
  }

  async add(address: string): Promise<void> {
    await this.addAll([address]);
  }

  /** As the standard says: all of them or none, and none twice. */
  async addAll(addresses: readonly string[]): Promise<void> {
    if (new Set(addresses).size < addresses.length)
      throw new DOMException("named twice", "InvalidStateError");
    const answers = await Promise.all(addresses.map((address) => fetch(address)));
    if (!answers.every(({ ok }) => ok)) throw new TypeError("not ok");
    for (const [i, answer] of answers.entries()) await this.put(addresses[i] ?? "", answer);
  }

  async delete(request: Asked): Promise<boolean> {
    return this.kept.delete(addressOf(request));
  }

  async keys(): Promise<{ url: string }[]> {
    return [...this.kept.keys()].map((url) => ({ url }));
  }
}

export class FakeCaches {
  readonly all = new Map<string, FakeCache>();

  async open(name: string): Promise<FakeCache> {
    const cache = this.all.get(name) ?? new FakeCache();
    this.all.set(name, cache);
    return cache;
  }

  async delete(name: string): Promise<boolean> {
    return this.all.delete(name);
  }
}

function addressOf(request: Asked): string {
  return typeof request === "object" && "url" in request ? request.url : String(request);
}
