// What an input of chips is told.

/** Something that was chosen. */
export interface ChosenChip {
  key: string;
  label: string;
  /** How many it stands for; a screen reader hears `countLabel`. */
  count?: number | undefined;
  countLabel?: string | undefined;
  /** The name of the button that takes it away. */
  removeLabel: string;
}

/** Something that can be added. */
export interface OfferedChip {
  key: string;
  label: string;
  note?: string | undefined;
  count?: string | undefined;
}
