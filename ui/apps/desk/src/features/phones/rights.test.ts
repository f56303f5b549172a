import { expect, test, vi } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import type { Device, DeviceChange, PermissionItem } from "../../data/desk-api.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { device } from "../../testing/samples.ts";
import { firstShown, Rights, rightsOf, switched } from "./rights.svelte.ts";

const ITEMS: PermissionItem[] = [
  { key: "check_in", functions: ["checkin"] },
  { key: "fix_tags", functions: ["superintendent"] },
  { key: "weigh", functions: ["scale"] },
  { key: "classes", functions: ["superintendent"] },
];
const NONE = { granted: [], withheld: [] };

test.each([
  // A switch that the job has on by itself is noted only when it is off.
  [NONE, "weigh", false, true, { granted: [], withheld: ["weigh"] }],
  [{ granted: [], withheld: ["weigh"] }, "weigh", true, true, NONE],
  [NONE, "fix_tags", true, false, { granted: ["fix_tags"], withheld: [] }],
  [{ granted: ["fix_tags"], withheld: [] }, "fix_tags", false, false, NONE],
  // What was withheld under another job is forgotten with it.
  [{ granted: [], withheld: ["fix_tags"] }, "fix_tags", true, false, { granted: ["fix_tags"], withheld: [] }],
])("%j with %s switched to %s by job %s is %j", (now, key, isOn, byJob, then) => {
  expect(switched(now, key, isOn, byJob)).toEqual(then);
});

test("a switch is on by the job, by hand, or not at all; the office has all, a viewer none", () => {
  const on = (change: Partial<Device>, permissions = NONE as { granted: string[]; withheld: string[] }) =>
    rightsOf(device(change), permissions, ITEMS)
      .filter((right) => right.isOn)
      .map(({ key }) => key);
  expect(on({ functions: ["scale"] })).toEqual(["weigh"]);
  expect(on({ functions: ["scale"] }, { granted: ["fix_tags"], withheld: ["weigh"] })).toEqual(["fix_tags"]);
  expect(on({ functions: ["admin"] }, { granted: [], withheld: ["weigh"] })).toHaveLength(ITEMS.length);
  expect(on({ functions: ["viewer"] }, { granted: ["weigh"], withheld: [] })).toEqual([]);
});

test("what a person has, and what is asked for most, is shown first", () => {
  const rights = rightsOf(device(), NONE, ITEMS);
  expect(firstShown(rights).map(({ key }) => key)).toEqual(["fix_tags", "weigh"]);
});

function stage(changeDevice: (id: string, change: DeviceChange) => Promise<void>) {
  let maria = device();
  const desk = new Desk(
    fakeApi([], {
      devices: () => Promise.resolve([maria]),
      changeDevice: async (id, change) => {
        await changeDevice(id, change);
        maria = { ...maria, permissions: change.permissions ?? maria.permissions };
      },
    }),
  );
  const rights = new Rights(desk, maria);
  const turn = (key: string, isOn: boolean) => {
    const right = rightsOf(maria, rights.permissions, ITEMS).find((one) => one.key === key);
    return right === undefined ? Promise.reject(new Error(key)) : rights.turn(right, isOn);
  };
  return { desk, rights, turn };
}

test("two switches turned one after the other are both kept", async () => {
  const changeDevice = vi.fn(() => Promise.resolve());
  const { rights, turn } = stage(changeDevice);
  await Promise.all([turn("fix_tags", true), turn("weigh", false)]);
  expect(changeDevice).toHaveBeenLastCalledWith("d-maria", {
    permissions: { granted: ["fix_tags"], withheld: ["weigh"] },
  });
  expect(rights.permissions).toEqual({ granted: ["fix_tags"], withheld: ["weigh"] });
});

test("a switch that the desk does not take goes back, and says so; undo turns one back", async () => {
  const changeDevice = vi.fn(() => Promise.reject(new Error("away")));
  const { desk, rights, turn } = stage(changeDevice);
  await turn("fix_tags", true);
  expect(rights.permissions).toEqual(NONE);
  expect(desk.toasts.current?.tone).toBe("bad");

  changeDevice.mockImplementation(() => Promise.resolve() as Promise<never>);
  await turn("fix_tags", true);
  expect(desk.toasts.current?.text).toBe("Maria may now change ear tags.");
  desk.toasts.act();
  await vi.waitFor(() => expect(rights.permissions).toEqual(NONE));
  desk.toasts.dismiss();
});

test("a switch that the desk did not take is not saved by the next one", async () => {
  const changeDevice = vi.fn<(id: string, change: DeviceChange) => Promise<void>>(() => Promise.resolve());
  const { rights, turn } = stage(changeDevice);
  changeDevice.mockImplementationOnce(() => Promise.reject(new Error("away")));
  await Promise.all([turn("fix_tags", true), turn("weigh", false)]);
  expect(changeDevice).toHaveBeenLastCalledWith("d-maria", { permissions: { granted: [], withheld: ["weigh"] } });
  expect(rights.permissions).toEqual({ granted: [], withheld: ["weigh"] });
});
