// Values from the network, read without trusting them. Pure.

import { member } from './problems';

export function text(value: unknown, key: string): string | null {
  const found = member(value, key);
  return typeof found === 'string' ? found : null;
}

export function number(value: unknown, key: string): number {
  const found = member(value, key);
  return typeof found === 'number' && Number.isFinite(found) ? found : 0;
}

export function list(value: unknown, key: string): unknown[] {
  const found = member(value, key);
  return Array.isArray(found) ? found : [];
}
