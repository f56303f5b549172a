// What is loaded later, as one file.

export { default as Checks } from "./features/checks/Checks.svelte";
export { default as More } from "./features/more/More.svelte";
export { default as HandOver } from "./features/rescue/HandOver.svelte";
export { default as Notices } from "./features/work/Notices.svelte";
export { default as Trust } from "./features/trust/Trust.svelte";
export { default as Waiting } from "./features/waiting/Waiting.svelte";
