// Two short tones, made by the browser: nothing is loaded, so they also sound without the laptop.

/** Hertz, one after the other. */
const TONES = [880, 1175] as const;
const TONE_S = 0.18;
const GAP_S = 0.06;
const LOUDNESS = 0.4;
/** A tone that begins or ends at once is a click. */
const EDGE_S = 0.02;

/** Plays the tones; false where this browser has no sound. Browsers allow it only right after a tap. */
export async function playTones(scope: Window & typeof globalThis = window): Promise<boolean> {
  if (!("AudioContext" in scope)) return false;
  const audio = new scope.AudioContext();
  try {
    await audio.resume();
    await Promise.all(TONES.map((hertz, i) => playTone(audio, hertz, audio.currentTime + i * (TONE_S + GAP_S))));
    return true;
  } catch {
    return false;
  } finally {
    await audio.close().catch(() => undefined);
  }
}

function playTone(audio: AudioContext, hertz: number, startS: number): Promise<void> {
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  const endS = startS + TONE_S;
  tone.frequency.value = hertz;
  volume.gain.setValueAtTime(0, startS);
  volume.gain.linearRampToValueAtTime(LOUDNESS, startS + EDGE_S);
  volume.gain.setValueAtTime(LOUDNESS, endS - EDGE_S);
  volume.gain.linearRampToValueAtTime(0, endS);
  tone.connect(volume).connect(audio.destination);
  return new Promise((resolve) => {
    tone.onended = () => resolve();
    tone.start(startS);
    tone.stop(endS);
  });
}
