// A command to paste into a terminal that posts a card worth looking at.

/** Safe inside single quotes of a POSIX shell. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Written by hand, since it is read by people before it is read by a program. */
const example = `{
  "activity": "Harbour CI",
  "attachments": [{
    "type": "Card",
    "color": "#2f9e52",
    "title": "Build 128 passed",
    "text": "Branch **main** is green again.",
    "fields": [
      {"title": "Duration", "value": "4 min 12 s", "style": "Short"},
      {"title": "Tests", "value": "1,284 passed", "style": "Short"}
    ]
  }]
}`;

/** `curl` that posts the example card to `uri`. */
export function curlFor(uri: string): string {
  const body = shellQuoted(example);
  return `curl ${shellQuoted(uri)} \\\n  --header 'Content-Type: application/json' \\\n  --data ${body}`;
}
