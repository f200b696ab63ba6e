// What pages say about bins and what they received. Pure.

import type { Bin, BinRequest } from '../../api/inbound/wire';

/** What a bin is called; one without a name by the end of its number, which is what differs. */
export function binName({ name, id }: Pick<Bin, 'name' | 'id'>): string {
  return name === '' ? `Bin ${id.slice(-6)}` : name;
}

/** Path and query of a request to a bin, as far as they go beyond the bin's own. */
export function targetOf({ path, query }: Pick<BinRequest, 'path' | 'query'>): string {
  return `${path === '/' ? '' : path}${query === '' ? '' : `?${query}`}`;
}
