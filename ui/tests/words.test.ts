import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { FluentResource } from "@fluent/bundle";
import { describe, expect, it } from "vitest";

import { hasWords, type Kind, say, wordsOf } from "../src/words";
import { allFacts } from "./samples";

const root = join(import.meta.dirname, "..");
const english = readFileSync(join(root, "locales/en/sower.ftl"), "utf8");

/** The codes that the crates list themselves, read from their sources. */
function listed(file: string): string[] {
  const source = readFileSync(join(root, "../src-tauri/crates", file), "utf8");
  const list = /CODES: &'static \[&'static str\] =\s*&\[([^\]]*)\]/.exec(source)?.[1] ?? "";
  return [...list.matchAll(/"([^"]+)"/g)].map(([, code]) => code ?? "");
}

/** The words of the maker's tools: every code that the list of closed models names. */
const closed = readFileSync(join(root, "../src-tauri/crates/token/src/closed.rs"), "utf8");
const MAKERS = /"((?:safeid|feitian|protectimus|reiner|molto1|makers)-[a-z0-9-]+)"/g;

function steps(): string[] {
  const named = [...closed.matchAll(MAKERS)].map(([, code]) => code ?? "");
  // The codes of models begin like their makers' names as well.
  const models = [...closed.matchAll(/code: "([^"]+)"/g)].map(([, code]) => code ?? "");
  return named.filter((code) => !models.includes(code));
}

function doubts(): string[] {
  return [...closed.matchAll(/=> "([a-z]+-(?:unknown|inferred))"/g)].map(([, code]) => code ?? "");
}

const PROBLEMS = `
  picture-empty picture-not-a-picture picture-unsupported picture-too-large picture-damaged
  picture-overdue picture-no-thread file-unreadable no-code-found no-code-read token-removed
  token-silent token-no-answer token-reset reader-busy not-permitted service-missing token-gone
  card-unresponsive bus-failed token-locked wrong-password authentication-refused token-full
  no-such-entry name-taken not-over-this-connection firmware-too-old token-read-only another-token
  refused malformed proof-mismatch needs-permission wrong-stage save-failed unknown-token stranger
  unexpected unknown-model model-not-readable not-this-model answers-otherwise no-clock-to-set
  clock-not-known clock-not-proven qr-too-long clock-impossible locked-on-device not-set-up token-blocked not-touched
  not-in-set-up-mode file-too-large clipboard-empty clipboard-unreadable
  folder-empty too-many-files`;
const VERDICTS = `
  right-computed right-typed right-told no-match no-match-told no-match-beside-proof no-clock code-empty code-not-digits code-wrong-length`;
const MISFITS = `
  read-only-unknown-model secret-length secret-zeros no-such-slot algorithm digits period name-length name-form name-mixed-up`;
const STRANGERS = "storage-card fido-key nitrokey-3 unknown-card";

const codes = (text: string) => text.trim().split(/\s+/);
const withNext: [Kind, string[]][] = [
  ["problem", [...codes(PROBLEMS), ...listed("qr/src/error.rs")]],
  ["verdict", codes(VERDICTS)],
  [
    "finding",
    [
      ...listed("intake/src/foreign.rs"),
      ...listed("intake/src/key_uri_error.rs"),
      ...listed("intake/src/entry_error.rs"),
      ...listed("intake/src/refusal.rs"),
    ],
  ],
  ["misfit", codes(MISFITS)],
  ["stranger", codes(STRANGERS)],
  ["question", listed("intake/src/reading.rs")],
];
const withoutNext: [Kind, string[]][] = [
  ["state", codes("untouched written emptied old-secret-new-settings unknown")],
  ["note", listed("intake/src/note.rs")],
  ["remark", listed("intake/src/remark.rs")],
  ["finding", ["cell", "alone"]],
  ["told", codes("period no-clock unproven clock-taken clock-not-known")],
  ["evidence", codes("sheet emulator vectors makers-bytes others-code hardware")],
  ["proof", codes("computes reads-clock types displays")],
  ["progress", codes("connecting writing touch approve proving settling")],
  ["step", [...new Set(steps())]],
  ["doubt", doubts()],
];

describe("every code has words", () => {
  for (const [kind, list] of withNext) {
    it(`${kind}: a message and a next step`, () => {
      expect(list.length).toBeGreaterThan(2);
      for (const code of list) {
        const { text, next } = wordsOf(kind, code, allFacts);
        expect(text, code).not.toMatch(/\{|no words/);
        expect(next, code).toMatch(/^[A-Z].*[.?]$/);
        expect(next, code).not.toContain("{");
      }
    });
  }

  for (const [kind, list] of withoutNext) {
    it(`${kind}: a message`, () => {
      expect(list.length).toBeGreaterThan(0);
      for (const code of list) expect(hasWords(`${kind}-${code}`), code).toBe(true);
    });
  }

  it("state: more about each", () => {
    for (const code of withoutNext[0]?.[1] ?? []) {
      expect(hasWords(`state-${code}`, "detail"), code).toBe(true);
    }
  });

  it("and no words are left over", () => {
    const known = [...withNext, ...withoutNext].flatMap(([kind, list]) =>
      list.map((code) => `${kind}-${code}`),
    );
    const there = [...new FluentResource(english).body]
      .map(({ id }) => id)
      .filter((id) => !id.startsWith("ui-"));
    expect(there.filter((id) => !known.includes(id))).toEqual([]);
  });
});

describe("the window's own words", () => {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(svelte|ts)$/.test(file))
    .map((file) => readFileSync(join(root, "src", file), "utf8"))
    .join("\n");
  const used = [...sources.matchAll(/["'`](ui-[a-z0-9-]*)/g)].map(([, id]) => id ?? "");
  const there = [...new FluentResource(english).body]
    .map(({ id }) => id)
    .filter((id) => id.startsWith("ui-"));

  it("are there where they are used", () => {
    const isThere = (id: string) =>
      id.endsWith("-") ? there.some((one) => one.startsWith(id)) : there.includes(id);
    const missing = used.filter((id) => !isThere(id));
    expect(missing).toEqual([]);
  });

  it("are used where they are there", () => {
    const idle = there.filter(
      (id) => !used.some((one) => (one.endsWith("-") ? id.startsWith(one) : id === one)),
    );
    expect(idle).toEqual([]);
  });
});

describe("facts", () => {
  it("choose between messages when they are whole numbers", () => {
    const left = (tries?: string) =>
      wordsOf("problem", "wrong-password", tries === undefined ? {} : { "tries-left": tries }).text;
    expect(left("0")).toContain("no try is left");
    expect(left("1")).toContain("One try is left.");
    expect(left("7")).toContain("7 tries are left.");
    expect(left()).toBe("This is not the token's password.");
  });

  it("keep zeros in front and long numbers as they are", () => {
    expect(say("ui-token-serial", { serial: "000123" })).toBe("Serial 000123");
    expect(say("ui-token-serial", { serial: "8659622000101" })).toBe("Serial 8659622000101");
    expect(say("ui-token-serial", { serial: "86596220001010000000" })).toBe(
      "Serial 86596220001010000000",
    );
  });

  it("leave a detail out when they are not known", () => {
    const detail = (facts: Record<string, string>) =>
      wordsOf("problem", "reader-busy", facts).detail;
    expect(detail({ likely: "gpg-agent" })).toBe("gpg-agent is known to do this.");
    expect(detail({ likely: "" })).toBeNull();
    expect(detail({})).toBeNull();
  });

  it("name a code that has no words", () => {
    expect(wordsOf("problem", "new-code").text).toContain("problem-new-code");
  });
});
