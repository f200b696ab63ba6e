// Calls about the audit log. Each is a value first, so that a page can show the command it stands for.

import { calls } from '../../paths';
import type { Ask, Client } from './client';
import { list } from './values';
import type { AuditEntry, AuditQuery, Page } from './wire';

/** Entries on a page of the log. */
const ENTRIES_LIMIT = 50;

export type ExportFormat = 'csv' | 'ndjson';

/** The calls that pages show as commands. */
export const auditAsks = {
  listEntries: (query: AuditQuery): Ask => ({ method: 'GET', path: calls.audit({ ...query }) }),
  exportEntries: (query: AuditQuery, format: ExportFormat): Ask => ({ method: 'GET', path: calls.auditExport({ format, ...query }) }),
};

/** What pages ask of the server about the audit log. */
export class AuditApi {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  list(query: AuditQuery, pageToken?: string, signal?: AbortSignal): Promise<Page<AuditEntry>> {
    return this.#client.get<Page<AuditEntry>>(calls.audit({ ...query, limit: ENTRIES_LIMIT, pageToken }), signal);
  }

  /** Names of everything that is ever written down. */
  async actions(signal?: AbortSignal): Promise<string[]> {
    const answer = await this.#client.get<unknown>(calls.auditActions(), signal);
    const names = (Array.isArray(answer) ? answer : list(answer, 'records')).map((action: unknown) =>
      typeof action === 'string' ? action : typeof action === 'object' && action !== null ? String(Reflect.get(action, 'name') ?? Reflect.get(action, 'action')) : '',
    );
    return names.filter((name) => name !== '').toSorted();
  }

  /** All that a query finds, as a file. */
  async export(query: AuditQuery, format: ExportFormat, signal: AbortSignal): Promise<Blob> {
    const { path } = auditAsks.exportEntries(query, format);
    const response = await this.#client.open(path, { Accept: format === 'csv' ? 'text/csv' : 'application/x-ndjson' }, signal);
    return response.blob();
  }
}
