// Which delivery belongs to which step of a scenario. Pure.

import type { DeliveryRecord } from '../../api/delivery/wire';
import type { Scenario } from '../../api/events/wire';

export type PlayedStep = Scenario['steps'][number] & { delivery: DeliveryRecord | null };

/** Steps take deliveries of their type in the order in which they were made; `deliveries` are newest first. */
export function stepDeliveries(steps: Scenario['steps'], deliveries: readonly DeliveryRecord[]): PlayedStep[] {
  const left = deliveries.toReversed();
  return steps.map((step) => {
    const at = left.findIndex(({ eventType }) => eventType === step.eventType);
    const [delivery] = at < 0 ? [] : left.splice(at, 1);
    return { ...step, delivery: delivery ?? null };
  });
}
