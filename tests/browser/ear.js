// Listens to everything that the page sends to the loudspeakers, and to the taps that it gets.
// Runs before the page's own code; the page cannot tell.
(() => {
  const ear = { chunks: [], rate: 0, marks: [], clocks: [], keys: {}, troubles: [], activeBeforeTap: null };
  Object.defineProperty(window, "__ear", { value: ear });
  let context = null;

  addEventListener("error", ({ message }) => ear.troubles.push(message));
  addEventListener("unhandledrejection", ({ reason }) => ear.troubles.push(String(reason)));

  // Whether a gesture was believed in before there was one.
  const look = () => {
    ear.activeBeforeTap = navigator.userActivation?.hasBeenActive ?? null;
  };
  look();
  const looking = setInterval(look, 20);
  const gesture = () => clearInterval(looking);
  for (const type of ["pointerdown", "keydown"]) {
    addEventListener(type, gesture, { capture: true, once: true });
  }

  const mark = (name) => {
    ear.marks.push({ name, at: context ? context.currentTime : 0, wall: Date.now() });
  };
  for (const type of ["click", "keydown"]) {
    const said = (event) => (type === "click" ? event.target.innerText?.trim() : event.key);
    addEventListener(type, (event) => mark(`${type} ${said(event)}`), { capture: true });
  }

  // How late the page's own timers were at worst, in milliseconds: the machine had other work.
  const BEAT_MS = 10;
  let beat = performance.now();
  ear.late = 0;
  setInterval(() => {
    const now = performance.now();
    ear.late = Math.max(ear.late, now - beat - BEAT_MS);
    beat = now;
  }, BEAT_MS);

  // The keys of headphones and lock screens, so that a test can press them.
  const session = window.MediaSession?.prototype;
  const set = session?.setActionHandler;
  if (set) {
    session.setActionHandler = function (action, handler) {
      ear.keys[action] = handler && ((details = {}) => {
        mark(`key ${action}`);
        handler({ action, ...details });
      });
      return set.call(this, action, handler);
    };
  }

  const taps = new WeakMap();
  // What a player that cuts hard would sound like: heard by the recorder only.
  ear.cut = () => {
    mark("cut");
    for (const tap of tapped) tap.gain.value = 0;
  };
  const tapped = [];
  const { connect, disconnect } = AudioNode.prototype;
  const isOutput = (target) =>
    target instanceof AudioDestinationNode && target.context instanceof AudioContext;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (isOutput(target)) connect.call(this, tapOf(target.context));
    return connect.call(this, target, ...rest);
  };
  AudioNode.prototype.disconnect = function (target, ...rest) {
    if (target !== undefined && isOutput(target)) disconnect.call(this, tapOf(target.context));
    return target === undefined ? disconnect.call(this) : disconnect.call(this, target, ...rest);
  };

  // What plays, with or without the graph; sound past the graph cannot be recorded.
  const elements = new Map();
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    if (!elements.has(this)) elements.set(this, false);
    return play.call(this);
  };
  const { createMediaElementSource } = AudioContext.prototype;
  AudioContext.prototype.createMediaElementSource = function (element) {
    elements.set(element, true);
    return createMediaElementSource.call(this, element);
  };
  ear.playing = () =>
    [...elements]
      .filter(([element]) => !element.paused && !element.error)
      .map(([{ currentSrc: address, currentTime: at, volume, muted }, graph]) => {
        return { address, at, volume: muted ? 0 : volume, graph };
      });

  function tapOf(of) {
    if (!taps.has(of)) taps.set(of, listen(of));
    return taps.get(of);
  }

  function listen(of) {
    const tap = new GainNode(of);
    tapped.push(tap);
    context = of;
    ear.rate = of.sampleRate;
    of.audioWorklet.addModule("/__recorder.js").then(() => {
      const recorder = new AudioWorkletNode(of, "recorder", {
        numberOfOutputs: 0,
        channelCount: 2,
        channelCountMode: "explicit",
      });
      recorder.port.onmessage = ({ data }) => {
        ear.chunks.push(data);
        // Not getOutputTimestamp(): in Firefox it asks the sound server while it holds the lock of
        // the graph that the sound server waits for, and page and sound stand still for good.
        ear.clocks.push({ at: (data.frame + data.samples.length) / ear.rate, wall: Date.now() });
      };
      connect.call(tap, recorder);
    });
    return tap;
  }

  ear.now = () => context.currentTime;
  // Whether the last 10 ms or so were louder than -60 dBFS, while the output runs.
  ear.loud = () => {
    const last = ear.chunks.at(-1)?.samples ?? [];
    const power = last.reduce((sum, sample) => sum + sample * sample, 0) / (last.length || 1);
    return context?.state === "running" && power > 1e-6;
  };
  ear.recording = () => {
    const last = ear.chunks.at(-1);
    const first = ear.chunks[0]?.frame ?? 0;
    const whole = new Float32Array(last ? last.frame - first + last.samples.length : 0);
    for (const { frame, samples } of ear.chunks) whole.set(samples, frame - first);
    const bytes = new Uint8Array(whole.buffer);
    let text = "";
    for (let at = 0; at < bytes.length; at += 32768) {
      text += String.fromCharCode.apply(null, bytes.subarray(at, at + 32768));
    }
    const { rate, marks, clocks } = ear;
    return { samples: btoa(text), frame: first, rate, marks, clocks };
  };
  // What was heard since the last time, so that the page need not keep a whole journey.
  ear.take = () => {
    const taken = ear.recording();
    ear.chunks = [];
    ear.clocks = [];
    return taken;
  };
})();
