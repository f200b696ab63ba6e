import { expect, it } from 'vitest';
import { maskedUrl } from './mask';

it('a masked URL shows four characters of a long secret and none of a short one', () => {
  expect(maskedUrl('http://a.test/webhook/v2/0123456789abcdefghij')).toBe('http://a.test/webhook/v2/••••••••ghij');
  expect(maskedUrl('http://a.test/webhook/v2/short')).toBe('http://a.test/webhook/v2/••••••••');
});
