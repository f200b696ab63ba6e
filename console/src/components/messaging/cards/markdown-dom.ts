// Mini-markdown as DOM nodes, for text inside foreign renderers. Components draw the tree themselves.

import { type Inline, parseMarkdown } from '../../../util/markdown';

/** The text as nodes. Adaptive Cards write italics as `_x_`, so underlines are drawn as such. */
export function cardTextNodes(source: string): Node[] {
  return parseMarkdown(source).map((block) => {
    if (block.type === 'list') {
      const list = document.createElement('ul');
      for (const item of block.items) list.append(element('li', item));
      return list;
    }
    return element(block.type === 'quote' ? 'blockquote' : 'p', block.children);
  });
}

function element(name: string, children: Inline[]): HTMLElement {
  const node = document.createElement(name);
  node.append(...children.map(inlineNode));
  return node;
}

function inlineNode(inline: Inline): Node {
  switch (inline.type) {
    case 'text':
      return document.createTextNode(inline.text);
    case 'break':
      return document.createElement('br');
    case 'mention':
      return document.createTextNode(`@${inline.id}`);
    case 'bold':
      return element('strong', inline.children);
    case 'italic':
    case 'underline':
      return element('em', inline.children);
    case 'link':
      return link(inline.href, inline.children);
  }
}

function link(href: string, children: Inline[]): HTMLElement {
  const anchor = document.createElement('a');
  anchor.className = 'ac-anchor';
  anchor.href = href;
  anchor.target = '_blank';
  anchor.rel = 'noopener noreferrer';
  anchor.append(...children.map(inlineNode));
  return anchor;
}
