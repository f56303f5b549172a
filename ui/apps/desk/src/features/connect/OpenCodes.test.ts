import { Unreachable } from "@showdesk/api";
import { render, screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { Desk } from "../../data/desk.svelte.ts";
import { fakeApi } from "../../testing/fake-api.ts";
import { openCode } from "../../testing/samples.ts";
import Stage from "../../testing/Stage.svelte";
import OpenCodes from "./OpenCodes.svelte";

test("a code that could not be closed is said to be open still", async () => {
  const user = userEvent.setup();
  const code = openCode({ code_expires_at: new Date(Date.now() + 3_600_000).toISOString() });
  const desk = new Desk(
    fakeApi([], {
      openCodes: () => Promise.resolve([code]),
      closeCode: () => Promise.reject(new Unreachable("network")),
    }),
  );
  render(Stage, { desk, Screen: OpenCodes });
  await user.click(await screen.findByRole("button", { name: "Close the code for Gate" }));
  expect(await screen.findByRole("alert")).toHaveTextContent(/not closed: phones can still use it/);
});
