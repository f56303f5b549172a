// What is loaded later, as one file.

export { default as Checks } from "./features/checks/Checks.svelte";
export { default as Compose } from "./features/messages/Compose.svelte";
export { hearMessages } from "./features/messages/hear.ts";
export { default as List } from "./features/messages/List.svelte";
export { default as More } from "./features/more/More.svelte";
export { tellNoticed } from "./features/noticed/tell.ts";
export { default as HandOver } from "./features/rescue/HandOver.svelte";
export { default as FieldReadyOffer } from "./features/work/FieldReadyOffer.svelte";
export { default as Notices } from "./features/work/Notices.svelte";
export { default as Trust } from "./features/trust/Trust.svelte";
export { default as Waiting } from "./features/waiting/Waiting.svelte";
