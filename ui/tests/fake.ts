/** A backend that does nothing by itself: it records intents and answers as told. */
import { render } from "@testing-library/svelte";
import { tick } from "svelte";

import App from "../src/App.svelte";
import type { Backend, Events } from "../src/backend";
import type { RunView } from "../src/contract/RunView";
import type { SeedView } from "../src/contract/SeedView";
import { closedModels, faces, families, noTokens } from "./samples";

type Heard = { [E in keyof Events]?: (payload: Events[E]) => void };

export class Fake implements Backend {
  /** What was asked, in order: the method's name and what was handed over. */
  readonly intents: unknown[][] = [];
  /** What the next intent gives; `reject` is thrown instead where it is set. */
  reply: RunView | null = null;
  reject: unknown = null;

  /** What a press for the secret gives. */
  seed: SeedView = { form: "base32", text: "AAAA", qr: null };

  run: RunView = { stage: "empty" };
  seen = noTokens;
  shownFaces = faces;

  readonly #heard: Heard = {};

  view = async () => this.run;
  tokens = async () => this.seen;
  families = async () => families;
  practiceFaces = async () => this.shownFaces;
  closedModels = async () => closedModels;
  painted = async () => {};

  openPicture = () => this.#intent("openPicture");
  paste = () => this.#certain("paste");
  readPicture = (bytes: Uint8Array) => this.#certain("readPicture", [...bytes]);
  readLonger = () => this.#certain("readLonger");
  answer = (answer: unknown) => this.#certain("answer", answer);
  choose = (finding: number) => this.#certain("choose", finding);
  plan = (wish: unknown) => this.#certain("plan", wish);
  write = (replace: boolean) => this.#certain("write", replace);
  settle = () => this.#certain("settle");
  prove = () => this.#certain("prove");
  judge = (code: string) => this.#certain("judge", code);
  stop = () => this.#certain("stop");
  back = () => this.#certain("back");
  startOver = () => this.#certain("startOver");
  handOver = (model: string, serial: string | null) =>
    this.#certain("handOver", model, serial);
  handedWritten = () => this.#certain("handedWritten");
  askHanded = (token: string) => this.#certain("askHanded", token);
  setHandedClock = (token: string) => this.#certain("setHandedClock", token);
  judgeTold = (token: string) => this.#certain("judgeTold", token);
  reveal = async (form: string) => {
    this.intents.push(["reveal", form]);
    if (this.reject !== null) throw this.reject;
    return { ...this.seed, form };
  };
  saveReceipt = () => this.#intent("saveReceipt");
  press = async (token: string, button: string) => {
    this.intents.push(["press", token, button]);
  };

  async on<E extends keyof Events>(event: E, hear: (payload: Events[E]) => void) {
    Object.assign(this.#heard, { [event]: hear });
    return () => {
      delete this.#heard[event];
    };
  }

  /** Tells the window something that it did not ask for. */
  async tell<E extends keyof Events>(event: E, payload: Events[E]): Promise<void> {
    this.#heard[event]?.(payload);
    await settled();
  }

  async #intent(...intent: unknown[]): Promise<RunView | null> {
    this.intents.push(intent);
    if (this.reject !== null) throw this.reject;
    return this.reply;
  }

  async #certain(...intent: unknown[]): Promise<RunView> {
    return (await this.#intent(...intent)) ?? this.run;
  }
}

/** The window at a stage. */
export async function show(run: RunView, prepare: (fake: Fake) => void = () => {}): Promise<Fake> {
  const fake = new Fake();
  fake.run = run;
  prepare(fake);
  render(App, { backend: fake });
  await settled();
  return fake;
}

/** Lets promises and the page come to rest. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 8; round += 1) {
    await Promise.resolve();
    await tick();
  }
}
