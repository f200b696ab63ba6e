// What the API says about events, their types and scenarios, in its own words.

/** What subscribers are told of. */
export interface YardEvent {
  id: string;
  eventType: string;
  timestamp: string;
  chatId?: string;
  postId?: string;
  requestId?: string;
  body: unknown;
}

export interface EventTypeInfo {
  name: string;
  description: string;
  /** Whether the account made it, rather than the product. */
  custom: boolean;
  deprecated: boolean;
  /** A body to try it with. */
  example: unknown;
}

export interface Scenario {
  name: string;
  description: string;
  steps: { eventType: string; description: string }[];
}
