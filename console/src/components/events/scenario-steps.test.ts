import { describe, expect, it } from 'vitest';
import { deliveryOf } from '../../api/delivery/deliveries';
import { stepDeliveries } from './scenario-steps';

const steps = ['a.made', 'a.sent', 'a.sent', 'a.paid'].map((eventType) => ({ eventType, description: '' }));
const delivery = (id: string, eventType: string) => deliveryOf({ id, eventType, state: 'delivered' });

describe('a scenario that is played', () => {
  it('gives each step its own delivery, the older to the earlier', () => {
    const played = stepDeliveries(steps, [delivery('3', 'a.sent'), delivery('9', 'other'), delivery('2', 'a.sent'), delivery('1', 'a.made')]);
    expect(played.map(({ delivery: found }) => found?.id ?? null)).toEqual(['1', '2', '3', null]);
  });
});
