// Messages of a small show, from memory, for tests.

import type {
  AudienceItem,
  MessageCalls,
  MessageDetail,
  MessageItem,
  Provider,
  ProviderState,
  StateCounts,
  Template,
} from "../data/desk-api.ts";

export const COUNTS: StateCounts = {
  waiting: 2,
  delivered: 3,
  seen: 7,
  confirmed: 2,
  accepted: 0,
  failed: 0,
  expired: 0,
};

/** Class 13 was called at 9:31, and some have not read it. */
export function message(change: Partial<MessageItem> = {}): MessageItem {
  return {
    id: "m-13",
    type: "message",
    source: "person",
    title: "Class 13 final call, Ring 1",
    body: "Bring your exhibitor number.",
    raw: undefined,
    priority: "high",
    needs_ack: true,
    audience: { class_ids: ["k-13"], functions: ["gate"] },
    audience_text: "Class 13, gate",
    before_class: undefined,
    ends: undefined,
    send_at: "2026-08-14T14:31:00.000Z",
    undo_until: undefined,
    released_at: "2026-08-14T14:31:00.000Z",
    reason: undefined,
    expires_at: undefined,
    created_at: "2026-08-14T14:31:00.000Z",
    retracted_at: undefined,
    by: { id: "p-dan", name: "Dan" },
    people: 14,
    counts: COUNTS,
    ...change,
  };
}

export function detail(change: Partial<MessageDetail> = {}): MessageDetail {
  return { ...message(), deliveries: [], ...change };
}

export const CHOICES: readonly AudienceItem[] = [
  { kind: "everybody", id: "everybody", label: "Everybody", note: undefined, people: 16, planned_at: undefined },
  { kind: "function", id: "gate", label: "Gate", note: undefined, people: 3, planned_at: undefined },
  { kind: "ring", id: "r-1", label: "Ring 1", note: undefined, people: 4, planned_at: undefined },
  {
    kind: "class",
    id: "k-15",
    label: "Class 15",
    note: "Market hogs · Ring 1, 10:20",
    people: 11,
    planned_at: "2026-08-14T15:20:00.000Z",
  },
];

export function template(change: Partial<Template> = {}): Template {
  return {
    id: "t-call",
    name: "Class to make-ready",
    type: "class_call",
    priority: "high",
    title: "{class} to make-ready, {ring}, at {time}.",
    body: "Bring your exhibitor number.",
    audience: undefined,
    needs_ack: true,
    ...change,
  };
}

export function provider(change: Partial<ProviderState> = {}): ProviderState {
  return {
    configured: false,
    endpoint: undefined,
    state: "not_set_up",
    problem: undefined,
    tokens: { active: 0, disabled: 0 },
    settings: {},
    ...change,
  };
}

/** Everything the desk asks about messages; each call can be replaced. */
export function fakeMessages(): MessageCalls {
  const providers: Readonly<Record<Provider, ProviderState>> = { fcm: provider(), apns: provider(), web: provider() };
  const unexpected = () => Promise.reject(new Error("not expected"));
  return {
    messages: () => Promise.resolve({ items: [], cursor: undefined }),
    message: () => Promise.resolve(detail()),
    audience: (query) =>
      Promise.resolve(CHOICES.filter(({ label }) => label.toLowerCase().includes(query.toLowerCase()))),
    reach: () => Promise.resolve({ people: 14, devices: 14, away: 2, parts: [] }),
    previewMessage: ({ title, body }) => Promise.resolve({ title, body, send_at: undefined }),
    sendMessage: unexpected,
    changeMessage: unexpected,
    cancelMessage: unexpected,
    retractMessage: unexpected,
    remindMessage: unexpected,
    templates: () => Promise.resolve([template()]),
    addTemplate: unexpected,
    changeTemplate: unexpected,
    dropTemplate: unexpected,
    automatic: () => Promise.resolve({ items: [{ key: "class_call", on: true }], quiet: undefined }),
    setAutomatic: unexpected,
    providers: () => Promise.resolve(providers),
    setProvider: () => Promise.resolve(providers),
    dropProvider: () => Promise.resolve(),
    testProvider: unexpected,
  };
}
