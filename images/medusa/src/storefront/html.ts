/** HTML whose values are escaped. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = string | number | Html | false | null | undefined | Value[];

/** A template: strings and numbers are escaped, Html and lists of it are inserted, false and null are left out. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(parts.reduce((text, part, index) => text + toText(values[index - 1]) + part));
}

function toText(value: Value): string {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(toText).join("");
  if (value === false || value === null || value === undefined) return "";
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
