// The time of a program, set from outside: an hour of a show happens in a moment, and pictures have one time.
//
// Every clock of the program moves, also the one that it measures waiting with. So the time only goes forward, and lies
// in the future: what waits until a moment by the machine's own clock must not find that it has passed.

import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LIBRARIES = "/usr/lib";

/** What a program started with `variables` takes for the time. It runs on from the moment that was set. */
export class FakeClock {
  #offsetMs = 0;

  /**
   * @param {string} folder for the file that the program reads
   * @param {Date} at the moment it begins with
   */
  constructor(folder, at) {
    this.file = join(folder, "time");
    this.set(at);
  }

  /** The time now, as the program has it. */
  now() {
    return new Date(Date.now() + this.#offsetMs);
  }

  /**
   * Sets the time, to whole seconds; never back.
   * @param {Date} at
   */
  set(at) {
    const seconds = Math.round((at.getTime() - Date.now()) / 1000);
    if (seconds * 1000 < this.#offsetMs) throw new RangeError(`${at.toISOString()} has passed already`);
    this.#offsetMs = seconds * 1000;
    // The program reads a whole file or the one before.
    writeFileSync(`${this.file}.new`, `${seconds < 0 ? "-" : "+"}${Math.abs(seconds)}`);
    renameSync(`${this.file}.new`, this.file);
  }

  /**
   * What the program's environment must hold.
   * @param {string} timeZone
   */
  variables(timeZone) {
    return {
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_NO_CACHE: "1",
      NO_FAKE_STAT: "1",
      TZ: timeZone,
    };
  }
}

/** Where Debian puts it depends on the processor. */
function library() {
  const folders = readdirSync(LIBRARIES).map((name) => join(LIBRARIES, name, "faketime/libfaketimeMT.so.1"));
  const found = folders.find((file) => existsSync(file));
  if (!found) throw new Error("libfaketime is not installed: apt-get install libfaketime");
  return found;
}
