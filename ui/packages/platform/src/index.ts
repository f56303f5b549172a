// What surrounds the page: the browser's abilities and its small settings. The only package that may know the shell.

export { capabilities, levelOf, phoneKind, type Capabilities, type Level, type PhoneKind } from "./capabilities.ts";
export { homeScreen, type HomeScreen } from "./home-screen.ts";
export { browserPreferences, type Preferences } from "./preferences.ts";
export { saveFile } from "./save-file.ts";
export { ALARM_TONES, Speaker, TWO_TONES, vibrate } from "./sound.ts";
export { askToKeep, storagePromise, type StoragePromise } from "./storage.ts";
export { startWorker, type PageWorker } from "./worker.ts";
