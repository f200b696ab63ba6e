// Dotted event types as a tree to pick from, and the patterns that picking makes. Pure.
//
// A pattern is a whole name (`invoice.paid`), a branch (`invoice.*`, one or more further segments) or
// everything (`*`). Others, with a star in between, are kept as they are and shown beside the tree.

/** What the tree needs to know of an event type. */
export interface NamedType {
  name: string;
  description: string;
  custom: boolean;
  deprecated: boolean;
}

export interface EventNode {
  /** The dotted name so far; `''` is the root, which stands for everything. */
  path: string;
  /** The pattern that picking it makes. */
  pattern: string;
  /** Its last segment, or words where it has none. */
  label: string;
  type: NamedType | null;
  children: EventNode[];
}

export type Picked = 'all' | 'some' | 'none';

export const EVERYTHING = '*';

/** The tree of all names; a name that is also a branch stands first among its own children. */
export function eventTree(types: readonly NamedType[]): EventNode {
  const root: EventNode = { path: '', pattern: EVERYTHING, label: 'All events', type: null, children: [] };
  for (const type of types) insert(root, type, type.name.split('.'));
  return settled(root);
}

function insert(node: EventNode, type: NamedType, segments: string[]): void {
  const [segment, ...rest] = segments;
  if (segment === undefined) {
    node.type = type;
    return;
  }
  const path = node.path === '' ? segment : `${node.path}.${segment}`;
  let child = node.children.find((known) => known.path === path);
  if (child === undefined) {
    child = { path, pattern: path, label: segment, type: null, children: [] };
    node.children.push(child);
  }
  insert(child, type, rest);
}

function settled(node: EventNode): EventNode {
  if (node.children.length === 0) return node;
  const children = node.children.map(settled).toSorted((a, b) => Number(b.children.length > 0) - Number(a.children.length > 0) || (a.label < b.label ? -1 : 1));
  const pattern = node.path === '' ? EVERYTHING : `${node.path}.*`;
  const own: EventNode[] = node.type === null ? [] : [{ path: node.path, pattern: node.path, label: `${node.label} itself`, type: node.type, children: [] }];
  return { ...node, pattern, type: null, children: [...own, ...children] };
}

/** Whether a pattern asks for a name. A star is one segment, unless it is last: then one or more. */
export function asksFor(pattern: string, name: string): boolean {
  const wanted = pattern.split('.');
  const segments = name.split('.');
  return wanted.every((part, index) => {
    const last = index === wanted.length - 1;
    if (part === '*') return last ? segments.length >= wanted.length : index < segments.length;
    return part === segments[index] && (!last || segments.length === wanted.length);
  });
}

/** Whether everything that `inner` asks for is asked for by `outer` already. Exact for the tree's own patterns. */
export function covers(outer: string, inner: string): boolean {
  if (outer === inner || outer === EVERYTHING) return true;
  if (!outer.endsWith('.*') || outer.slice(0, -2).includes('*')) return false;
  return inner.startsWith(outer.slice(0, -1));
}

export function pickedOf(node: EventNode, patterns: readonly string[]): Picked {
  if (patterns.some((pattern) => covers(pattern, node.pattern))) return 'all';
  return node.children.some((child) => pickedOf(child, patterns) !== 'none') ? 'some' : 'none';
}

/** The patterns after `node` was clicked: picked when it was not, else dropped, its neighbours kept. */
export function toggled(root: EventNode, node: EventNode, patterns: readonly string[]): string[] {
  if (pickedOf(node, patterns) !== 'all') return [...patterns.filter((pattern) => !covers(node.pattern, pattern)), node.pattern];
  const left = patterns.filter((pattern) => !covers(node.pattern, pattern));
  return [...new Set(left.flatMap((pattern) => (covers(pattern, node.pattern) ? without(root, pattern, node) : [pattern])))];
}

/** `pattern` as the patterns of its children, but for `node`. */
function without(root: EventNode, pattern: string, node: EventNode): string[] {
  const branch = found(root, pattern);
  if (branch === null) return [];
  return branch.children.flatMap((child) => {
    if (child.pattern === node.pattern) return [];
    return covers(child.pattern, node.pattern) ? without(root, child.pattern, node) : [child.pattern];
  });
}

function found(node: EventNode, pattern: string): EventNode | null {
  if (node.pattern === pattern) return node;
  for (const child of node.children) {
    const hit = found(child, pattern);
    if (hit !== null) return hit;
  }
  return null;
}

/** Every node by its pattern, to look the whole of it up where a search shows a part. */
export function nodesByPattern(root: EventNode): Map<string, EventNode> {
  return new Map([[root.pattern, root], ...root.children.flatMap((child) => [...nodesByPattern(child)])]);
}

/** How many types a node holds. */
export function countOf(node: EventNode): number {
  return node.children.length === 0 ? 1 : node.children.reduce((sum, child) => sum + countOf(child), 0);
}

/** How many of `names` the patterns ask for. */
export function matchCount(patterns: readonly string[], names: readonly string[]): number {
  return names.filter((name) => patterns.some((pattern) => asksFor(pattern, name))).length;
}

/** The part of the tree where every word occurs, in a name or in what is said about it; `null` for nothing. */
export function searchedTree(node: EventNode, query: string): EventNode | null {
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== '');
  return words.length === 0 ? node : narrowed(node, words);
}

function narrowed(node: EventNode, words: readonly string[]): EventNode | null {
  const told = `${node.path} ${node.type?.description ?? ''}`.toLowerCase();
  if (node.path !== '' && words.every((word) => told.includes(word))) return node;
  const children = node.children.map((child) => narrowed(child, words)).filter((child) => child !== null);
  return children.length === 0 ? null : { ...node, children };
}

/** A row of the tree as it is shown. */
export interface TreeRow {
  node: EventNode;
  /** From 1. */
  level: number;
  position: number;
  siblings: number;
  /** `null` for a leaf. */
  open: boolean | null;
  parent: number | null;
}

/** The rows that are visible, in order; `isOpen` says which branches are. */
export function rowsOf(root: EventNode, isOpen: (node: EventNode) => boolean): TreeRow[] {
  const rows: TreeRow[] = [];
  const add = (node: EventNode, level: number, position: number, siblings: number, parent: number | null): void => {
    const open = node.children.length === 0 ? null : isOpen(node);
    const index = rows.push({ node, level, position, siblings, open, parent }) - 1;
    if (open === true) node.children.forEach((child, at) => add(child, level + 1, at + 1, node.children.length, index));
  };
  add(root, 1, 1, 1, null);
  return rows;
}

/** A pattern that the server may take: segments of letters, digits, `_`, `-`, or a star alone. */
export function isPattern(text: string): boolean {
  return text.length <= 128 && /^(?:\*|[A-Za-z0-9_-]+)(?:\.(?:\*|[A-Za-z0-9_-]+))*$/.test(text);
}
