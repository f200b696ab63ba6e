// Rules of this code base that no compiler checks.

import { describe, expect, it } from 'vitest';

const files = import.meta.glob<string>(['./**/*.{ts,svelte}', '!./**/*.test.ts', '!./api/generated.ts'], { query: '?raw', import: 'default', eager: true });
const sources = Object.entries(files);

/** Lines of the sources that match, as `file: line`. */
function found(pattern: RegExp, wanted: (path: string) => boolean = () => true): string[] {
  return sources
    .filter(([path]) => wanted(path))
    .flatMap(([path, text]) => text.split('\n').flatMap((line) => (pattern.test(line) ? [`${path}: ${line.trim()}`] : [])));
}

const inside = (...folders: string[]) => (path: string) => folders.some((folder) => path.startsWith(`./${folder}/`));

describe('the source', () => {
  it('is read by these tests', () => {
    expect(sources.length).toBeGreaterThan(50);
  });

  it('never makes HTML of a string', () => {
    expect(found(/\{@html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(|srcdoc/)).toEqual([]);
  });

  it('has no style attributes, which the policy forbids', () => {
    expect(found(/\sstyle="/)).toEqual([]);
  });

  it('opens windows without a way back', () => {
    expect(found(/window\.open\((?!.*noopener,noreferrer)/)).toEqual([]);
    const blank = sources.flatMap(([path, text]) =>
      [...text.matchAll(/<a\b[^>]*target="_blank"[^>]*>/g)].filter(([tag]) => !tag.includes('rel="noopener noreferrer"')).map(() => path),
    );
    expect(blank).toEqual([]);
  });

  it('does not cast', () => {
    const cast = /\bas (?:[A-Z]\w*|string|number|boolean|unknown|never|object|typeof)\b|[:<|] ?any\b|@ts-/;
    const code = (line: string): boolean => !/^\S+: (?:\/\/|\/?\*|<!--|import )/.test(line);
    expect(found(cast).filter(code)).toEqual([]);
  });

  it('keeps its layers: pages over forms and components over ui and util', () => {
    expect(found(/from '.*\/(?:api|pages|forms|components|state)\//, inside('ui'))).toEqual([]);
    expect(found(/from '\.\.\/(?:api|pages|forms|components|state|ui)\//, inside('util'))).toEqual([]);
    expect(found(/from '.*\/(?:pages|forms|components|state|ui)\//, inside('api'))).toEqual([]);
    expect(found(/from '.*\/(?:pages|forms|components|ui)\//, inside('state'))).toEqual([]);
    expect(found(/from '.*\/(?:pages|forms)\//, inside('components'))).toEqual([]);
    expect(found(/from '.*\/pages\//, inside('forms'))).toEqual([]);
  });

  it('keeps each noun in the same folder everywhere', () => {
    const nouns = ['kernel', 'identity', 'messaging', 'inbound', 'events', 'subscriptions', 'endpoints', 'delivery'];
    const astray = sources
      .map(([path]) => path.split('/').slice(1))
      .filter(([layer = '', noun = '']) => ['api', 'components', 'forms', 'pages', 'state'].includes(layer) && !nouns.includes(noun));
    expect(astray).toEqual([]);
  });

  it('writes addresses of the server in one file', () => {
    expect(found(/['"`]\/(?:api|team-messaging|restapi|console)\//, (path) => path !== './paths.ts')).toEqual([]);
  });

  it('says at the top of each file what it is for', () => {
    const silent = sources.filter(([, text]) => !/^(?:\/\/ |\/\*\* ?|<!-- )[A-Z]/.test(text)).map(([path]) => path);
    expect(silent).toEqual([]);
  });
});
