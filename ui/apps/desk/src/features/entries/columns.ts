// The columns of the list, by how much room there is. Fixed widths, so that rows of another part of the list
// stand under the same headings.

import type { Column } from "@showdesk/components";

import { words } from "../../text/words.ts";

export type ColumnId = "back_number" | "tag" | "exhibitor" | "animal" | "code" | "class" | "weight" | "stage";

type Room = "narrow" | "beside" | "wide";

/** Below this the class's code gives way, above the other there is room for its name. */
const BESIDE_PX = 700;
const WIDE_PX = 880;

const WIDTHS: Readonly<Record<Room, readonly (readonly [ColumnId, string | undefined])[]>> = {
  narrow: [
    ["back_number", "76px"],
    ["tag", "112px"],
    ["exhibitor", undefined],
    ["animal", "136px"],
    ["weight", "76px"],
    ["stage", "142px"],
  ],
  beside: [
    ["back_number", "76px"],
    ["tag", "120px"],
    ["exhibitor", undefined],
    ["animal", "136px"],
    ["code", "56px"],
    ["weight", "76px"],
    ["stage", "142px"],
  ],
  wide: [
    ["back_number", "88px"],
    ["tag", "152px"],
    ["exhibitor", undefined],
    ["animal", undefined],
    ["class", undefined],
    ["weight", "96px"],
    ["stage", "164px"],
  ],
};

const HEADINGS: Readonly<Record<ColumnId, string>> = {
  back_number: words.entries.number,
  tag: words.entries.tag,
  exhibitor: words.entries.exhibitor,
  animal: words.entries.animal,
  code: words.entries.class,
  class: words.entries.class,
  weight: words.entries.weight,
  stage: words.entries.stage,
};

const NUMBERS: ReadonlySet<ColumnId> = new Set<ColumnId>(["back_number", "code", "weight"]);

/** The columns that a list of this width has room for. */
export function columnsFor(widthPx: number): readonly (Column & { id: ColumnId })[] {
  const room: Room = widthPx >= WIDE_PX ? "wide" : widthPx >= BESIDE_PX ? "beside" : "narrow";
  return WIDTHS[room].map(([id, width]) => ({
    id,
    label: HEADINGS[id],
    sortable: true,
    number: NUMBERS.has(id),
    ...(width !== undefined && { width }),
  }));
}
