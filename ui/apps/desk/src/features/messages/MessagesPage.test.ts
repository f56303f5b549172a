import { ApiProblem, Unreachable } from "@showdesk/api";
import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { beforeEach, expect, test, vi } from "vitest";

import type { DeskApi } from "../../data/desk-api.ts";
import { detail, message, template } from "../../testing/fake-messages.ts";
import { addChip, keptAutomatic, openMessages as open, sentNow, text, to, user } from "../../testing/messages-page.ts";

beforeEach(() => localStorage.clear());

test("a message is written and sent by keyboard alone, and taken back within its time", async () => {
  const sendMessage = vi.fn<DeskApi["sendMessage"]>(() => Promise.resolve(sentNow()));
  const cancelMessage = vi.fn<DeskApi["cancelMessage"]>(() => Promise.resolve());
  await open({
    sendMessage,
    cancelMessage,
    reach: () =>
      Promise.resolve({
        people: 14,
        devices: 14,
        away: 2,
        parts: [{ key: "class:k-15", label: "Class 15", people: 11 }],
      }),
  });
  await addChip("Class 15");
  await addChip("Gate");
  const chips = screen.getByRole("list", { name: "To" });
  await waitFor(() => expect(within(chips).getByText("11 people")).toBeInTheDocument());
  text().focus();
  await user.keyboard("Come to make-ready now. Bring your number.");
  expect(await screen.findByText("Reaches 14 phones")).toBeVisible();
  expect(screen.getByText("2 are away.")).toBeVisible();
  screen.getByRole("button", { name: "Send now" }).focus();
  await user.keyboard("{Enter}");
  expect(sendMessage).toHaveBeenCalledWith({
    type: "message",
    title: "Come to make-ready now.",
    body: "Bring your number.",
    priority: "normal",
    needs_ack: false,
    audience: { class_ids: ["k-15"], functions: ["gate"] },
    undo_seconds: 8,
  });
  expect(await screen.findByText("Sent to 14 phones.")).toBeVisible();
  expect(text()).toHaveValue("");
  await user.keyboard("{Control>}z{/Control}");
  expect(cancelMessage).toHaveBeenCalledWith("m-new");
  expect(await screen.findByText(/Taken back. Nobody got it/)).toBeVisible();
  expect(text()).toHaveValue("Come to make-ready now. Bring your number.");
});

test("what is missing is said where it is missing, and nothing is sent", async () => {
  const sendMessage = vi.fn<DeskApi["sendMessage"]>();
  await open({ sendMessage });
  await user.click(screen.getByRole("button", { name: "Before class" }));
  await user.click(screen.getByRole("button", { name: "Schedule" }));
  expect(screen.getByText("Say whom it is for.")).toBeVisible();
  expect(screen.getByText("Type a message.")).toBeVisible();
  expect(screen.getByText("“Before class” needs one class under To.")).toBeVisible();
  expect(to()).toHaveAttribute("aria-invalid", "true");
  await user.type(text(), "Hello {{judge}");
  await user.click(screen.getByRole("button", { name: "Schedule" }));
  expect(screen.getByText("Nothing is known for {judge}.")).toBeVisible();
  expect(sendMessage).not.toHaveBeenCalled();
});

test("an emergency to everybody goes out only after one more step", async () => {
  const sendMessage = vi.fn<DeskApi["sendMessage"]>(() => Promise.resolve(sentNow()));
  await open({ sendMessage });
  await addChip("Everybody");
  await user.click(screen.getByRole("button", { name: "Emergency" }));
  await user.type(text(), "Lightning. Keep all animals in the barns.");
  await user.click(screen.getByRole("button", { name: "Send now" }));
  const dialog = screen.getByRole("dialog", { name: "Send an emergency to everybody?" });
  expect(sendMessage).not.toHaveBeenCalled();
  await user.click(within(dialog).getByRole("button", { name: "Go back" }));
  expect(screen.queryByRole("dialog")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Send now" }));
  await user.click(screen.getByRole("button", { name: "Send the emergency" }));
  expect(sendMessage).toHaveBeenCalledWith(
    expect.objectContaining({ priority: "urgent", needs_ack: true, audience: { everybody: true } }),
  );
});

test("a draft is there again after the page was left, also in another window", async () => {
  await open();
  await addChip("Gate");
  await user.type(text(), "Half a message");
  document.body.innerHTML = "";
  await open();
  expect(text()).toHaveValue("Half a message");
  expect(screen.getByRole("button", { name: "Take Gate crew away" })).toBeVisible();
});

test("no answer leaves the text, and says that it may have gone out", async () => {
  await open({ sendMessage: () => Promise.reject(new Unreachable("network")) });
  await addChip("Gate");
  await user.type(text(), "Hello");
  await user.click(screen.getByRole("button", { name: "Send now" }));
  expect(await screen.findByText(/not known whether it went out/)).toBeVisible();
  expect(text()).toHaveValue("Hello");
});

test("a test goes to oneself alone, at once, and needs no audience", async () => {
  const sendMessage = vi.fn<DeskApi["sendMessage"]>(() => Promise.resolve(sentNow()));
  await open({ sendMessage });
  await user.type(text(), "Try this");
  await user.click(screen.getByRole("button", { name: "Send a test to me" }));
  expect(sendMessage).toHaveBeenCalledWith(expect.objectContaining({ title: "Try this", test: true }));
  expect(sendMessage.mock.calls[0]?.[0]).not.toHaveProperty("undo_seconds");
  expect(await screen.findByText(/on its way to your phone/)).toBeVisible();
});

test("a placeholder is put where the caret stands, with its spaces", async () => {
  await open();
  await user.type(text(), "Go to , now");
  (text() as HTMLTextAreaElement).setSelectionRange(6, 6);
  await user.click(screen.getByRole("button", { name: "Put in Ring" }));
  expect(text()).toHaveValue("Go to {ring}, now");
  await waitFor(() => expect(text()).toHaveFocus());
});

test("a scheduled message is edited while another draft waits", async () => {
  const waits = message({
    id: "s-1",
    title: "Class 15 to make-ready, Ring 1.",
    raw: { title: "{class} to make-ready, {ring}.", body: undefined },
    body: undefined,
    audience: { class_ids: ["k-15"] },
    before_class: { class_id: "k-15", minutes: 20 },
    ends: { class_starts: "k-15" },
    released_at: undefined,
  });
  const changeMessage = vi.fn<DeskApi["changeMessage"]>(() => Promise.resolve(sentNow({ id: "s-1" })));
  const desk = await open({
    changeMessage,
    message: () => Promise.resolve({ ...waits, deliveries: [] }),
    messages: (state) => Promise.resolve({ items: state === "scheduled" ? [waits] : [], cursor: undefined }),
    reach: () =>
      Promise.resolve({
        people: 11,
        devices: 11,
        away: 0,
        parts: [{ key: "class:k-15", label: "Class 15", people: 11 }],
      }),
  });
  await user.type(text(), "Lunch at noon");
  desk.router.replace("#/messages/scheduled");
  await user.click(await screen.findByRole("button", { name: /^Edit “Class 15/ }));
  await waitFor(() => expect(text()).toHaveValue("{class} to make-ready, {ring}."));
  expect(screen.getByText(/You are changing/)).toBeVisible();
  await user.selectOptions(screen.getByRole("combobox", { name: "How long before" }), "30");
  await user.click(screen.getByRole("button", { name: "Save changes" }));
  expect(changeMessage).toHaveBeenCalledWith(
    "s-1",
    expect.objectContaining({
      title: "{class} to make-ready, {ring}.",
      before_class: { class_id: "k-15", minutes: 30 },
      ends: { class_starts: "k-15" },
    }),
  );
  await waitFor(() => expect(text()).toHaveValue("Lunch at noon"));
});

test("one that has gone out meanwhile cannot be cancelled, and that is said", async () => {
  const waits = message({ id: "s-1", title: "Lunch", released_at: undefined });
  const more = { retryAfterMs: null, epoch: null, requestId: null, fields: {}, body: {} };
  await open(
    {
      messages: (state) => Promise.resolve({ items: state === "scheduled" ? [waits] : [], cursor: undefined }),
      cancelMessage: () => Promise.reject(new ApiProblem(409, "already_sent", "it has gone out", "never", more)),
    },
    "#/messages/scheduled",
  );
  await user.click(await screen.findByRole("button", { name: "Cancel “Lunch”" }));
  expect(await screen.findByText(/Too late to undo/)).toBeVisible();
});

test("counts follow as people read, and whoever has not is reminded", async () => {
  let read = false;
  const remindMessage = vi.fn<DeskApi["remindMessage"]>(() => Promise.resolve(5));
  const counts = { ...message().counts };
  const desk = await open(
    {
      remindMessage,
      messages: () =>
        Promise.resolve({
          items: [message({ counts: read ? { ...counts, waiting: 0, delivered: 0, seen: 0, confirmed: 14 } : counts })],
          cursor: undefined,
        }),
    },
    "#/messages/sent",
  );
  const row = await screen.findByRole("row", { name: /Class 13 final call/ });
  expect(within(row).getByRole("img", { name: "2 waiting, 3 on phone, 7 seen, 2 confirmed" })).toBeInTheDocument();
  await user.dblClick(within(row).getByRole("button", { name: /^Remind unread/ }));
  // Twice would ring twice.
  expect(remindMessage.mock.calls).toEqual([["m-13"]]);
  expect(await screen.findByText("5 people reminded.")).toBeVisible();
  read = true;
  desk.live.wake("messages");
  expect(await screen.findByText("All confirmed")).toBeVisible();
});

test("a message in full tells each phone, the way, and why not", async () => {
  const retractMessage = vi.fn<DeskApi["retractMessage"]>(() => Promise.resolve());
  const person = { id: "p-maria", name: "Maria Santos" };
  const common = { person, attempts: 1, next_attempt_at: undefined, updated_at: "2026-08-14T15:00:00.000Z" };
  await open(
    {
      retractMessage,
      messages: () => Promise.resolve({ items: [message()], cursor: undefined }),
      message: () =>
        Promise.resolve(
          detail({
            deliveries: [
              {
                ...common,
                id: "d-1",
                device: { id: "v-1", name: "Maria’s phone" },
                channel: "local",
                status: "waiting",
                error_code: undefined,
                reason: undefined,
              },
              {
                ...common,
                id: "d-2",
                device: { id: "v-1", name: "Maria’s phone" },
                channel: "fcm",
                status: "failed",
                error_code: "UNREGISTERED",
                reason: "The phone does not take messages any more.",
              },
            ],
          }),
        ),
    },
    "#/messages/sent",
  );
  await user.click(await screen.findByRole("row", { name: /Class 13 final call/ }));
  const drawer = screen.getByRole("region", { name: "Message" });
  expect(await within(drawer).findByText("Maria’s phone, Firebase")).toBeVisible();
  expect(within(drawer).getByText("The phone does not take messages any more.")).toBeVisible();
  expect(within(drawer).getByText(/The phone is away/)).toBeVisible();
  await user.click(within(drawer).getByRole("button", { name: "Take it back" }));
  expect(retractMessage).not.toHaveBeenCalled();
  const dialog = screen.getByRole("dialog", { name: "Take it back from every phone?" });
  await user.click(within(dialog).getByRole("button", { name: "Take it back" }));
  expect(retractMessage).toHaveBeenCalledWith("m-13");
});

test("a template becomes the draft; the draft before can be had back", async () => {
  await open({ templates: () => Promise.resolve([template()]) });
  await user.type(text(), "My own words");
  location.hash = "#/messages/templates";
  await user.click(await screen.findByRole("button", { name: "Use “Class to make-ready”" }));
  await waitFor(() =>
    expect(text()).toHaveValue("{class} to make-ready, {ring}, at {time}. Bring your exhibitor number."),
  );
  expect(screen.getByRole("button", { name: "Important, must confirm" })).toHaveAttribute("aria-pressed", "true");
  await user.click(screen.getByRole("button", { name: /^Undo/ }));
  expect(text()).toHaveValue("My own words");
});

test("a template without a name is not saved; a good one is", async () => {
  const addTemplate = vi.fn<DeskApi["addTemplate"]>((given) => Promise.resolve({ ...given, id: "t-2" }));
  await open({ addTemplate }, "#/messages/templates");
  await user.click(await screen.findByRole("button", { name: "New template" }));
  const dialog = screen.getByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Save template" }));
  expect(within(dialog).getByText("Give it a name.")).toBeVisible();
  expect(addTemplate).not.toHaveBeenCalled();
  await user.type(within(dialog).getByRole("textbox", { name: "Name" }), "Lunch");
  await user.type(within(dialog).getByRole("textbox", { name: "Message" }), "Lunch at 12:00. Both rings.");
  await user.click(within(dialog).getByRole("button", { name: "Save template" }));
  expect(addTemplate).toHaveBeenCalledWith(
    expect.objectContaining({ name: "Lunch", title: "Lunch at 12:00.", body: "Both rings.", audience: undefined }),
  );
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
});

test("what the desk sends by itself is switched, and quiet hours are kept", async () => {
  const kept = keptAutomatic([
    { key: "class_call", on: true },
    { key: "up_next", on: true, minutes: 10 },
  ]);
  const setAutomatic = vi.fn(kept.calls.setAutomatic);
  await open({ ...kept.calls, setAutomatic }, "#/messages/automatic");
  await user.click(await screen.findByRole("switch", { name: "Class calls" }));
  expect(setAutomatic).toHaveBeenCalledWith({ items: [{ key: "class_call", on: false }] });
  expect(await screen.findByText("Class calls: not sent.")).toBeVisible();
  const minutes = screen.getByRole("textbox", { name: /minutes for a class/ });
  await user.clear(minutes);
  await user.type(minutes, "0{Enter}");
  minutes.blur();
  expect(await screen.findByText("Type whole minutes from 1 to 240.")).toBeVisible();
  await user.click(screen.getByRole("switch", { name: "Keep quiet hours" }));
  await waitFor(() => expect(setAutomatic.mock.lastCall?.[0]).toEqual({ quiet: { from: "21:00", to: "06:30" } }));

  const until = await screen.findByLabelText("Until");
  const choose = (time: string) => fireEvent.change(until, { target: { value: time } });
  await choose("21:00");
  expect(await screen.findByText("Choose two different times.")).toBeVisible();
  await choose("05:00");
  await waitFor(() => expect(setAutomatic.mock.lastCall?.[0]).toEqual({ quiet: { from: "21:00", to: "05:00" } }));
  expect(screen.queryByText("Choose two different times.")).toBeNull();
});

test("a switch leaves alone what another window has chosen, and what the desk refused is not saved with the next", async () => {
  const kept = keptAutomatic([
    { key: "class_call", on: true },
    { key: "up_next", on: true },
    { key: "results", on: true },
  ]);
  let refuses = false;
  const save = kept.calls.setAutomatic;
  await open(
    { ...kept.calls, setAutomatic: (change) => (refuses ? Promise.reject(new Error("disk")) : save(change)) },
    "#/messages/automatic",
  );
  const turn = async (name: string) => user.click(await screen.findByRole("switch", { name }));
  await screen.findByRole("switch", { name: "Class calls" });
  // Another window: this one has not heard of it.
  await save({ items: [{ key: "class_call", on: false }], quiet: { from: "22:00", to: "06:00" } });
  await turn("A class is up soon");
  expect(await screen.findByText("A class is up soon: not sent.")).toBeVisible();
  expect(kept.now).toEqual({ isOn: { class_call: false, up_next: false, results: true }, quiet: "22:00" });
  await waitFor(() => expect(screen.getByRole("switch", { name: "Class calls" })).not.toBeChecked());
  refuses = true;
  await turn("Results are official");
  expect(await screen.findByText(/^Not saved/)).toBeVisible();
  expect(screen.getByRole("switch", { name: "Results are official" })).toBeChecked();
  refuses = false;
  await turn("A class is up soon");
  expect(await screen.findByText("A class is up soon: sent.")).toBeVisible();
  expect(kept.now.isOn).toEqual({ class_call: false, up_next: true, results: true });
});

test("an empty show has a sentence and a way on; a failure says that nothing is lost", async () => {
  await open({}, "#/messages/sent");
  expect(await screen.findByText("No message has gone out yet.")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Write a message" }));
  await waitFor(() => expect(text()).toBeVisible());
  document.body.innerHTML = "";
  await open({ messages: () => Promise.reject(new Error("broken")) }, "#/messages/sent");
  expect(await screen.findByText(/Nothing was lost/)).toBeVisible();
});
