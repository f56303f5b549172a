import { expect, test } from "vitest";

import { refused, show } from "../testing/samples.ts";
import {
  attentionAbout,
  attentionReason,
  attentionSentence,
  attentionShort,
  attentionSubject,
  attentionWhat,
} from "./attention.ts";

const sample = refused();
const call = refused({
  subject: { class: "Market Steer" },
  op: {
    ...sample.op,
    table_name: "class_calls",
    operation: "insert",
    data: { class_id: "k", kind: "call_1" },
    base: undefined,
  },
});

test("a change that was not accepted is told with who, what and why", () => {
  expect(attentionSubject(sample)).toBe("#7008");
  expect(attentionAbout(sample)).toBe("Boer wether");
  expect(attentionSentence(sample)).toBe("Ana’s change to #7008 was not accepted.");
  expect(attentionReason(sample)).toBe("Ana’s job at the show does not include this.");
  expect(attentionWhat(sample, show)).toBe("Tag G-771");
});

test("what came too late, and what waits, is not called refused", () => {
  expect(attentionSentence(refused({ late: true }))).toBe("Ana’s entry for #7008 came too late.");
  const held = refused({ verdict: "held", status: "pending", error: null });
  expect(attentionSentence(held)).toBe("Ana’s entry for #7008 waits for something that has not come.");
  expect(attentionShort(held)).toBe("waits for something");
  expect(attentionReason(held)).toBe("What it belongs to has not reached the laptop. It is tried again by itself.");
});

test("what is new is called after its class", () => {
  expect(attentionSentence(call)).toBe("Ana’s new call of Market Steer was not accepted.");
  expect(attentionAbout(call)).toBe("call");
  expect(attentionWhat(call, show)).toBe("Call 1");
});

test("a reason that this page has no words for is the server’s own sentence", () => {
  const error = { code: "unique_violation", detail: "another animal has this tag" };
  expect(attentionReason(refused({ error }))).toBe("Another animal has this tag.");
  expect(attentionShort(refused({ error }))).toBe("already used");
});
