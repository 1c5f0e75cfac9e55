/** One view of every stage, for tests and for looking at the window. */
import type { ClosedView } from "../src/contract/ClosedView";
import type { CredentialView } from "../src/contract/CredentialView";
import type { FaceView } from "../src/contract/FaceView";
import type { FamilyView } from "../src/contract/FamilyView";
import type { FindingView } from "../src/contract/FindingView";
import type { MisfitView } from "../src/contract/MisfitView";
import type { Problem } from "../src/contract/Problem";
import type { RunView } from "../src/contract/RunView";
import type { TokensView } from "../src/contract/TokensView";
import type { TokenView } from "../src/contract/TokenView";
import type { ToldView } from "../src/contract/ToldView";
import type { Facts } from "../src/words";

export function problem(code: string, facts: Record<string, string> = {}, token?: string): Problem {
  return { code, facts, token: token ?? null };
}

export const adele: CredentialView = {
  issuer: "Microsoft",
  organisation: "Contoso Ltd",
  account: "adele.vance@contoso.com",
  title: "Contoso Ltd — adele.vance@contoso.com (Microsoft)",
  algorithm: "SHA-1",
  digits: 6,
  period: 30,
  secret_bytes: 10,
  notes: [],
};

const diego: CredentialView = {
  ...adele,
  organisation: "Fabrikam: Retail",
  account: "diego@fabrikam.example.com",
  title: "Fabrikam: Retail — diego@fabrikam.example.com (Microsoft)",
  notes: ["name-cleaned"],
};

export const card: TokenView = {
  id: "real-1",
  practice: false,
  reader: "ACS ACR1252 Dual Reader PICC",
  what: {
    kind: "token",
    family: "token2-nfc-single-profile",
    model: "Token2 C302-i",
    serial: "8659632000017",
    firmware: null,
    clock_offset: -47,
    locked: false,
    tries_left: null,
    read_only: null,
    proof: "displays",
    evidence: "makers-bytes",
  },
};

export const key: TokenView = {
  id: "real-2",
  practice: false,
  reader: "Yubico YubiKey OTP+FIDO+CCID",
  what: {
    kind: "token",
    family: "yubikey-oath",
    model: "YubiKey 5 NFC",
    serial: "18423790",
    firmware: "5.7.1",
    clock_offset: null,
    locked: true,
    tries_left: null,
    read_only: null,
    proof: "computes",
    evidence: "others-code",
  },
};

const unknownModel: TokenView = {
  id: "real-3",
  practice: false,
  reader: "Generic NFC Reader",
  what: {
    kind: "token",
    family: "token2-nfc-single-profile",
    model: "Unknown model",
    serial: "8659777000001",
    firmware: null,
    clock_offset: 2,
    locked: false,
    tries_left: null,
    read_only: "read-only-unknown-model",
    proof: "displays",
    evidence: "sheet",
  },
};

const stranger: TokenView = {
  id: "real-4",
  practice: false,
  reader: "Door Reader",
  what: { kind: "stranger", code: "storage-card" },
};

const trouble: TokenView = {
  id: "real-5",
  practice: false,
  reader: "Busy Reader",
  what: { kind: "trouble", problem: problem("reader-busy", { likely: "gpg-agent" }) },
};

export const practiceCard: TokenView = {
  ...card,
  id: "practice-1",
  practice: true,
  reader: "Practice tray",
  what: {
    kind: "token",
    family: "token2-nfc-single-profile",
    model: "OTPC-P2-i",
    serial: "8659622000101",
    firmware: null,
    clock_offset: 0,
    locked: false,
    tries_left: null,
    read_only: null,
    proof: "displays",
    evidence: "makers-bytes",
  },
};

/** A card that nobody knows, which may be a closed token. */
export const unknownCard: TokenView = {
  id: "real-8",
  practice: false,
  reader: "ACS ACR1252 Dual Reader [PICC] 00 00",
  what: { kind: "stranger", code: "unknown-card" },
};

export const manyTokens: TokensView = {
  problem: null,
  tokens: [card, key, unknownModel, stranger, trouble, practiceCard],
};
export const practiceTokens: TokensView = { problem: null, tokens: [practiceCard] };
export const noTokens: TokensView = { problem: null, tokens: [] };
export const noService: TokensView = { problem: problem("service-missing"), tokens: [] };

export const faces: FaceView[] = [
  {
    id: "practice-1",
    title: "Token2 OTPC-P2-i",
    serial: "8659622000101",
    on: true,
    display: "004167",
    buttons: ["power"],
    lines: [],
    seconds_left: 19,
  },
  {
    id: "face-2",
    title: "Token2 C301-i",
    serial: "8659610000102",
    on: false,
    display: null,
    buttons: ["power"],
    lines: ["Its clock is 47 s behind"],
    seconds_left: null,
  },
  {
    id: "face-3",
    title: "YubiKey 5 NFC",
    serial: "5550103",
    on: true,
    display: null,
    buttons: ["touch"],
    lines: ["Microsoft (Contoso Ltd):adele.vance@contoso.com"],
    seconds_left: null,
  },
];

export const families: FamilyView[] = [
  {
    family: "token2-nfc-single-profile",
    title: "Token2 NFC tokens, single profile",
    models: ["OTPC-P1-i", "OTPC-P2-i", "miniOTP-2-i", "miniOTP-3-i", "C301-i", "C302-i"],
    channel: "smart-card",
    proof: "displays",
    limits: { secret: "1-63 bytes" },
    evidence: "makers-bytes",
    evidence_source: "openT2OTP",
    seen_on_hardware: false,
  },
  {
    family: "yubikey-oath",
    title: "YubiKey and compatible keys",
    models: ["YubiKey 5", "CanoKey", "Solo 2"],
    channel: "smart-card",
    proof: "computes",
    limits: { secret: "1-64 bytes" },
    evidence: "others-code",
    evidence_source: "ykman",
    seen_on_hardware: false,
  },
];

export const diamond: ClosedView = {
  code: "deepnet-safeid-diamond",
  maker: "Deepnet Security",
  model: "SafeID/Diamond",
  tool: "Deepnet SafeID Programmer (Windows, Android, iPhone)",
  forms: ["base32", "qr"],
  steps: ["safeid-seed", "safeid-reader", "safeid-place", "safeid-burn"],
  doubts: ["secret-unknown", "algorithm-unknown", "period-unknown"],
  readable: false,
  source: "wiki.deepnetsecurity.com",
};

const slim: ClosedView = {
  code: "protectimus-slim-nfc",
  maker: "Protectimus",
  model: "Slim NFC",
  tool: "Protectimus TOTP Burner (Android)",
  forms: ["base32"],
  steps: ["protectimus-app", "makers-manual"],
  doubts: ["algorithm-inferred"],
  readable: true,
  source: "protectimus.com",
};

const safenet: ClosedView = {
  code: "safenet-programmable",
  maker: "SafeNet (Thales)",
  model: "OTP tokens that can be programmed",
  tool: null,
  forms: ["base32", "hex", "qr"],
  steps: ["makers-manual"],
  doubts: ["secret-unknown", "algorithm-unknown", "digits-unknown", "period-unknown"],
  readable: false,
  source: "none",
};

export const closedModels: ClosedView[] = [diamond, slim, safenet];

/** What a Slim on a reader told, with everything that can be said about it. */
const told: ToldView = {
  token: "0/practice-1",
  practice: false,
  reader: "ACS ACR1252 Dual Reader [PICC] 00 00",
  hardware: "3",
  firmware: "1.5",
  has_clock: true,
  period: 60,
  clock: "taken",
  warnings: [misfit("period", { told: "60", wanted: "30" })],
};

const handedSlim: TokenView = {
  id: slim.code,
  practice: false,
  reader: "",
  what: {
    kind: "closed",
    code: slim.code,
    model: "Protectimus Slim NFC",
    serial: null,
  },
};

const handed: TokenView = {
  id: diamond.code,
  practice: false,
  reader: "",
  what: {
    kind: "closed",
    code: diamond.code,
    model: "Deepnet Security SafeID/Diamond",
    serial: "2600123456",
  },
};

function finding(id: number, code: string, facts: Record<string, string> = {}): FindingView {
  const whose = { name: "", token: null, file: null };
  return { id, kind: "finding", code, facts, credential: null, corners: null, ...whose };
}

function misfit(code: string, facts: Record<string, string> = {}): MisfitView {
  return { code, facts };
}

function square(x: number, y: number, size: number): [
  [number, number],
  [number, number],
  [number, number],
  [number, number],
] {
  return [
    [x, y],
    [x + size, y],
    [x + size, y + size],
    [x, y + size],
  ];
}

const atCard = { credential: adele, token: card };
const atKey = { credential: adele, token: key };
const written = {
  ...atCard,
  stage: "written",
  problem: null,
  verdict: null,
  digits: 6,
  period: 30,
  typed: true,
  how: "switch-off-on",
  slot: null,
  clock_offset: 0,
  told: null,
} as const;

const pinned: TokenView = {
  ...key,
  id: "real-6",
  reader: "Nitrokey Pro",
  what: {
    kind: "token",
    family: "nitrokey-pro",
    model: "Nitrokey Pro 2",
    serial: "5F1100000000",
    firmware: "0.15",
    clock_offset: null,
    locked: true,
    tries_left: 2,
    read_only: null,
    proof: "reads-clock",
    evidence: "others-code",
  },
};

const slots = [
  { number: 1, label: "1", name: "", taken: "no" },
  { number: 0, label: "0", name: "0. Token2", taken: "yes" },
  { number: 2, label: "2", name: "", taken: "not-told" },
];

/** Every stage, and every form of it that looks different. */
export const runs = {
  empty: { stage: "empty" },
  found: {
    stage: "found",
    picture: {
      width: 1200,
      height: 900,
      unread: 1,
      longer: true,
      title: null,
      remarks: [],
      findings: [
        { ...finding(0, "credential"), credential: adele, corners: square(120, 90, 260) },
        { ...finding(1, "credential"), credential: diego, corners: square(740, 320, 300) },
        { ...finding(2, "microsoft-push"), corners: square(180, 560, 240) },
      ],
    },
  },
  rescue: {
    stage: "found",
    picture: {
      width: 600,
      height: 600,
      unread: 0,
      longer: false,
      title: null,
      remarks: [],
      findings: [finding(0, "microsoft-push")],
    },
  },
  "seed-file": {
    stage: "found",
    picture: {
      width: 0,
      height: 0,
      unread: 0,
      longer: false,
      title: "seed table",
      remarks: [{ code: "no-header", facts: {} }],
      findings: [
        {
          ...finding(0, "credential"),
          credential: adele,
          token: "8659632000017, Token2, C302-i",
          file: "tokens.csv",
        },
        {
          ...finding(1, "secret-cut", { row: "2", column: "3", length: "17" }),
          name: "diego@contoso.com",
          token: "8659632000018",
          file: "tokens.csv",
        },
        { ...finding(2, "no-code-found"), kind: "problem", file: "desk.png" },
        {
          ...finding(3, "password-needed", { form: "Aegis vault" }),
          kind: "question",
          file: "aegis.json",
        },
        ...Array.from({ length: 6 }, (_, index) => ({
          ...finding(4 + index, "credential"),
          credential: { ...diego, title: `Account ${index + 1}`, account: `account-${index + 1}` },
        })),
      ],
    },
  },
  export: {
    stage: "found",
    picture: {
      width: 400,
      height: 400,
      unread: 0,
      longer: false,
      title: "Google Authenticator export",
      remarks: [{ code: "incomplete", facts: { scanned: "1", of: "3" } }],
      findings: [{ ...finding(0, "credential"), credential: adele }],
    },
  },
  asked: {
    stage: "asked",
    question: { code: "password-needed", facts: { form: "Aegis vault" } },
    encodings: [],
    refusal: { code: "wrong-file-password", facts: { form: "Aegis vault" } },
  },
  "asked-encoding": {
    stage: "asked",
    question: {
      code: "encoding-needed",
      facts: { form: "secret", candidates: "hex, base64", length: "40" },
    },
    encodings: ["hex", "base64"],
    refusal: null,
  },
  captured: { stage: "captured", credential: adele },
  assisted: { stage: "assisted", credential: adele, model: diamond, misfits: [], told: null },
  "assisted-unknown": { stage: "assisted", credential: adele, model: safenet, misfits: [], told: null },
  "assisted-unfit": {
    stage: "assisted",
    credential: { ...adele, digits: 8 },
    model: slim,
    misfits: [misfit("digits", { wanted: "8", known: "6" })],
    told: null,
  },
  "assisted-readable": {
    stage: "assisted",
    credential: adele,
    model: slim,
    misfits: [],
    told: null,
  },
  "assisted-told": {
    stage: "assisted",
    credential: adele,
    model: slim,
    misfits: [],
    told: {
      ...told,
      has_clock: false,
      clock: "not-asked",
      warnings: [misfit("no-clock")],
    },
  },
  locked: { stage: "locked", ...atKey, guard: "password", problem: null },
  "locked-pin": {
    stage: "locked",
    credential: adele,
    token: pinned,
    guard: "pin",
    problem: null,
  },
  "locked-key": {
    stage: "locked",
    ...atCard,
    guard: "key",
    problem: problem("wrong-password", { "tries-left": "6" }, "untouched"),
  },
  "locked-again": {
    stage: "locked",
    ...atKey,
    guard: "password",
    problem: problem("wrong-password", { "tries-left": "7" }),
  },
  unfit: {
    stage: "unfit",
    ...atCard,
    misfits: [
      misfit("algorithm", { wanted: "SHA-512", known: "SHA-1, SHA-256" }),
      misfit("digits", { wanted: "8", known: "6" }),
    ],
  },
  "unfit-name": {
    stage: "unfit",
    ...atKey,
    misfits: [
      {
        code: "name-length",
        facts: { bytes: "71", most: "64", shorter: "Microsoft (Cont):adele.vance@contoso.com" },
      },
    ],
  },
  planned: {
    stage: "planned",
    ...atCard,
    plan: {
      name: null,
      slot: null,
      slots: [],
      presence: "press-after",
      replaces: "whatever-is-there",
      sets_clock: true,
    },
  },
  "planned-slot": {
    stage: "planned",
    ...atCard,
    plan: {
      name: "adele.vance@",
      slot: slots[1] ?? null,
      slots,
      presence: "none",
      replaces: "entry",
      sets_clock: true,
    },
  },
  "planned-key": {
    stage: "planned",
    ...atKey,
    plan: {
      name: "Microsoft (Contoso Ltd):adele.vance@contoso.com",
      slot: null,
      slots: [],
      presence: "touch-to-replace",
      replaces: "entry",
      sets_clock: false,
    },
  },
  failed: {
    stage: "failed",
    ...atCard,
    problem: problem("token-removed", {}, "emptied"),
    can_settle: false,
  },
  "failed-unknown": {
    stage: "failed",
    ...atKey,
    problem: problem("token-reset", {}, "unknown"),
    can_settle: true,
  },
  written,
  "written-no-match": {
    ...written,
    verdict: { code: "no-match", facts: {} },
    clock_offset: 12,
  },
  "written-computes": {
    ...written,
    ...atKey,
    problem: problem("token-removed", {}, "written"),
    typed: false,
    clock_offset: null,
  },
  "written-slot": { ...written, how: "choose-place", slot: "17" },
  "written-types": {
    ...written,
    how: "press-key",
    slot: "1a",
    clock_offset: null,
    verdict: { code: "no-clock", facts: {} },
  },
  "written-makers-tool": {
    ...written,
    token: handed,
    how: "makers-tool",
    verdict: { code: "no-match", facts: {} },
    clock_offset: null,
  },
  "written-told": {
    ...written,
    token: handedSlim,
    how: "makers-tool",
    verdict: { code: "no-match-told", facts: {} },
    clock_offset: null,
    told,
  },
  "written-practice": { ...written, token: practiceCard },
  confirmed: {
    stage: "confirmed",
    ...atCard,
    verdict: { code: "right-typed", facts: { offset: "0" } },
    receipt_saved: false,
  },
  "confirmed-practice": {
    stage: "confirmed",
    credential: adele,
    token: practiceCard,
    verdict: { code: "right-typed", facts: { offset: "-1" } },
    receipt_saved: true,
  },
  "confirmed-computes": {
    stage: "confirmed",
    ...atKey,
    verdict: { code: "right-computed", facts: {} },
    receipt_saved: false,
  },
  "confirmed-makers-tool": {
    stage: "confirmed",
    credential: adele,
    token: handed,
    verdict: { code: "right-typed", facts: { offset: "0" } },
    receipt_saved: false,
  },
  unconfirmed: { stage: "unconfirmed", ...atCard, receipt_saved: false },
  "unconfirmed-makers-tool": {
    stage: "unconfirmed",
    credential: adele,
    token: handed,
    receipt_saved: false,
  },
} satisfies Record<string, RunView>;

/** Facts of every name that the desk hands over, for checking the words. */
export const allFacts: Facts = {
  bytes: "20",
  character: "0",
  code: "8010001D",
  count: "2",
  digits: "6",
  exchange: "write seed",
  expected: "6",
  field: "secret",
  columns: "4",
  column: "3",
  candidates: "hex, base64",
  first: "1",
  form: "Aegis vault",
  format: "PDF",
  kind: "xlsx",
  row: "2",
  got: "5",
  height: "9000",
  known: "SHA-1",
  least: "6",
  length: "17",
  likely: "gpg-agent",
  other: "Microsoft:alice@example.com",
  most: "6",
  name: "Okta Verify",
  offset: "0",
  position: "3",
  question: "O",
  reason: "permission denied",
  shorter: "Microsoft",
  status: "6A80",
  told: "60",
  "tries-left": "3",
  value: "9",
  wanted: "SHA-512",
  what: "too short",
  width: "9000",
};
