// Parts that both pages are made of. They show; they decide nothing and know no words of their own.

export { default as Button } from "./Button.svelte";
export { default as Chip } from "./Chip.svelte";
export { default as Choose } from "./Choose.svelte";
export { default as Dialog } from "./Dialog.svelte";
export { default as Field } from "./Field.svelte";
export { default as Key } from "./Key.svelte";
export { default as Message } from "./Message.svelte";
export { default as Note } from "./Note.svelte";
export { default as Panel } from "./Panel.svelte";
export { default as Segments } from "./Segments.svelte";
export { default as Skeleton } from "./Skeleton.svelte";
export { default as Tag } from "./Tag.svelte";
export { default as Tile } from "./Tile.svelte";
export { default as ToastBar } from "./ToastBar.svelte";
export { Toasts, type Toast } from "./toasts.svelte.ts";
