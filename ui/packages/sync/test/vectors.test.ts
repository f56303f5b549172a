// The tables that the desk is held to, from the phone's side: what an entry becomes with each answer, and what is shown.

import type { TableName } from "@showdesk/api";
import { expect, onTestFinished, test } from "vitest";

import lifecycle from "../../../../tests/vectors/lifecycle.json" with { type: "json" };
import verdicts from "../../../../tests/vectors/verdicts.json" with { type: "json" };
import { FRESH } from "../src/outbox.ts";
import { overlay, patched } from "../src/overlay.ts";
import { settle } from "../src/settle.ts";
import type { Fields, OpState, StoredOp } from "../src/store.ts";
import { readResults } from "../src/wire.ts";
import { emptyStore, FakeDesk, newStore, TestPhone } from "./fake-desk.ts";

interface VectorOp {
  readonly op_id?: string;
  readonly table_name: TableName;
  readonly record_id: string;
  readonly operation: "insert" | "update" | "delete";
  readonly data: Fields;
}

interface VerdictCase {
  readonly cell: string;
  readonly name: string;
  readonly earlier?: readonly { readonly op: VectorOp; readonly verdict?: string }[];
  readonly op: VectorOp;
  readonly expect: {
    readonly verdict: string;
    readonly version?: number;
    readonly row?: Fields | null;
    readonly deleted?: boolean;
    readonly kind?: string;
    readonly contested?: readonly string[];
    readonly code?: string;
    readonly waiting_for?: unknown;
  };
}

/** What the table of PROTOCOL.md section 3 makes of each verdict. */
const BECOMES: Readonly<Record<string, OpState>> = {
  applied: "done",
  merged: "done",
  noop: "done",
  conflict: "conflict",
  held: "held",
  rejected: "rejected",
};

// Read as what they are: the files are the desk's too, and typed there.
const verdictCases = verdicts.cases as unknown as readonly VerdictCase[];

test.each(verdictCases)("$cell: $name", async ({ op, earlier = [], expect: expected }) => {
  const store = emptyStore();
  onTestFinished(() => store.close());
  const { table_name: table, record_id: id } = op;
  const made = earlier.find((one) => one.op.record_id === id && one.op.operation === "insert" && !one.verdict)?.op.data;
  const start = verdicts.rows.find((row) => row.table_name === table && row.record_id === id)?.data ?? made;
  // What others have deleted is gone here with the next pull.
  const isGone = expected.deleted === true && op.operation !== "delete";
  if (start !== undefined && !isGone) {
    await store.rows.put({ table, id, version: 1, seq: 1, data: start, disputed: [], kept_from: null });
  }
  const stored: StoredOp = { ...FRESH, ...entry, ...op, op_id: "op" };
  await store.ops.add(stored);
  const before = earlier.filter((one) => one.verdict === undefined && one.op.record_id === id);
  const atDesk = before.reduce((row, one) => patched(row, one.op.data), { ...start, ...expected.row });
  const isThere = expected.deleted !== true && expected.row !== null && (start !== undefined || expected.row);
  const record = isThere ? { ...atDesk, ...expected.row } : undefined;
  const tellsRecord = ["merged", "noop", "conflict"].includes(expected.verdict);
  const answer = {
    op_id: "op",
    verdict: expected.verdict,
    version: expected.version ?? 1 + before.length,
    conflict_id: expected.verdict === "conflict" ? "c1" : undefined,
    kind: expected.kind,
    contested: expected.contested,
    waiting_for: expected.waiting_for,
    error: { code: expected.code, detail: "" },
    record: tellsRecord ? record : undefined,
  };
  const results = readResults([JSON.parse(JSON.stringify(answer))]);
  expect(results).toHaveLength(1);
  await settle(store, results, { nowMs: 1, random: () => 0 });

  const [after] = await store.ops.toArray();
  const shown = overlay(await store.rows.get([table, id]), after ? [after] : [])?.data;
  expect(after?.state).toBe(BECOMES[expected.verdict]);
  expect(after?.waiting_for).toEqual(expected.waiting_for ?? null);
  expect(after?.fault?.code).toBe(expected.code);
  expect(after?.contested).toEqual(expected.verdict === "conflict" ? expected.contested : []);
  switch (expected.verdict) {
    case "applied":
      if (op.operation === "delete") expect(shown).toBeUndefined();
      else expect(shown).toMatchObject(op.data);
      break;
    case "merged":
      expect(shown).toMatchObject(expected.row ?? {});
      break;
    case "noop":
      // Nothing of it is the phone's own any more.
      expect(shown).toEqual((await store.rows.get([table, id]))?.data);
      break;
    case "conflict":
    case "rejected":
      expect(shown).toEqual((await store.rows.get([table, id]))?.data);
      for (const name of expected.contested ?? []) expect(shown?.[name]).not.toEqual(op.data[name] ?? Symbol());
      break;
    case "held":
      if (op.operation === "insert") expect(shown).toEqual(op.data);
      break;
  }
});

const entry = {
  device_seq: 1,
  txn: null,
  base_version: 1,
  prev_op_id: null,
  base: null,
  reason: null,
  client_time: "",
  epoch: "e1",
} as const;

interface Step {
  readonly do: "push" | "resolve" | "withdraw" | "undo" | "disagree" | "reopen";
  readonly by?: "first" | "second";
  readonly op?: VectorOp;
  readonly verdict?: string;
  readonly resolution?: string;
  readonly error?: string;
  readonly then?: {
    readonly status: string;
    readonly rev: number;
    readonly ops: readonly string[];
    readonly row?: Fields;
    readonly version: number;
  };
}

const lifeCases = lifecycle.cases as unknown as readonly { readonly name: string; readonly steps: readonly Step[] }[];

test.each(lifeCases)("life of a clash, seen by its author: $name", async ({ steps }) => {
  const author = await Author.join();
  for (const step of steps) {
    await author.follow(step);
    if (step.then !== undefined) await author.sees(step.then);
  }
});

/** The second phone of the vectors, at a desk that does what they say. */
class Author {
  readonly #disputed: string[] = [];
  readonly #sent = new Set<string>();

  private constructor(
    readonly desk: FakeDesk,
    readonly phone: TestPhone,
  ) {}

  static async join(): Promise<Author> {
    const desk = new FakeDesk();
    for (const { table_name, record_id, data } of verdicts.rows) desk.put(table_name, record_id, data);
    const phone = new TestPhone(desk, await newStore(desk));
    await phone.engine.start();
    await phone.engine.settled();
    onTestFinished(async () => {
      await phone.engine.stop();
      phone.store.close();
    });
    return new Author(desk, phone);
  }

  async follow(step: Step): Promise<void> {
    if (step.do === "push" && step.op !== undefined && step.by === "second") await this.#push(step.op, step);
    else if (step.do === "push" && step.op !== undefined) this.#pushOfOther(step.op);
    else if (step.error === undefined && step.then === undefined) await this.#decideUnseen(step);
  }

  /** What the phone makes of the clash as it stands now. */
  async sees(then: NonNullable<Step["then"]>): Promise<void> {
    this.#tell(then.status, then.rev, then.ops, then.row, then.version);
    await this.phone.round();
    const ops = await this.phone.store.ops.bulkGet([...this.#disputed]);
    expect(ops.map((op) => op?.state)).toEqual(then.ops.map((verdict) => BECOMES[verdict]));
    expect(this.phone.engine.status.checking).toBe(then.status === "open" ? 1 : 0);
    const row = this.phone.engine.view.row("animals", ANIMAL)?.data;
    if (then.row === undefined) expect(row).toBeUndefined();
    else expect(row).toMatchObject(then.row);
  }

  async #push(op: VectorOp, step: Step): Promise<void> {
    // The phone sends an entry once; that it may be sent again is the network's doing.
    if (op.op_id !== undefined && this.#sent.has(op.op_id)) return;
    if (op.op_id !== undefined) this.#sent.add(op.op_id);
    const isDisputed = step.verdict === "conflict" || step.verdict === "held";
    const clash = isDisputed ? { conflict_id: "c1", contested: ["tag"] } : {};
    this.desk.verdict = (sent) => ({ op_id: sent.op_id, verdict: step.verdict, version: step.then?.version, ...clash });
    if (op.operation === "delete") throw new Error("no vector lets the author delete");
    const added = await this.phone.engine.add({
      ...op,
      table: op.table_name,
      id: op.record_id,
      operation: op.operation,
    });
    if (isDisputed) this.#disputed.push(added.op_id);
    await this.phone.engine.settled();
  }

  #pushOfOther(op: VectorOp): void {
    if (op.operation === "delete") this.desk.bury(op.table_name, op.record_id, "delete");
    else this.desk.put(op.table_name, op.record_id, { ...this.#row, ...op.data });
  }

  /** A step whose outcome the vectors do not tell, because the next one is about it. */
  async #decideUnseen(step: Step): Promise<void> {
    const isClient = step.resolution === "client_wins";
    const [op] = await this.phone.store.ops.bulkGet(this.#disputed);
    this.#tell(
      step.do === "withdraw" ? "withdrawn" : "resolved",
      1,
      this.#disputed.map(() => (isClient ? "merged" : "noop")),
      isClient ? { ...this.#row, ...op?.data } : this.#row,
      this.#version + 1,
    );
    await this.phone.round();
  }

  #tell(status: string, rev: number, ops: readonly string[], row: Fields | undefined, version: number): void {
    const isOpen = status === "open";
    const decision = isOpen ? {} : { decision: { conflict_id: "c1", resolution: status, values: {} } };
    this.#disputed.forEach((op_id, i) => {
      const clash = isOpen ? { conflict_id: "c1", contested: ["tag"] } : { version };
      this.desk.results.set(op_id, { op_id, verdict: ops[i], ...clash, ...decision });
    });
    const about = { id: "c1", kind: "update_update", table_name: "animals", record_id: ANIMAL, contested: ["tag"] };
    this.desk.checks = [{ ...about, status, rev, op_ids: this.#disputed, opened_at: "2026-11-22T09:00:00.000Z" }];
    this.phone.live?.({ type: "conflict", data: { id: "c1", rev, status }, id: null });
    if (row === undefined) return;
    const told = { ...this.#row, ...row };
    this.desk.clock += 1;
    const at = { table: "animals", id: ANIMAL, version, seq: this.desk.clock };
    this.desk.rows.set(`animals/${ANIMAL}`, { ...at, data: told, disputed: isOpen ? ["tag"] : [] });
  }

  get #row(): Fields {
    return this.desk.rows.get(`animals/${ANIMAL}`)?.data ?? {};
  }

  get #version(): number {
    return this.desk.rows.get(`animals/${ANIMAL}`)?.version ?? 0;
  }
}

const ANIMAL = "0190a000-0000-7000-8000-0000000000a1";
