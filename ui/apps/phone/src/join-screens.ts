// The screens of a phone that has no show yet on this page, as one file.

export { default as GoOn } from "./features/move/GoOn.svelte";
export { default as Join } from "./features/join/Join.svelte";
