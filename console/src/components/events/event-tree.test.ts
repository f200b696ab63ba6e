import { describe, expect, it } from 'vitest';
import { type EventNode, asksFor, countOf, covers, eventTree, isPattern, matchCount, nodesByPattern, pickedOf, rowsOf, searchedTree, toggled } from './event-tree';

const type = (name: string, description = '') => ({ name, description, custom: !name.startsWith('post'), deprecated: false });
const names = ['invoice.paid', 'invoice.sent', 'invoice.line.added', 'post.PostAdded', 'presence', 'presence.detailed'];
const root = eventTree(names.map((name) => type(name, name === 'invoice.paid' ? 'Money came' : '')));

function node(path: string, from: EventNode = root): EventNode {
  for (const child of from.children) {
    if (child.path === path && !child.label.endsWith('itself')) return child;
    if (path.startsWith(`${child.path}.`) && child.children.length > 0) return node(path, child);
  }
  throw new Error(`no ${path}`);
}

describe('the tree', () => {
  it('has a branch for every dot, branches before names', () => {
    expect(root.children.map(({ pattern }) => pattern)).toEqual(['invoice.*', 'post.*', 'presence.*']);
    expect(node('invoice').children.map(({ pattern }) => pattern)).toEqual(['invoice.line.*', 'invoice.paid', 'invoice.sent']);
    expect(countOf(root)).toBe(names.length);
  });

  it('lets a name that is also a branch be picked by itself', () => {
    expect(node('presence').children.map(({ label, pattern }) => [label, pattern])).toEqual([
      ['presence itself', 'presence'],
      ['detailed', 'presence.detailed'],
    ]);
  });

  it('shows the rows of open branches with their place among their siblings', () => {
    const rows = rowsOf(root, ({ path }) => path === '' || path === 'invoice');
    expect(rows.map(({ node: { pattern }, level, position, siblings, open }) => [pattern, level, position, siblings, open])).toEqual([
      ['*', 1, 1, 1, true],
      ['invoice.*', 2, 1, 3, true],
      ['invoice.line.*', 3, 1, 3, false],
      ['invoice.paid', 3, 2, 3, null],
      ['invoice.sent', 3, 3, 3, null],
      ['post.*', 2, 2, 3, false],
      ['presence.*', 2, 3, 3, false],
    ]);
    expect(rows[3]?.parent).toBe(1);
  });

  it('knows the whole of a branch of which a search shows a part', () => {
    const part = searchedTree(root, 'money')?.children[0];
    const whole = nodesByPattern(root).get(part?.pattern ?? '');
    expect([part, whole].map((found) => (found ? countOf(found) : null))).toEqual([1, 3]);
    expect(nodesByPattern(root).get('presence')?.label).toBe('presence itself');
  });

  it('narrows to what is searched for, in names and in words about them', () => {
    const shown = (query: string) => {
      const tree = searchedTree(root, query);
      return tree === null ? null : rowsOf(tree, () => true).map(({ node: { pattern } }) => pattern);
    };
    expect(shown('money')).toEqual(['*', 'invoice.*', 'invoice.paid']);
    expect(shown('invoice line')).toEqual(['*', 'invoice.*', 'invoice.line.*', 'invoice.line.added']);
    expect(shown('INVOICE')?.length).toBe(6);
    expect(shown('zebra')).toBeNull();
    expect(searchedTree(root, '  ')).toBe(root);
  });
});

describe('picking', () => {
  it('makes a branch of a branch, and swallows what was picked in it', () => {
    expect(toggled(root, node('invoice'), ['invoice.paid', 'post.PostAdded'])).toEqual(['post.PostAdded', 'invoice.*']);
    expect(toggled(root, root, ['invoice.*', 'presence'])).toEqual(['*']);
  });

  it('tells all, some and none apart', () => {
    expect(pickedOf(node('invoice.line.added'), ['invoice.*'])).toBe('all');
    expect(pickedOf(node('invoice'), ['invoice.paid'])).toBe('some');
    expect(pickedOf(root, ['invoice.paid'])).toBe('some');
    expect(pickedOf(node('post'), ['invoice.*'])).toBe('none');
  });

  it('drops one name out of a picked branch and keeps its neighbours', () => {
    expect(toggled(root, node('invoice.paid'), ['invoice.*'])).toEqual(['invoice.line.*', 'invoice.sent']);
    expect(toggled(root, node('invoice.line.added'), ['*'])).toEqual(['invoice.paid', 'invoice.sent', 'post.*', 'presence.*']);
    expect(toggled(root, node('invoice'), ['invoice.*'])).toEqual([]);
  });

  it('leaves patterns alone that the tree does not know', () => {
    expect(toggled(root, node('invoice.paid'), ['*.paid', 'invoice.paid'])).toEqual(['*.paid']);
  });
});

describe('patterns', () => {
  it('match as the server does: a star is a segment, the last one or more', () => {
    expect(asksFor('*.paid', 'invoice.paid')).toBe(true);
    expect(asksFor('*.paid', 'a.b.paid')).toBe(false);
    expect(asksFor('invoice.*', 'invoice.line.added')).toBe(true);
    expect(asksFor('invoice.*', 'invoice')).toBe(false);
    expect(asksFor('*', 'a.b')).toBe(true);
    expect(asksFor('invoice', 'invoice.paid')).toBe(false);
    expect(matchCount(['invoice.*', 'presence'], names)).toBe(4);
  });

  it('cover what they include', () => {
    expect(covers('invoice.*', 'invoice.line.*')).toBe(true);
    expect(covers('invoice.*', 'invoices.paid')).toBe(false);
    expect(covers('*.paid', 'invoice.paid')).toBe(false);
    expect(covers('invoice.*', 'invoice')).toBe(false);
  });

  it('are dotted words and stars, nothing else', () => {
    for (const good of ['*', 'a', 'a.*', '*.paid', 'a.b_c-9']) expect(isPattern(good)).toBe(true);
    for (const bad of ['', '.', 'a.', 'a b', 'a.b*', 'ä', 'a..b', 'x'.repeat(129)]) expect(isPattern(bad)).toBe(false);
  });
});
