import { describe, expect, it } from 'vitest';
import { SUBMIT_TOOLTIP, UNSAFE_LINK_TOOLTIP, prepareCard } from './prepare-card';

const prepared = (card: Record<string, unknown>) => prepareCard(card, 'p-').card;

describe('a foreign card', () => {
  it('cannot name elements of the page', () => {
    const card = prepared({
      id: 'card',
      body: [{ type: 'TextBlock', id: 'app', text: 'x' }],
      actions: [{ type: 'Action.ToggleVisibility', targetElements: ['app', { elementId: 'app', isVisible: true }] }],
    });
    expect(card).toEqual({
      type: 'AdaptiveCard',
      body: [{ type: 'TextBlock', id: 'p-app', text: 'x' }],
      actions: [{ type: 'Action.ToggleVisibility', targetElements: ['p-app', { elementId: 'p-app', isVisible: true }] }],
    });
  });

  it('cannot load pictures behind the reader’s back', () => {
    const inline = 'data:image/png;base64,AAAA';
    const card = prepared({
      backgroundImage: { url: 'https://a.test/t.png' },
      body: [{ type: 'Container', backgroundImage: 'https://a.test/t.png' }, { type: 'Container', backgroundImage: inline }],
      actions: [{ type: 'Action.OpenUrl', iconUrl: 'https://a.test/i.png', url: 'https://a.test' }],
    });
    expect(card['backgroundImage']).toBeUndefined();
    expect(card['body']).toEqual([{ type: 'Container' }, { type: 'Container', backgroundImage: inline }]);
    expect(card['actions']).toEqual([{ type: 'Action.OpenUrl', url: 'https://a.test' }]);
  });

  it('cannot run a pattern against what the reader types', () => {
    expect(prepared({ body: [{ type: 'Input.Text', id: 'i', regex: '^(a+)+$' }] })['body']).toEqual([{ type: 'Input.Text', id: 'p-i' }]);
  });

  it('has buttons that say why they do not answer', () => {
    const { card, answers } = prepareCard({ actions: [{ type: 'Action.Submit', title: 'OK', data: { a: 1 } }] }, 'p-');
    expect(answers).toBe(true);
    expect(card['actions']).toEqual([{ type: 'Action.Submit', title: 'OK', isEnabled: false, tooltip: SUBMIT_TOOLTIP }]);
    expect(prepareCard({ body: [] }, 'p-').answers).toBe(false);
  });

  it('has links that lead somewhere safe or nowhere', () => {
    const action = { type: 'Action.OpenUrl', title: 'Go', url: 'javascript:alert(1)' };
    expect(prepared({ actions: [action] })['actions']).toEqual([{ ...action, isEnabled: false, tooltip: UNSAFE_LINK_TOOLTIP }]);
  });

  it('shows media as a link, and unsafe media as words', () => {
    const media = (url: string) => prepared({ body: [{ type: 'Media', altText: 'A *film*', sources: [{ url }] }] })['body'];
    expect(media('https://a.test/f.mp4')).toEqual([{ type: 'TextBlock', wrap: true, text: '[A \\*film\\*](https://a.test/f.mp4)' }]);
    expect(media('javascript:alert(1)')).toEqual([{ type: 'TextBlock', wrap: true, text: 'A \\*film\\*' }]);
  });

  it('is cut where it nests too deeply', () => {
    let deep: Record<string, unknown> = { type: 'TextBlock', text: 'bottom' };
    for (let level = 0; level < 2_000; level += 1) deep = { type: 'Container', items: [deep] };
    expect(JSON.stringify(prepared({ body: [deep] }))).not.toContain('bottom');
  });

  it('keeps keys of the prototype out', () => {
    const card = prepared(JSON.parse('{"__proto__":{"x":1},"constructor":{"y":2},"body":[]}'));
    expect(Object.keys(card).toSorted()).toEqual(['body', 'type']);
  });
});
