import "@testing-library/jest-dom/vitest";

// jsdom draws nothing: dialogs open and close without their modal layer.
HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function close(this: HTMLDialogElement) {
  this.open = false;
};
