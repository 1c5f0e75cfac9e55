/** Names for parts of the contract that the window's files speak of. */
import type { RunView } from "./contract/RunView";
import type { TokenView } from "./contract/TokenView";
import type { WhatView } from "./contract/WhatView";

/** The view of one stage. */
export type Stage<S extends RunView["stage"]> = Extract<RunView, { stage: S }>;

/** A token of a known family. */
export type KnownToken = Extract<WhatView, { kind: "token" }>;

/** The steps of the journey, in order. */
export const STEPS = ["read", "choose", "write", "check"] as const;

/** The step that a stage belongs to. */
export const STEP_OF: Record<RunView["stage"], (typeof STEPS)[number]> = {
  empty: "read",
  found: "read",
  asked: "read",
  captured: "choose",
  assisted: "write",
  locked: "choose",
  unfit: "choose",
  planned: "write",
  failed: "write",
  written: "check",
  confirmed: "check",
  unconfirmed: "check",
};

/** The token that a stage is about, if it is about one. */
export function tokenOf(run: RunView): TokenView | null {
  return "token" in run ? run.token : null;
}
