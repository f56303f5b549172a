// What surrounds the page: the browser's abilities and its small settings. The only package that may know the shell.

export { capabilities, levelOf, type Capabilities, type Level } from "./capabilities.ts";
export { browserPreferences, type Preferences } from "./preferences.ts";
export { playTones } from "./sound.ts";
