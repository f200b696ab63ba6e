// A command that subscribes, for pages that show where events could go.

import { filters } from '../../paths';
import { shellQuoted } from '../../util/curl';

/** `curl` that subscribes a receiver to posts; the token is the reader's own. */
export function subscribeCommand(uri: string): string {
  const body = `{
  "eventFilters": ["${filters.posts()}"],
  "deliveryMode": {
    "transportType": "WebHook",
    "address": "https://example.com/events"
  }
}`;
  return `curl ${shellQuoted(uri)} \\\n  --header "Authorization: Bearer $TOKEN" \\\n  --header 'Content-Type: application/json' \\\n  --data ${shellQuoted(body)}`;
}
