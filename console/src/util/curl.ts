// Commands to paste into a terminal.

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

/** A call, as far as a command tells of it. */
export interface Call {
  method: string;
  url: string;
  headers?: readonly (readonly [string, string])[];
  /** A text is sent as it is, anything else as JSON. */
  body?: unknown;
  /** Signs in with `$TOKEN`, which the reader's shell holds: never the page's own. */
  token?: boolean;
  /** The answer has no end: it is shown as it comes. */
  stream?: boolean;
}

/** Puts an access token into `$TOKEN`, by the credentials that a server leaves at its first start. */
export const tokenCommand = [
  '. data/credentials.env',
  'TOKEN=$(curl --silent "$RC_SERVER_URL/restapi/oauth/token" \\',
  '  --user "$RC_APP_CLIENT_ID:$RC_APP_CLIENT_SECRET" \\',
  "  --data-urlencode 'grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer' \\",
  '  --data-urlencode "assertion=$RC_USER_JWT" |',
  `  sed 's/.*"access_token" *: *"//; s/".*//')`,
].join('\n');

/** `curl` that makes the call. */
export function curlOf({ method, url, headers = [], body, token = false, stream = false }: Call): string {
  const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body, null, 2);
  const implied = text === null ? 'GET' : 'POST';
  const typed = headers.some(([name]) => name.toLowerCase() === 'content-type');
  return [
    `curl ${stream ? '--no-buffer ' : ''}${method === implied ? '' : `--request ${method} `}${shellQuoted(url)}`,
    ...(token ? ['--header "Authorization: Bearer $TOKEN"'] : []),
    ...headers.map(([name, value]) => `--header ${shellQuoted(`${name}: ${value}`)}`),
    ...(text === null ? [] : [...(typed ? [] : ["--header 'Content-Type: application/json'"]), `--data-raw ${shellQuoted(text)}`]),
  ].join(' \\\n  ');
}

/** A call of the command line. What a shell would not read as it stands is quoted. */
export function hookyardOf(words: readonly string[]): string {
  return ['hookyard', ...words.map((word) => (/^[\w./:@,%+=-]+$/.test(word) ? word : shellQuoted(word)))].join(' ');
}
