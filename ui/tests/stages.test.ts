import { cleanup, fireEvent, screen, waitFor } from "@testing-library/svelte";
import axe from "axe-core";
import { describe, expect, it, vi } from "vitest";

import { type Fake, settled, show } from "./fake";
import {
  card,
  faces,
  key,
  manyTokens,
  noService,
  practiceCard,
  practiceTokens,
  problem,
  runs,
  unknownCard,
} from "./samples";

async function press(name: string | RegExp) {
  await fireEvent.click(screen.getByRole("button", { name }));
  await settled();
}

function text(): string {
  return document.body.textContent?.replace(/\s+/g, " ") ?? "";
}

const plan = (token: string, name: string | null = null, password: string | null = null) => [
  "plan",
  { token, name, slot: null, password },
];

describe("every stage", () => {
  for (const [name, run] of Object.entries(runs)) {
    it(`${name} is shown in words and without a fault in access`, async () => {
      await show(run, (fake) => (fake.seen = manyTokens));
      expect(document.querySelector(`main[data-stage="${run.stage}"] h1`)).not.toBeNull();
      expect(document.querySelectorAll("h1")).toHaveLength(1);
      expect(document.querySelector('[aria-current="step"]')).not.toBeNull();
      expect(text()).not.toMatch(/no words for|\{|\bui-|undefined|null/);
      // Contrast needs a real page and is looked at by `npm run look`.
      const { violations } = await axe.run(document.body, {
        rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
      });
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    });
  }
});

describe("reading", () => {
  it("asks for the system's dialog, and a cancelled one changes nothing", async () => {
    const fake = await show(runs.empty);
    await press("Open a picture or file…");
    expect(fake.intents).toEqual([["openPicture"]]);
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Read the code");
  });

  it("pastes by key or by button, and has the program read the clipboard", async () => {
    const fake = await show(runs.empty);
    await fireEvent.keyDown(window, { key: "v", ctrlKey: true });
    await settled();
    expect(fake.intents.splice(0)).toEqual([["paste"]]);
    await press("Paste");
    expect(fake.intents).toEqual([["paste"]]);
  });

  it("hands over the bytes of a picked or dropped file", async () => {
    const fake = await show(runs.empty);
    // jsdom's own File cannot be read so.
    const files = [{ arrayBuffer: async () => new Uint8Array([1, 2]).buffer }];
    const handed = async () => {
      await waitFor(() => expect(fake.intents).not.toEqual([]));
      await settled();
      return fake.intents.splice(0);
    };
    const input = screen.getByLabelText("Choose a file");
    Object.defineProperty(input, "files", { value: files });
    await fireEvent.change(input);
    expect(await handed()).toEqual([["readPicture", [1, 2]]]);
    const zone = screen.getByRole("group", { name: "Read the code" });
    await fireEvent.drop(zone, { dataTransfer: { files } });
    expect(await handed()).toEqual([["readPicture", [1, 2]]]);
  });

  it("says what is wrong with a picture, and what to do", async () => {
    const fake = await show(runs.empty);
    fake.reject = problem("picture-unsupported", { format: "PDF" });
    await press("Open a picture or file…");
    expect(text()).toContain("Sower does not read PDF files.");
    expect(text()).toContain("take a screenshot of it");
    await press("Dismiss");
    expect(text()).not.toContain("PDF");
  });

  it("has words for what is no problem of ours", async () => {
    const fake = await show(runs.empty);
    fake.reject = "command view not allowed";
    await press("Open a picture or file…");
    expect(text()).toContain("Something happened that Sower did not expect.");
  });

  it("moves the focus to the heading of a new stage", async () => {
    const fake = await show(runs.empty);
    fake.reply = runs.captured;
    await press("Open a picture or file…");
    expect(document.activeElement).toBe(screen.getByRole("heading", { level: 1 }));
    await fake.tell("run", runs.found);
    expect(document.activeElement?.textContent).toContain("What was found");
  });

  it("chooses one of several accounts", async () => {
    const fake = await show(runs.found);
    await press(/Use this account: Fabrikam/);
    expect(fake.intents).toEqual([["choose", 1]]);
    expect(text()).toContain("One more code is in the picture and could not be read.");
  });

  it("helps out of Microsoft's push code", async () => {
    const fake = await show(runs.rescue);
    expect(text()).toContain("I want to use a different authenticator app");
    await press("Read something else");
    expect(fake.intents).toEqual([["startOver"]]);
  });
});

describe("a longer look", () => {
  it("is offered where it may find more, and only there", async () => {
    const fake = await show(runs.empty);
    await fake.tell("problem", problem("no-code-found", { longer: "yes" }));
    await press("Look longer (some seconds)");
    expect(fake.intents).toEqual([["readLonger"]]);
    await fake.tell("problem", problem("no-code-found"));
    expect(screen.queryByRole("button", { name: /Look longer/ })).toBeNull();
  });

  it("is offered beside what was found", async () => {
    const fake = await show(runs.found);
    await press("Look longer (some seconds)");
    expect(fake.intents).toEqual([["readLonger"]]);
  });
});

describe("files", () => {
  it("tells whose each entry is, and why one is none", async () => {
    await show(runs["seed-file"]);
    expect(text()).toContain("What is in the seed table");
    expect(text()).toContain("For the token 8659632000017, Token2, C302-i");
    expect(text()).toContain("From desk.png");
    expect(text()).toContain("Row 2, column 3:");
    expect(text()).toContain("7 were found.");
  });

  it("finds one account among many", async () => {
    const fake = await show(runs["seed-file"]);
    const field = screen.getByRole("searchbox", { name: "Find an account" });
    await fireEvent.input(field, { target: { value: "ACCOUNT 4" } });
    expect(text()).toContain("1 of 10 are shown.");
    await press(/Use this account: Account 4/);
    expect(fake.intents).toEqual([["choose", 7]]);
  });

  it("goes on with an export of which pictures are missing", async () => {
    const fake = await show(runs.export);
    expect(text()).toContain("1 of 3 pictures of the export are here.");
    await press("Add another picture…");
    expect(fake.intents).toEqual([["openPicture"]]);
  });

  it("sends a password once and keeps it nowhere", async () => {
    const fake = await show(runs.asked);
    const field = screen.getByLabelText<HTMLInputElement>("The file's password");
    expect(field.type).toBe("password");
    expect(text()).toContain("The password does not open the Aegis vault.");
    await fireEvent.input(field, { target: { value: "correct horse" } });
    await press("Open");
    expect(fake.intents).toEqual([["answer", { password: "correct horse", encoding: null }]]);
    expect(field.value).toBe("");
  });

  it("asks how a secret is written", async () => {
    const fake = await show(runs["asked-encoding"]);
    await press(/Hexadecimal/);
    expect(fake.intents).toEqual([["answer", { password: null, encoding: "hex" }]]);
  });
});

describe("choosing", () => {
  it("shows real tokens first and practice tokens closed beside them", async () => {
    const fake = await show(runs.captured, (fake) => (fake.seen = manyTokens));
    expect(document.querySelector("details.practice")?.hasAttribute("open")).toBe(false);
    expect(screen.queryByRole("complementary")).toBeNull();
    expect(text()).toContain("differ by 47 seconds: one of them is wrong.");
    expect(text()).toContain("gpg-agent is known to do this.");
    expect(text()).not.toMatch(/Proven on real hardware/);
    await press(/Use this token: Token2 C302-i/);
    expect(fake.intents).toEqual([plan("real-1")]);
  });

  it("opens practice tokens and their bench where there is nothing else", async () => {
    const fake = await show(runs.captured, (fake) => (fake.seen = practiceTokens));
    expect(text()).toContain("No token is here yet.");
    expect(document.querySelector("details.practice")?.hasAttribute("open")).toBe(true);
    await press("Power button of Token2 C301-i, 8659610000102");
    expect(fake.intents).toEqual([["press", "face-2", "power"]]);
    await press(/Use this token: OTPC-P2-i/);
    expect(fake.intents[1]).toEqual(plan("practice-1"));
  });

  it("follows tokens that come and go", async () => {
    const fake = await show(runs.captured, (fake) => (fake.seen = practiceTokens));
    await fake.tell("tokens", manyTokens);
    expect(screen.getByRole("button", { name: /Use this token: YubiKey/ })).toBeTruthy();
    await fake.tell("tokens", noService);
    expect(text()).toContain("The smart card service does not run on this computer.");
  });

  it("uses a password once and forgets it", async () => {
    const fake = await show(runs["locked-again"]);
    expect(text()).toContain("7 tries are left.");
    const field = screen.getByLabelText<HTMLInputElement>("The token's password");
    await fireEvent.input(field, { target: { value: "seven words" } });
    await press("Unlock");
    expect(fake.intents).toEqual([plan("real-2", null, "seven words")]);
    expect(field.value).toBe("");
  });

  it("offers the shorter name", async () => {
    const fake = await show(runs["unfit-name"]);
    const field = screen.getByLabelText<HTMLInputElement>("Name on the token");
    expect(field.value).toBe("Microsoft (Cont):adele.vance@contoso.com");
    await fireEvent.input(field, { target: { value: "Adele" } });
    await press("Use this name");
    expect(fake.intents).toEqual([plan("real-2", "Adele")]);
  });

  it("offers no name where a name would not help", async () => {
    const fake = await show(runs.unfit);
    expect(screen.queryByLabelText("Name on the token")).toBeNull();
    await press("Choose another token");
    expect(fake.intents).toEqual([["back"]]);
  });
});

describe("writing", () => {
  it("plans for the place that is chosen, under the name in use", async () => {
    const fake = await show(runs["planned-slot"]);
    expect(text()).toContain("This place holds “0. Token2”.");
    await fireEvent.change(screen.getByLabelText("Take another place"), { target: { value: "2" } });
    await settled();
    expect(fake.intents).toEqual([
      ["plan", { token: card.id, name: "adele.vance@", slot: 2, password: null }],
    ]);
  });

  it("says how many tries are left before one is spent", async () => {
    await show(runs["locked-pin"]);
    expect(text()).toContain("2 tries are left. Each wrong one costs a try.");
  });

  it("writes with the permission that was given", async () => {
    const fake = await show(runs.planned);
    fake.reject = problem("needs-permission", {}, "untouched");
    await press("Write to token");
    expect(text()).toContain("Tick the box that permits it");
    await fireEvent.click(screen.getByLabelText("Replace whatever is on the token"));
    await press("Write to token");
    expect(fake.intents).toEqual([
      ["write", false],
      ["write", true],
    ]);
  });

  it("asks for no permission where nothing gives way", async () => {
    const fake = await show({
      ...runs["planned-key"],
      plan: { ...runs["planned-key"].plan, replaces: "nothing" },
    });
    expect(screen.queryByRole("checkbox")).toBeNull();
    await press("Write to token");
    expect(fake.intents).toEqual([["write", false]]);
  });

  it("takes a permission back when the plan is another", async () => {
    const fake = await show(runs["planned-key"]);
    await fireEvent.click(screen.getByLabelText("Replace this entry"));
    await fake.tell("run", { ...runs["planned-key"], plan: { ...runs["planned-key"].plan } });
    expect(screen.getByLabelText<HTMLInputElement>("Replace this entry").checked).toBe(false);
  });

  it("does not write under a name that is only half typed", async () => {
    const fake = await show(runs["planned-key"]);
    const details = document.querySelector<HTMLDetailsElement>("main details");
    if (details) details.open = true;
    await fireEvent(details ?? document.body, new Event("toggle"));
    await fireEvent.input(screen.getByLabelText("Name on the token"), {
      target: { value: "Adele" },
    });
    await press("Write to token");
    expect(fake.intents).toEqual([]);
    await press("Use this name");
    expect(fake.intents).toEqual([plan("real-2", "Adele")]);
  });

  it("says how far it has come, and takes no second intent", async () => {
    const fake = await show(runs.planned);
    let finish: (run: typeof runs.written) => void = () => {};
    fake.write = (replace) => {
      fake.intents.push(["write", replace]);
      return new Promise((done) => (finish = done));
    };
    await press("Write to token");
    await fake.tell("progress", "writing");
    expect(screen.getByRole("progressbar")).toBeTruthy();
    expect(text()).toContain("Writing. Keep the token still…");
    await press("Write to token");
    expect(fake.intents).toHaveLength(1);
    finish(runs.written);
    await settled();
    expect(text()).not.toContain("Writing. Keep");
    expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("Check the token's code");
  });

  it("says first what the token holds after a failure", async () => {
    const fake = await show(runs.failed);
    const said = text();
    const state = said.indexOf("The token holds no secret now.");
    expect(state).toBeGreaterThan(0);
    expect(said.indexOf("The token was taken away")).toBeGreaterThan(state);
    expect(screen.queryByRole("button", { name: "Ask the token" })).toBeNull();
    await press("Try again");
    expect(fake.intents).toEqual([plan(card.id)]);
  });

  it("claims nothing about a token that nothing is said about", async () => {
    await show({ ...runs.failed, problem: problem("token-removed") });
    expect(text()).toContain("It is not known what the token holds now.");
  });

  it("asks the token where that is possible", async () => {
    const fake = await show(runs["failed-unknown"]);
    await press("Ask the token");
    await press("Choose another token");
    expect(fake.intents).toEqual([["settle"], ["back"]]);
  });
});

describe("checking", () => {
  async function type(code: string) {
    const field = screen.getByLabelText<HTMLInputElement>("The token's code");
    await fireEvent.input(field, { target: { value: code } });
    const { form } = field;
    if (form) await fireEvent.submit(form);
    await settled();
    return field;
  }

  it("hands over what was typed as it was typed", async () => {
    const fake = await show(runs.written);
    fake.reply = runs["written-no-match"];
    const field = await type("004 167");
    expect(fake.intents).toEqual([["judge", "004 167"]]);
    expect(text()).toContain("This code does not match.");
    expect(text()).not.toContain("Confirmed");
    expect(document.activeElement).toBe(field);
  });

  it("does not offer to start over before it is said how it ended", async () => {
    const fake = await show(runs.written);
    expect(screen.queryByRole("button", { name: "Start over" })).toBeNull();
    await press("Stop without confirming");
    expect(fake.intents).toEqual([["stop"]]);
  });

  it("asks a token that computes again", async () => {
    const fake = await show(runs["written-computes"]);
    expect(screen.queryByLabelText("The token's code")).toBeNull();
    await press("Ask again");
    expect(fake.intents).toEqual([["prove"]]);
  });

  it("says what to do after the confirmation, and saves the receipt", async () => {
    const fake = await show(runs.confirmed);
    expect(text()).toContain("type it on Microsoft's page");
    fake.reply = { ...runs.confirmed, receipt_saved: true };
    await press("Save receipt…");
    expect(text()).toContain("The receipt is saved.");
    fake.reply = runs.empty;
    await press("Next token");
    expect(fake.intents).toEqual([["saveReceipt"], ["startOver"]]);
  });

  it("never shows an unconfirmed token as a success", async () => {
    await show(runs.unconfirmed);
    expect(text()).toContain("Written, not confirmed");
    expect(document.querySelector(".good, .seal")).toBeNull();
    expect(document.querySelector('.steps li[aria-current="step"].done')).toBeNull();
  });
});

describe("practice", () => {
  const withPractice = Object.values(runs).filter((run) => "token" in run);

  it("is marked on every stage with a practice token", async () => {
    for (const run of withPractice) {
      const fake = await show({ ...run, token: practiceCard });
      expect(text()).toContain("Practice: this token is not real.");
      expect(document.querySelector(".badge")?.textContent).toBe("Practice");
      expect(fake.intents).toEqual([]);
      document.body.replaceChildren();
    }
  });

  it("is not spoken of with a real token", async () => {
    await show({ ...runs.written, token: key });
    expect(text()).not.toContain("Practice");
  });

  it("shows the digits of a display, and its darkness", async () => {
    const fake = await show(runs["written-practice"]);
    expect(text()).toContain("Display: 004167");
    await fake.tell(
      "faces",
      faces.map((face) => ({ ...face, on: false, display: null, seconds_left: null })),
    );
    expect(text()).toContain("Display: blank");
    expect(text()).not.toContain("004167");
  });
});

describe("a token that only its maker's tool can write", () => {
  const secret = () => screen.queryByLabelText<HTMLTextAreaElement>("The secret as text");
  const made = { form: "base32", text: "MADEUPMADEUPMADE", qr: null };

  async function withSecret() {
    const fake = await show(runs.assisted, (fake) => (fake.seed = made));
    await press("Show the secret as text");
    expect(secret()?.value === made.text).toBe(true);
    return fake;
  }

  it("is found by typing and chosen with the serial that was typed", async () => {
    const fake = await show(runs.captured);
    await fireEvent.click(screen.getByText("My token is not in the list"));
    expect(text()).toContain("3 models");
    await fireEvent.input(screen.getByLabelText("Search by maker or model"), {
      target: { value: "slim prot" },
    });
    expect(text()).toContain("One model");
    expect(screen.queryByRole("button", { name: /SafeID/ })).toBeNull();
    await fireEvent.input(screen.getByLabelText(/^Serial number/), {
      target: { value: " 2600 " },
    });
    await press(/Protectimus Slim NFC/);
    expect(fake.intents).toEqual([["handOver", "protectimus-slim-nfc", "2600"]]);
  });

  it("says that nothing is known of a name that is not there", async () => {
    await show(runs.captured);
    await fireEvent.input(screen.getByLabelText("Search by maker or model"), {
      target: { value: "acme" },
    });
    expect(text()).toContain("No model of this name.");
  });

  it("tells the steps, and where they end", async () => {
    await show(runs["assisted-unknown"]);
    expect(text()).toContain("The maker's tool is not known.");
    expect(text()).toContain("Follow the maker's manual.");
    expect(text()).toContain("Which hashes this token knows is not known.");
  });

  it("shows no secret before somebody presses, and hides it after a minute", async () => {
    vi.useFakeTimers();
    try {
      const fake = await withSecret();
      expect(fake.intents).toEqual([["reveal", "base32"]]);
      await vi.advanceTimersByTimeAsync(59_000);
      expect(secret()).not.toBeNull();
      await vi.advanceTimersByTimeAsync(1_000);
      await settled();
      expect(secret()).toBeNull();
      expect(text()).toContain("The secret is hidden.");
    } finally {
      vi.useRealTimers();
    }
  });

  it("hides it when somebody presses, looks elsewhere or goes on", async () => {
    const hides: [string, (fake: Fake) => unknown][] = [
      ["pressed", () => press("Hide the secret")],
      ["elsewhere", () => fireEvent.blur(window)],
      ["unseen", () => fireEvent(document, new Event("visibilitychange"))],
      ["gone on", (fake) => fake.tell("run", runs["written-makers-tool"])],
    ];
    for (const [how, hide] of hides) {
      const fake = await withSecret();
      await hide(fake);
      await settled();
      expect(document.body.innerHTML.includes(made.text), how).toBe(false);
      expect(secret(), how).toBeNull();
      cleanup();
    }
  });

  it("does not show a secret that comes when the person has left", async () => {
    const fake = await show(runs.assisted);
    let come: (seed: typeof made) => void = () => {};
    fake.reveal = () => new Promise((done) => (come = done));
    await press("Show the secret as text");
    await fireEvent.blur(window);
    come(made);
    await settled();
    expect(secret()).toBeNull();
  });

  it("draws the QR code with a name for those who do not see it", async () => {
    await show(runs.assisted, (fake) => {
      fake.seed = { form: "qr", text: null, qr: { width: 21, path: "M0 0h1v1h-1z" } };
    });
    await press("Show the secret as a QR code");
    const drawn = screen.getByRole("img", { name: /QR code with the secret of adele/ });
    expect(drawn.getAttribute("viewBox")).toBe("-4 -4 29 29");
    expect(secret()).toBeNull();
  });

  it("is asked on its reader only when somebody says that it is there", async () => {
    const tokens = { problem: null, tokens: [card, unknownCard] };
    const fake = await show(runs["assisted-readable"], (fake) => (fake.seen = tokens));
    expect(text()).toContain("Nobody has tried it with a real token yet.");
    expect(screen.queryByRole("button", { name: "Set its clock" })).toBeNull();
    expect(screen.getAllByRole("button", { name: /ask it$/ })).toHaveLength(1);
    await press(/ACR1252.*ask it$/);
    expect(fake.intents).toEqual([["askHanded", unknownCard.id]]);
  });

  it("is not asked where nothing of it is public, or it has no clock", async () => {
    await show(runs.assisted);
    expect(text()).not.toContain("The token on a reader");
    cleanup();
    await show(runs["assisted-told"]);
    expect(text()).toContain("there is none to set");
    expect(screen.queryByRole("button", { name: "Set its clock" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Read its code and check it" })).toBeNull();
  });

  it("tells its code and has its clock set, each by a press of its own", async () => {
    const fake = await show(runs["written-told"]);
    expect(text()).toContain("each code for 60 seconds, and this account needs 30");
    expect(text()).toContain("The token took this computer's time.");
    await press("Read its code and check it");
    await press("Set its clock");
    const token = runs["written-told"].told.token;
    expect(fake.intents).toEqual([
      ["judgeTold", token],
      ["setHandedClock", token],
    ]);
  });

  it("says why there is none", async () => {
    const fake = await show(runs.assisted);
    fake.reject = problem("qr-too-long");
    await press("Show the secret as a QR code");
    expect(text()).toContain("The account's name is too long for a QR code.");
    expect(screen.queryByRole("img")).toBeNull();
  });

  it("goes on with a word and comes back from it", async () => {
    const fake = await show(runs.assisted);
    fake.reply = runs["written-makers-tool"];
    await press("I have written it");
    expect(text()).toContain("You said that the maker's tool has written the secret.");
    await press("Back to the maker's tool");
    expect(fake.intents).toEqual([["handedWritten"], ["back"]]);
  });

  it("is offered no secret where it does not fit", async () => {
    const fake = await show(runs["assisted-unfit"]);
    expect(screen.queryByRole("button", { name: /secret|I have written it/ })).toBeNull();
    await press("Choose another token");
    expect(fake.intents).toEqual([["back"]]);
  });

  it("is claimed to hold nothing when nobody checked", async () => {
    await show(runs["unconfirmed-makers-tool"]);
    expect(text()).toContain("Sower did not see what the maker's tool wrote.");
    expect(text()).not.toContain("The secret is on the token");
  });
});
