// What the API says about events, their types and scenarios, in its own words.

import type { Schema } from '../kernel/wire';

/** What subscribers are told of. */
export type YardEvent = Pick<Schema<'DeliveredEvent'>, 'id' | 'eventType' | 'timestamp' | 'chatId' | 'postId' | 'requestId' | 'body'>;

/** A type of event as pages show it: of its versions the newest. */
export interface EventTypeInfo {
  name: string;
  description: string;
  /** Whether the account made it, rather than the product. */
  custom: boolean;
  deprecated: boolean;
  /** A body to try it with. */
  example: unknown;
}

export interface Scenario extends Pick<Schema<'Scenario'>, 'name' | 'description'> {
  steps: Pick<Schema<'ScenarioStep'>, 'eventType' | 'description'>[];
}
