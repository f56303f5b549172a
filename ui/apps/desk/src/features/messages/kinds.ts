// How a message rings, as a choice.

import CircleAlert from "@lucide/svelte/icons/circle-alert";
import Info from "@lucide/svelte/icons/info";
import Megaphone from "@lucide/svelte/icons/megaphone";

import { words } from "../../text/words.ts";

const { kinds } = words.messages;

export const KINDS = [
  { value: "normal", label: kinds.normal, Icon: Info },
  { value: "high", label: kinds.high, Icon: Megaphone },
  { value: "urgent", label: kinds.urgent, Icon: CircleAlert },
] as const;
