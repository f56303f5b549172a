// The phone's copy of the show: what it knows, what it still has to send, and how both meet the desk.

export { StorageFull } from "./durable.ts";
export { SyncEngine, type EngineParts } from "./engine.ts";
export type { Inbox } from "./inbox.ts";
export { isAtLeast, isOver, isUntold, reached } from "./notices.ts";
export { Journal, type Shelf } from "./journal.ts";
export { naturalId, newId } from "./ids.ts";
export { RowMissing, TogetherTooLarge, type Draft } from "./outbox.ts";
export type { LocalRow } from "./overlay.ts";
export { browserPage } from "./page.ts";
export { OtherEpoch } from "./retry.ts";
export { learnAddress, Reach, type ReachParts } from "./reach.ts";
export {
  askMe,
  askWho,
  claim,
  leaveShow,
  OtherShowFirst,
  pollJoin,
  type Joining,
  type JoinState,
  type Session,
} from "./session.ts";
export { FIRST_STATUS, tidings, type SyncStatus } from "./status.ts";
export {
  Store,
  type Fields,
  type MovedOn,
  type OpState,
  type StoredCheck,
  type StoredNotice,
  type StoredOp,
} from "./store.ts";
export { browserTabs } from "./tabs.ts";
export { askTrust, type Trust } from "./trust.ts";
export type { LocalView } from "./view.ts";
export type { CheckView, Decision, Me, NoticeState, Ping } from "./wire.ts";
