// The words of the way to a phone that opens without Wi-Fi. "Certificate" only where the phone's settings say it.

const waits = (count: number) => `Finish sending first, ${count} waiting`;

export const guideWords = {
  title: "Make it field-ready",
  hint: "Opens without Wi-Fi, and your entries are kept more safely.",
  isDone: "Done",
  ok: "OK",
  how: "Show me how",
  didNotWork: "It didn't work",
  movesOn: "Then come back to this page. It moves on by itself.",
  trusted: "The phone trusts the laptop now.",
  noHttps: "Not offered by this laptop",
  noHttpsHint: "Somebody has switched it off at the desk: Settings, Network & security. This phone works as it is.",

  step: {
    download: "Download the certificate",
    switch_on: "Switch it on in Settings",
    open: "Open the field-ready page",
    add: "Add to Home Screen",
    start: "Open it from there",
  },
  done: {
    download: "Certificate downloaded",
    switch_on: "Switched on",
    open: "This is the field-ready page",
    add: "On your Home Screen",
    start: "Opened from there",
  },

  download:
    "It belongs to this show, and lets the phone know its laptop. It is good only for laptops in a local network, not for the internet.",
  downloadNow: "Download",
  downloadAgain: "Download again",
  awayNow: "The laptop is away. Go near it to go on.",
  number: "Its number must start with",
  otherCertificate: "Don't install anything",
  otherCertificateHint:
    "The laptop that answers is not the one whose code you scanned. Your entries are safe. Tell the desk, and scan its code again.",

  switchOn: {
    iphone: "Settings, General, About, Certificate Trust Settings. Turn on Showdesk. This page moves on by itself.",
    android:
      "Settings, Security, Install a certificate, CA certificate. Choose the file. This page moves on by itself.",
    other: "Add the file as a trusted authority in the settings of this browser. This page moves on by itself.",
  },
  switchOnSteps: {
    iphone: [
      "Open Settings. Near the top, tap Profile Downloaded, then Install.",
      "Compare the number with the one at the desk. If it is another, stop.",
      "Go to General, About. At the bottom, tap Certificate Trust Settings.",
      "Turn on the switch beside Showdesk.",
    ],
    android: [
      "Open Settings and look for “CA certificate”. It is under Security, Encryption & credentials, Install a certificate.",
      "Tap CA certificate, then Install anyway.",
      "Choose the file showdesk in Downloads.",
      "Use Chrome for the show. Some other browsers do not ask the phone which certificates are good.",
    ],
    other: [
      "Open this browser's settings and look for “certificates”.",
      "Under authorities, import the file, and trust it for websites.",
    ],
  },

  notOn: "Installed, but not switched on",
  notOnHint: {
    iphone:
      "Installing the profile is not enough. Open Settings, General, About, Certificate Trust Settings, and turn on Showdesk.",
    android:
      "Opening the file is not enough. It must be installed as a CA certificate: Settings, Security, Encryption & credentials.",
    other: "The file must be imported as an authority that is trusted for websites.",
  },
  clock: "The clock of this phone is wrong",
  clockHint: (phone: string, laptop: string) =>
    `The phone says ${phone}. The laptop says ${laptop}. Open the phone's settings, Date & time, and turn on Set automatically.`,
  newCode: "Still not?",
  newCodeHint:
    "Ask the desk for a new code, scan it, and do these steps again. Until then this phone works as it is: your entries are safe.",
  away: "Can't reach the laptop",
  awayHint: "Is this phone on the show's Wi-Fi? Nothing was lost. Try again.",

  open: "The phone trusts the laptop. You stay in the show, with the same name.",
  openNow: "Open it now",
  finishFirst: waits,
  finishFirstHint: "The new page cannot see them. Go near the laptop; they go out by themselves.",

  add: "Then it opens like an app, with no laptop near.",
  addNow: "Add to Home Screen",
  addNow2: "First wait until the top says All sent.",
  addSteps: {
    iphone: [
      "Tap Share, the square with the arrow, at the bottom.",
      "Scroll down and tap Add to Home Screen.",
      "Tap Add.",
    ],
    android: ["Tap the three dots at the top right.", "Tap Add to Home screen, then Install or Add."],
    other: ["Open the menu of this browser.", "Look for Install, or Add to Home Screen."],
  },
  start: "Close this page. Tap Showdesk on your Home Screen.",

  storage: {
    kept: "The phone has promised to keep your entries.",
    may_be_cleared: "The phone may clear this page when it is full. Add it to the Home Screen.",
    unknown: "The phone does not say whether it keeps this page when it is full.",
  },
  askStorage: "Ask the phone to keep them",
} as const;
