// Words of quiet hours: the same for messages and for alerts.

export const quietWords = {
  title: "Quiet hours",
  keep: "Keep quiet hours",
  from: "From",
  until: "Until",
  same: "Choose two different times.",
} as const;
