import { expect, test } from "vitest";
import { TabLock } from "../browser/tab-lock";

/** Web Locks of one browser, as far as the page uses them. */
class Locks {
  private holder: { stolen: (reason: Error) => void } | null = null;

  request(_name: string, _options: LockOptions, held: () => Promise<void>): Promise<void> {
    this.holder?.stolen(new DOMException("stolen", "AbortError"));
    return new Promise((resolve, reject) => {
      const mine = { stolen: reject };
      this.holder = mine;
      void held().then(() => {
        if (this.holder === mine) this.holder = null;
        resolve();
      });
    });
  }

  async query(): Promise<LockManagerSnapshot> {
    return { held: this.holder ? [{ name: "parcours-xl.sound" }] : [] };
  }
}

function tabs() {
  const locks = new Locks() as unknown as LockManager;
  const lost: string[] = [];
  const tab = (name: string) => new TabLock(() => lost.push(name), locks);
  return { lost, one: tab("one"), other: tab("other") };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

test("one tab sounds: the tap in another takes the sound over", async () => {
  const { lost, one, other } = tabs();
  one.take();
  expect(await other.elsewhere()).toBe(true);
  other.take();
  await settled();
  expect([lost, one.held, other.held]).toEqual([["one"], false, true]);
});

test("the sound can be taken back", async () => {
  const { lost, one, other } = tabs();
  one.take();
  other.take();
  await settled();
  one.take();
  await settled();
  expect([lost, one.held]).toEqual([["one", "other"], true]);
});

test("who stops leaves the sound to everybody, and is told of no loss", async () => {
  const { lost, one, other } = tabs();
  one.take();
  one.stop();
  await settled();
  expect(await other.elsewhere()).toBe(false);
  other.take();
  await settled();
  expect(lost).toEqual([]);
});

test("a tab that sounds does not take itself for another", async () => {
  const { one } = tabs();
  one.take();
  one.take();
  await settled();
  expect([await one.elsewhere(), one.held]).toEqual([false, true]);
});

test("a browser without Web Locks lets every tab sound", async () => {
  const tab = new TabLock(() => {}, null);
  tab.take();
  expect([await tab.elsewhere(), tab.held]).toEqual([false, true]);
});
