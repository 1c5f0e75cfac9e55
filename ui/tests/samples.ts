/** One view of every stage, for tests and for looking at the window. */
import type { CredentialView } from "../src/contract/CredentialView";
import type { FaceView } from "../src/contract/FaceView";
import type { FamilyView } from "../src/contract/FamilyView";
import type { MisfitView } from "../src/contract/MisfitView";
import type { Problem } from "../src/contract/Problem";
import type { RunView } from "../src/contract/RunView";
import type { TokensView } from "../src/contract/TokensView";
import type { TokenView } from "../src/contract/TokenView";
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
    read_only: null,
    proof: "displays",
    evidence: "makers-bytes",
  },
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

function finding(id: number, code: string, facts: Record<string, string> = {}) {
  return { id, code, facts, credential: null, corners: null };
}

function misfit(code: string, facts: Record<string, string>): MisfitView {
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
  clock_offset: 0,
} as const;

/** Every stage, and every form of it that looks different. */
export const runs = {
  empty: { stage: "empty" },
  found: {
    stage: "found",
    picture: {
      width: 1200,
      height: 900,
      unread: 1,
      findings: [
        { ...finding(0, "credential"), credential: adele, corners: square(120, 90, 260) },
        { ...finding(1, "credential"), credential: diego, corners: square(740, 320, 300) },
        { ...finding(2, "microsoft-push"), corners: square(180, 560, 240) },
      ],
    },
  },
  rescue: {
    stage: "found",
    picture: { width: 600, height: 600, unread: 0, findings: [finding(0, "microsoft-push")] },
  },
  captured: { stage: "captured", credential: adele },
  locked: { stage: "locked", ...atKey, problem: null },
  "locked-again": {
    stage: "locked",
    ...atKey,
    problem: problem("wrong-password", { "tries-left": "7" }),
  },
  unfit: {
    stage: "unfit",
    ...atCard,
    misfits: [
      misfit("algorithm", { wanted: "SHA-512", known: "SHA-1, SHA-256" }),
      misfit("digits", { wanted: "8", least: "6", most: "6" }),
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
    plan: { name: null, replaces: "whatever-is-there", sets_clock: true },
  },
  "planned-key": {
    stage: "planned",
    ...atKey,
    plan: {
      name: "Microsoft (Contoso Ltd):adele.vance@contoso.com",
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
  unconfirmed: { stage: "unconfirmed", ...atCard, receipt_saved: false },
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
  format: "PDF",
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
  "tries-left": "3",
  value: "9",
  wanted: "SHA-512",
  what: "too short",
  width: "9000",
};
