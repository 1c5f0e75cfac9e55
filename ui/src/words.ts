/**
 * Looks up words. The sentences are in `locales`, for the window and for the
 * terminal alike; nothing here knows what a code means.
 */
import { FluentBundle, FluentNumber, FluentResource, type FluentVariable } from "@fluent/bundle";

import english from "../locales/en/sower.ftl?raw";

/** Facts for a sentence, by the name that the words use. */
export type Facts = { [key in string]: string | number };

/** A message with what belongs to it. */
export type Words = { text: string; detail: string | null; next: string | null };

/** What a code can be the code of. */
export type Kind =
  | "problem"
  | "state"
  | "verdict"
  | "finding"
  | "misfit"
  | "note"
  | "stranger"
  | "evidence"
  | "proof"
  | "progress"
  | "step"
  | "doubt"
  | "told"
  | "question"
  | "remark";

// Without the isolating marks, which would also end up in copied text.
const bundle = new FluentBundle("en", { useIsolating: false });
bundle.addResource(new FluentResource(english));

/** A sentence of the window's own. */
export function say(id: string, facts: Facts = {}): string {
  return format(id, null, facts) ?? id;
}

/** The words of a code. A code without words still names itself. */
export function wordsOf(kind: Kind, code: string, facts: Facts = {}): Words {
  const id = `${kind}-${code}`;
  const text = format(id, null, facts);
  if (text === null) {
    return { text: say("ui-no-words", { code: id }), detail: null, next: null };
  }
  return {
    text,
    detail: format(id, "detail", facts, { complete: true }),
    next: format(id, "next", facts),
  };
}

/** Whether there are words, for tests. */
export function hasWords(id: string, attribute?: "next" | "detail"): boolean {
  const message = bundle.getMessage(id);
  return attribute ? message?.attributes[attribute] !== undefined : Boolean(message?.value);
}

function format(
  id: string,
  attribute: "next" | "detail" | null,
  facts: Facts,
  wanted: { complete: boolean } = { complete: false },
): string | null {
  const message = bundle.getMessage(id);
  const pattern = attribute ? message?.attributes[attribute] : message?.value;
  if (!pattern) return null;
  const errors: Error[] = [];
  const text = bundle.formatPattern(pattern, variables(facts), errors);
  // A fact that is not known is missing or empty.
  const known = errors.length === 0 && Object.values(facts).every((fact) => fact !== "");
  return wanted.complete && !known ? null : text;
}

/**
 * Whole numbers become numbers, so that a message can choose by them. Anything
 * that would be written differently then, such as `004167`, stays text.
 */
function variables(facts: Facts): Record<string, FluentVariable> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => {
      const number = Number(fact);
      const whole = Number.isSafeInteger(number) && String(number) === String(fact);
      return [name, whole ? new FluentNumber(number, { useGrouping: false }) : fact];
    }),
  );
}
