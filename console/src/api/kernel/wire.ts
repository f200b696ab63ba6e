// What all calls of the API have in common.

/** One page of a list, newest first. */
export interface Page<T> {
  records: T[];
  nextPageToken?: string | null;
}

/** A part of something, as forms send it. */
export type Some<T> = { [K in keyof T]?: T[K] | undefined };
