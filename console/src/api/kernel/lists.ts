// Lists of the API, read page after page.

import type { Client } from './client';
import type { Page } from './wire';

/** The largest page the server gives; the fewest calls to read a whole list. */
export const LIMIT_MAX = 250;
/** Lists that are read whole end here, whatever the server says. */
const PAGES_MAX = 40;

/** A list to its end. */
export async function wholeList<T>(client: Client, path: (pageToken: string | undefined) => string, signal?: AbortSignal): Promise<T[]> {
  const records: T[] = [];
  let pageToken: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const found = await client.get<Page<T>>(path(pageToken), signal);
    records.push(...found.records);
    pageToken = found.nextPageToken ?? undefined;
    if (pageToken === undefined) break;
  }
  return records;
}
