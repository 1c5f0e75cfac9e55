/**
 * What the window shows: the latest views, and whether an intent is under way.
 *
 * It holds no rule. A new view comes from the backend and replaces the old one.
 */
import type { Backend } from "./backend";
import type { ClosedView } from "./contract/ClosedView";
import type { FaceView } from "./contract/FaceView";
import type { FamilyView } from "./contract/FamilyView";
import type { Problem } from "./contract/Problem";
import type { Progress } from "./contract/Progress";
import type { RunView } from "./contract/RunView";
import type { SeedView } from "./contract/SeedView";
import type { TokensView } from "./contract/TokensView";
import { tokenOf } from "./stage";

export class Session {
  run = $state.raw<RunView>({ stage: "empty" });
  tokens = $state.raw<TokensView>({ problem: null, tokens: [] });
  faces = $state.raw<FaceView[]>([]);
  families = $state.raw<FamilyView[]>([]);
  closed = $state.raw<ClosedView[]>([]);
  progress = $state.raw<Progress | null>(null);
  /** What went wrong with the last intent, where the stage has no place for it. */
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  /** Whether files are held over the window. */
  hover = $state(false);
  /** Whether the person opened or closed the practice tokens; null: neither yet. */
  practiceOpen = $state<boolean | null>(null);

  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Real tokens and practice tokens, each in the order they came in. */
  get real() {
    return this.tokens.tokens.filter((token) => !token.practice);
  }

  get practice() {
    return this.tokens.tokens.filter((token) => token.practice);
  }

  /** Practice tokens are in sight while there is nothing else, or when asked for. */
  get practising(): boolean {
    return this.practiceOpen ?? this.real.length === 0;
  }

  /** The practice bench stands beside the stages that need a hand on the token. */
  get bench(): boolean {
    if (this.faces.length === 0) return false;
    return this.run.stage === "captured" ? this.practising : (tokenOf(this.run)?.practice ?? false);
  }

  /** Listens first and asks then, so that nothing falls in between. */
  async start(): Promise<() => void> {
    const backend = this.#backend;
    const stops = await Promise.all([
      backend.on("tokens", (tokens) => (this.tokens = tokens)),
      backend.on("faces", (faces) => (this.faces = faces)),
      backend.on("progress", (progress) => (this.progress = progress)),
      backend.on("hover", (over) => (this.hover = over)),
      backend.on("problem", (problem) => (this.problem = problem)),
      backend.on("run", (run) => {
        this.problem = null;
        this.run = run;
      }),
    ]);
    await Promise.all([
      backend.view().then((run) => (this.run = run), this.#complain),
      backend.tokens().then((tokens) => (this.tokens = tokens), this.#complain),
      backend.practiceFaces().then((faces) => (this.faces = faces), this.#complain),
      backend.families().then((families) => (this.families = families), this.#complain),
      backend.closedModels().then((closed) => (this.closed = closed), this.#complain),
    ]);
    return () => stops.forEach((stop) => stop());
  }

  /** Sends one intent. A second one waits for the person to press again. */
  async intend(ask: (backend: Backend) => Promise<RunView | null>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.problem = null;
    try {
      const run = await ask(this.#backend);
      if (run) this.run = run;
    } catch (thrown) {
      this.#complain(thrown);
    } finally {
      this.busy = false;
      this.progress = null;
    }
  }

  /** Reads a picture that came by drop or by the file field. */
  readFile(file: Blob): Promise<void> {
    return this.intend(async (backend) => {
      const bytes = await file.arrayBuffer().catch(() => {
        throw { code: "file-unreadable", facts: {}, token: null } satisfies Problem;
      });
      return backend.readPicture(new Uint8Array(bytes));
    });
  }

  /** The secret for whoever pressed; it passes through here and stays with the caller. */
  async reveal(form: string): Promise<SeedView | null> {
    if (this.busy) return null;
    this.busy = true;
    this.problem = null;
    try {
      return await this.#backend.reveal(form);
    } catch (thrown) {
      this.#complain(thrown);
      return null;
    } finally {
      this.busy = false;
    }
  }

  /** Presses a practice token's button, also while a write waits for just that. */
  async press(token: string, button: string): Promise<void> {
    await this.#backend.press(token, button).catch(this.#complain);
  }

  readonly #complain = (thrown: unknown): void => {
    this.problem = isProblem(thrown) ? thrown : { code: "unexpected", facts: {}, token: null };
  };
}

function isProblem(thrown: unknown): thrown is Problem {
  return typeof thrown === "object" && thrown !== null && "code" in thrown && "facts" in thrown;
}
