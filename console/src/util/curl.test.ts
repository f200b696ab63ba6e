import { describe, expect, it } from 'vitest';
import { curlFor, shellQuoted } from './curl';

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
});
