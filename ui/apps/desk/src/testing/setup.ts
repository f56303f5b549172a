import "@testing-library/jest-dom/vitest";

import { configure } from "@testing-library/svelte";

// A machine with much else to do is slower, not wrong.
configure({ asyncUtilTimeout: 10_000 });

// jsdom draws nothing: dialogs open and close without their modal layer.
HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function close(this: HTMLDialogElement) {
  this.open = false;
};

// Nor does its Blob give its text.
Blob.prototype.text ??= function text(this: Blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error("unreadable"));
    reader.readAsText(this);
  });
};

// Nothing has a size either, so nothing changes it.
globalThis.ResizeObserver ??= class implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
};
