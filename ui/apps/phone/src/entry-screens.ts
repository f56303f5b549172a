// The screens that make entries, as one file.

export { default as CheckIn } from "./features/check-in/CheckIn.svelte";
export { default as FixTag } from "./features/tag/FixTag.svelte";
export { default as WeighIn } from "./features/weigh-in/WeighIn.svelte";
