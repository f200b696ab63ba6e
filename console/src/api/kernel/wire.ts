// What all calls of the API have in common, and what it says about the whole.

import type { components } from '../generated';

/** What the server's description says of something that is told or asked, by its name there. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];

/** The same, but where the description says less than is known: its members in place of those. */
export type Narrowed<T, Members> = Omit<T, keyof Members> & Members;

/** One page of a list, newest first. */
export interface Page<T> {
  records: T[];
  nextPageToken?: string | null;
}

/** A part of something, as forms send it. */
export type Some<T> = { [K in keyof T]?: T[K] | undefined };

/** The installation, as its operators see it. A figure that is not known is `null`. */
export type ServerStatus = Schema<'ServerStatus'>;
