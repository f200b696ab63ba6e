import { describe, expect, it } from 'vitest';
import { curlFor, curlOf, shellQuoted } from './curl';

describe('commands to paste', () => {
  it('are quoted for a shell', () => {
    expect(shellQuoted("it's")).toBe(String.raw`'it'\''s'`);
    expect(shellQuoted('$(rm) `x` "y"')).toBe('\'$(rm) `x` "y"\'');
  });

  it('post a card as JSON', () => {
    const command = curlFor('http://127.0.0.1:8080/webhook/v2/t');
    expect(command).toContain("curl 'http://127.0.0.1:8080/webhook/v2/t' \\\n");
    const body = /--data '(.*)'$/s.exec(command)?.[1] ?? '';
    expect(JSON.parse(body)).toMatchObject({ activity: 'Harbour CI', attachments: [{ type: 'Card' }] });
  });

  it('say no more than is needed to make the call', () => {
    expect(curlOf({ method: 'GET', url: 'http://yard.test/a?b=1', token: true })).toBe(
      "curl 'http://yard.test/a?b=1' \\\n  --header \"Authorization: Bearer $TOKEN\"",
    );
    expect(curlOf({ method: 'DELETE', url: 'http://yard.test/a' })).toBe("curl --request DELETE 'http://yard.test/a'");
  });

  it('send JSON, and a text as it came', () => {
    expect(curlOf({ method: 'POST', url: 'u', body: { note: "it's" } })).toBe(
      String.raw`curl 'u' \
  --header 'Content-Type: application/json' \
  --data-raw '{
  "note": "it'\''s"
}'`.replaceAll('\\\\', '\\'),
    );
    const command = curlOf({ method: 'POST', url: 'u', headers: [['content-type', 'application/cloudevents+json'], ['X-A', '1']], body: '{"a": 1 }' });
    expect(command).toContain("--data-raw '{\"a\": 1 }'");
    expect(command.match(/content-type/gi)).toHaveLength(1);
  });
});
