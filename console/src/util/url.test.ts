import { describe, expect, it } from 'vitest';
import { hostOf, isInlineImage, safeHref } from './url';

describe('safe links', () => {
  it.each(['https://a.test/', 'http://a.test', 'HTTPS://A.TEST', 'mailto:ops@a.test', 'tel:+15550100'])('follows %s', (href) => {
    expect(safeHref(href)).toBe(href);
  });

  it.each([
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    ' javascript:alert(1)',
    'java\tscript:alert(1)',
    '\u0001https://a.test',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://a.test/1',
    '//a.test',
    '/relative',
    'https:a.test',
    'https://',
    'mailto:',
    'https://a.test/\nb',
    '',
    null,
    undefined,
    7,
    { toString: () => 'https://a.test' },
  ])('refuses %j', (href) => {
    expect(safeHref(href)).toBeNull();
  });
});

describe('inline pictures', () => {
  it('are raster pictures in base64 only', () => {
    expect(isInlineImage('data:image/png;base64,iVBORw0KGgo=')).toBe(true);
    expect(isInlineImage('data:image/svg+xml;base64,PHN2Zz4=')).toBe(false);
    expect(isInlineImage('data:text/html;base64,PHN2Zz4=')).toBe(false);
    expect(isInlineImage('data:image/png;base64,x") url(https://a.test/')).toBe(false);
    expect(isInlineImage('https://a.test/x.png')).toBe(false);
  });
});

describe('hosts', () => {
  it('are what people should look at before they click', () => {
    expect(hostOf('https://bank.test@evil.test:8443/login')).toBe('evil.test:8443');
    expect(hostOf('mailto:ops@a.test')).toBe('ops@a.test');
    expect(hostOf('not a url')).toBe('not a url');
  });
});
