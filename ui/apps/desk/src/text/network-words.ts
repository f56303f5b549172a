// What is said about the way from phones to the laptop: how safe it is, and what to do when none gets through.

import { plural } from "./plural.ts";

/** What the laptop runs on, as far as its browser tells. */
export type System = "windows" | "mac" | "linux" | "unknown";

export const networkWords = {
  title: "Network and security",
  loading: "Asking how phones reach the laptop",

  level: {
    title: "How phones join",
    plain: "Plain Wi-Fi",
    plainText: "Phones join over the Wi-Fi as it is. Anybody who knows the Wi-Fi password could read along.",
    https: "Protected",
    httpsText:
      "A phone that installs the show’s certificate talks to the laptop so that nobody else can read or change it. A phone that only scans the code uses plain Wi-Fi.",
    unprotected:
      "What plain Wi-Fi does not protect: somebody in the same Wi-Fi with the right tools could read names and weights on their way, or act as that phone until you remove it. Use a Wi-Fi with a password that only staff know, or make phones field-ready.",
  },

  addresses: {
    title: "Addresses",
    plain: "Phones open",
    safe: "Protected",
    name: "Name in the network",
    none: "No network yet. Connect the laptop to the Wi-Fi.",
    copy: "Copy the address",
    copied: "Copied",
    test: "Test this network",
    testHint: "Open a page with any phone and see whether it gets through.",
  },

  fingerprint: {
    title: "The show’s certificate",
    label: "Fingerprint",
    hint: "A phone’s settings show the same letters for “Showdesk”. If they differ, do not trust it.",
    none: "There is none: phones join over plain Wi-Fi.",
    expires: "The laptop’s own is good until",
    authorityExpires: "The show’s is good until",
    names: "Made for",
    renew: "Make new certificates…",
  },

  renew: {
    title: "Make new certificates",
    choice: "Which one",
    leaf: "Only the laptop’s own",
    leafHint: "Phones notice nothing. Helps when the laptop has a new address and phones do not trust it.",
    authority: "The show’s too",
    authorityHint:
      "Only if somebody else may have copied this laptop’s keys. Every field-ready phone stops trusting the laptop until it installs the new one.",
    phones: (count: number) => `${plural(count, "phone is", "phones are")} field-ready now.`,
    kept: "Entries stay on those phones. They send again once the new certificate is installed.",
    go: "Make new ones",
    cancel: "Cancel",
    done: "The laptop has a new certificate. Phones go on as before.",
    doneAuthority: "The show has a new certificate. Install it on each field-ready phone.",
  },

  secrets: {
    title: "Keys",
    keychain: "This computer’s own key store keeps the keys.",
    file: "The keys stand in a file of the data folder that only this user can read.",
    nowhere: "No keys are kept: protected joining is off.",
    other: (kept: string) => `The keys are kept here: ${kept}.`,
    never: "Keys are never shown, printed or put into a backup that can be read.",
  },

  test: {
    title: "Test this network",
    lead: "Scan this with any phone that is in the Wi-Fi. It opens one small page and changes nothing.",
    qr: (url: string) => `QR code that opens ${url}`,
    type: "Or type it into the phone’s browser",
    copy: "Copy the address",
    copied: "Copied",
    waiting: "Waiting for a phone…",
    waitingLong: "No phone got through yet. Still waiting.",
    arrived: "A phone got through.",
    arrivedText: "This network works. If another phone cannot join, test that phone too.",
    self: "Only this laptop itself opened it. Open it with a phone.",
    over: "This test is over.",
    again: "New test",
    arrivals: "Who got through",
    thisLaptop: "This laptop",
    failed: "The test could not start.",
    silent: "Showdesk does not answer, so this page cannot hear of a phone. It asks again by itself.",
    close: "Done",
    causes: "Usually it is one of three things",
    causeWifi: {
      title: "The phone is in another Wi-Fi",
      text: (wifi: string | undefined) =>
        wifi === undefined
          ? "Look in the phone’s Wi-Fi settings: it must be the same Wi-Fi as this laptop’s. Switch mobile data off for the test."
          : `Look in the phone’s Wi-Fi settings: it must say “${wifi}”, as this laptop does. Switch mobile data off for the test.`,
    },
    causeFirewall: {
      title: "The laptop’s firewall keeps it out",
      text: {
        windows:
          "Open Start, type “Allow an app through Windows Firewall”, choose Change settings, and tick Showdesk under Private and under Public. If Windows calls this Wi-Fi “Public”, the second tick is the one that counts.",
        mac: "Open System Settings, Network, Firewall, Options. Showdesk must say “Allow incoming connections”, and “Block all incoming connections” must be off.",
        linux: "Allow the port in the firewall. With ufw, type this in a terminal:",
        unknown: "Allow Showdesk in the laptop’s firewall, for private and for public networks.",
      } as Readonly<Record<System, string>>,
      command: (port: string) => `sudo ufw allow ${port}/tcp`,
      copyCommand: "Copy the line",
    },
    causeGuest: {
      title: "The Wi-Fi keeps its devices apart",
      text: "Guest and public Wi-Fi often let nobody reach anybody else. Ask who runs it to switch off “AP isolation” or “client isolation”, or use a Wi-Fi of your own: a small router needs no internet for this.",
    },
  },

  agent: { iphone: "iPhone", ipad: "iPad", android: "Android", computer: "Computer", other: "A device" },
} as const;
