// Short tones, made by the browser: nothing is loaded, so they also sound without the laptop.
//
// Browsers let a page sound only after somebody has tapped it, so the first tap is used to ask for it.

/** Hertz, one after the other. */
export type Tones = readonly number[];

/** For news, and for the test of the sound. */
export const TWO_TONES: Tones = [880, 1175];
/** For an emergency: up and down, heard apart from any other. */
export const ALARM_TONES: Tones = [1175, 784, 1175, 784, 1175, 784];

const TONE_S = 0.18;
const GAP_S = 0.06;
const LOUDNESS = 0.4;
/** A tone that begins or ends at once is a click. */
const EDGE_S = 0.02;
/** A browser that does not allow sound may never answer. */
const START_MAX_MS = 500;
const TAPS = ["pointerup", "click", "keydown"] as const;

/** The sound of this page. */
export class Speaker {
  readonly #scope: Window & typeof globalThis;
  #audio: AudioContext | undefined;
  #waits: AbortController | undefined;
  /** What is sounding now. */
  readonly #playing = new Set<AudioNode>();
  /** How often it was cut off: what was asked for before that does not begin after it. */
  #cuts = 0;

  constructor(scope: Window & typeof globalThis = window) {
    this.#scope = scope;
  }

  /** Asks for the sound with the next tap on the page, whatever the tap is for. */
  askWithNextTap(): void {
    if (this.#waits !== undefined || !("AudioContext" in this.#scope)) return;
    const waits = new AbortController();
    this.#waits = waits;
    const ask = async () => {
      if (!(await this.#start())) return;
      waits.abort();
      this.#waits = undefined;
      this.#rest();
    };
    for (const tap of TAPS) this.#scope.addEventListener(tap, ask, { capture: true, signal: waits.signal });
  }

  /** Plays the tones; false where the browser has no sound, or does not allow it before the next tap. */
  async play(tones: Tones = TWO_TONES): Promise<boolean> {
    const cuts = this.#cuts;
    const audio = await this.#start();
    if (audio === undefined) {
      this.askWithNextTap();
      return false;
    }
    if (cuts !== this.#cuts) {
      this.#rest();
      return true;
    }
    const out = audio.createGain();
    out.connect(audio.destination);
    this.#playing.add(out);
    const startS = audio.currentTime + EDGE_S;
    await Promise.all(tones.map((hertz, i) => playTone(audio, out, hertz, startS + i * (TONE_S + GAP_S))));
    this.#playing.delete(out);
    this.#rest();
    return true;
  }

  /** Cuts off what is sounding. */
  hush(): void {
    this.#cuts += 1;
    for (const out of this.#playing) out.disconnect();
  }

  /** The browser's sound, if it lets this page have it now. */
  async #start(): Promise<AudioContext | undefined> {
    if (!("AudioContext" in this.#scope)) return undefined;
    try {
      this.#audio ??= new this.#scope.AudioContext();
      const audio = this.#audio;
      await Promise.race([audio.resume(), new Promise((resolve) => setTimeout(resolve, START_MAX_MS))]);
      return audio.state === "running" ? audio : undefined;
    } catch {
      return undefined;
    }
  }

  /** Silence needs no battery. */
  #rest(): void {
    if (this.#playing.size === 0) void this.#audio?.suspend().catch(() => undefined);
  }
}

function playTone(audio: AudioContext, out: AudioNode, hertz: number, startS: number): Promise<void> {
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  const endS = startS + TONE_S;
  tone.frequency.value = hertz;
  volume.gain.setValueAtTime(0, startS);
  volume.gain.linearRampToValueAtTime(LOUDNESS, startS + EDGE_S);
  volume.gain.setValueAtTime(LOUDNESS, endS - EDGE_S);
  volume.gain.linearRampToValueAtTime(0, endS);
  tone.connect(volume).connect(out);
  return new Promise((resolve) => {
    tone.onended = () => resolve();
    tone.start(startS);
    tone.stop(endS);
  });
}

/** Shakes the phone, milliseconds on and off in turn; false where it cannot, or may not before the next tap. */
export function vibrate(pattern: readonly number[], { navigator }: Window & typeof globalThis = window): boolean {
  if (!("vibrate" in navigator)) return false;
  // Asked too early, a browser says no and complains of it.
  const isEarly = "userActivation" in navigator && !navigator.userActivation.hasBeenActive;
  return !isEarly && navigator.vibrate([...pattern]);
}
