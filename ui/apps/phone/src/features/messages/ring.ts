// An emergency is heard and felt until somebody has answered it.

import { ALARM_TONES, vibrate, type Speaker } from "@showdesk/platform";

const AGAIN_MS = 4_000;
const SHAKE = [400, 150, 400, 150, 400] as const;

/** What it takes to ring. */
export interface Ringing {
  readonly speaker: Speaker;
  /** Whether it is this tab's turn: several tabs of one phone would ring against each other. */
  readonly isHere: () => boolean;
  /** Whether the phone could be heard. */
  readonly onRung: (isHeard: boolean) => void;
}

/** Rings until the returned function is called. */
export function ring({ speaker, isHere, onRung }: Ringing): () => void {
  let isOver = false;
  const once = async () => {
    if (!isHere()) return;
    vibrate(SHAKE);
    const isHeard = await speaker.play(ALARM_TONES);
    if (!isOver) onRung(isHeard);
  };
  void once();
  const timer = setInterval(once, AGAIN_MS);
  return () => {
    isOver = true;
    clearInterval(timer);
    speaker.hush();
    vibrate([0]);
  };
}
