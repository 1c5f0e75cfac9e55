/**
 * The only file that talks to Tauri.
 *
 * One method is one intent or one question; a rejected promise carries a
 * `Problem`. Nothing here decides anything.
 */
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";

import type { ClosedView } from "./contract/ClosedView";
import type { FaceView } from "./contract/FaceView";
import type { FamilyView } from "./contract/FamilyView";
import type { Problem } from "./contract/Problem";
import type { Progress } from "./contract/Progress";
import type { RunView } from "./contract/RunView";
import type { SeedView } from "./contract/SeedView";
import type { TokensView } from "./contract/TokensView";

/** What can be done. `null` means that the person cancelled. */
export interface Backend {
  view(): Promise<RunView>;
  /** Asks for pictures or files in the system's own dialog. */
  openPicture(): Promise<RunView | null>;
  readPicture(bytes: Uint8Array): Promise<RunView>;
  /** Reads the picture or the text that is on the clipboard. */
  paste(): Promise<RunView>;
  /** Looks longer at what was handed over last, where that may find more. */
  readLonger(): Promise<RunView>;
  /** Answers what a file asked. */
  answer(answer: FileAnswer): Promise<RunView>;
  choose(finding: number): Promise<RunView>;
  tokens(): Promise<TokensView>;
  plan(wish: PlanWish): Promise<RunView>;
  write(replace: boolean): Promise<RunView>;
  settle(): Promise<RunView>;
  prove(): Promise<RunView>;
  judge(code: string): Promise<RunView>;
  stop(): Promise<RunView>;
  back(): Promise<RunView>;
  startOver(): Promise<RunView>;
  /** Asks for a place in the system's own dialog. */
  saveReceipt(): Promise<RunView | null>;
  families(): Promise<FamilyView[]>;
  /** The models that only their maker's tool can write. */
  closedModels(): Promise<ClosedView[]>;
  handOver(model: string, serial: string | null): Promise<RunView>;
  /** The secret, once, because somebody pressed for it; nobody but `Secret` asks. */
  reveal(form: string): Promise<SeedView>;
  handedWritten(): Promise<RunView>;
  /** Asks the card of which somebody said that it is the closed token of this run. */
  askHanded(token: string): Promise<RunView>;
  setHandedClock(token: string): Promise<RunView>;
  /** Has that token tell its code, which is judged and not shown. */
  judgeTold(token: string): Promise<RunView>;
  practiceFaces(): Promise<FaceView[]>;
  /** Says that the first frame is on the screen; measurements wait for it. */
  painted(): Promise<void>;
  /** Presses a button of a practice token. */
  press(token: string, button: string): Promise<void>;
  /** Calls `hear` until the returned function is called. */
  on<E extends keyof Events>(event: E, hear: (payload: Events[E]) => void): Promise<() => void>;
}

/** The token to plan for, with a name, a place and a password where a person gave one. */
export type PlanWish = {
  token: string;
  name: string | null;
  slot: number | null;
  password: string | null;
};

/** The password or key of a file, or how its secret is written. */
export type FileAnswer = { password: string | null; encoding: string | null };

/** What is heard without asking. */
export type Events = {
  tokens: TokensView;
  faces: FaceView[];
  progress: Progress;
  run: RunView;
  problem: Problem;
  /** Files are held over the window, or no longer. */
  hover: boolean;
};

export const tauri: Backend = {
  view: () => invoke("view"),
  painted: () => invoke("painted"),
  openPicture: () => invoke("open_picture"),
  // The bytes are the raw body: a JSON array of numbers would be many times as long.
  readPicture: (bytes) => invoke("read_picture", bytes),
  paste: () => invoke("paste"),
  readLonger: () => invoke("read_longer"),
  answer: (answer) => invoke("answer", answer),
  choose: (finding) => invoke("choose", { finding }),
  tokens: () => invoke("tokens"),
  plan: (wish) => invoke("plan", wish),
  write: (replace) => invoke("write", { replace }),
  settle: () => invoke("settle"),
  prove: () => invoke("prove"),
  judge: (code) => invoke("judge", { code }),
  stop: () => invoke("stop"),
  back: () => invoke("back"),
  startOver: () => invoke("start_over"),
  saveReceipt: () => invoke("save_receipt"),
  families: () => invoke("families"),
  closedModels: () => invoke("closed_models"),
  handOver: (model, serial) => invoke("hand_over", { model, serial }),
  reveal: (form) => invoke("reveal", { form }),
  handedWritten: () => invoke("handed_written"),
  askHanded: (token) => invoke("ask_handed", { token }),
  setHandedClock: (token) => invoke("set_handed_clock", { token }),
  judgeTold: (token) => invoke("judge_told", { token }),
  practiceFaces: () => invoke("practice_faces"),
  press: (token, button) => invoke("press", { token, button }),
  on: (event, hear) =>
    event === "hover"
      ? hover(hear as (over: boolean) => void)
      : listen<Events[typeof event]>(event, ({ payload }) => hear(payload)),
};

/** The shell's own drag events, as one. The dropped file itself goes to Rust. */
async function hover(hear: (over: boolean) => void): Promise<() => void> {
  const stops = await Promise.all([
    listen("tauri://drag-enter", () => hear(true)),
    listen("tauri://drag-leave", () => hear(false)),
    listen("tauri://drag-drop", () => hear(false)),
  ]);
  return () => stops.forEach((stop) => stop());
}
