// Takes out of a foreign Adaptive Card what this page must not do, before the renderer sees it. Pure.
// The server has done much of this when the card came in; the page does not rely on it.

import { isInlineImage, safeHref } from '../../../util/url';

/** The renderer breaks at about 1,500 levels and gets slow long before; the server's own limit is 40. */
const DEPTH_MAX = 40;

/** Said on a button that cannot answer. */
export const SUBMIT_TOOLTIP = 'This button answers to the app that sent the card. Incoming webhooks have no address to answer to.';

/** Said on a link that leads to something else than a page, a mailbox or a phone. */
export const UNSAFE_LINK_TOOLTIP = 'This link was switched off: it does not lead to a web page, a mailbox or a phone.';

export interface PreparedCard {
  card: Record<string, unknown>;
  /** The card has buttons that would answer to its sender. */
  answers: boolean;
}

type JsonObject = Record<string, unknown>;

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The card with ids under `prefix`, and without remote pictures, media, patterns and answers. */
export function prepareCard(source: JsonObject, prefix: string): PreparedCard {
  const prepared = { answers: false };
  const card = prepareObject(source, 0, prefix, prepared);
  return { card: { ...card, type: 'AdaptiveCard' }, answers: prepared.answers };
}

function prepareValue(value: unknown, depth: number, prefix: string, found: { answers: boolean }): unknown {
  if (depth > DEPTH_MAX) return undefined;
  if (Array.isArray(value)) return value.map((item) => prepareValue(item, depth + 1, prefix, found)).filter((item) => item !== undefined);
  return isObject(value) ? prepareObject(value, depth, prefix, found) : value;
}

function prepareObject(source: JsonObject, depth: number, prefix: string, found: { answers: boolean }): JsonObject {
  const target: JsonObject = {};
  for (const [key, value] of Object.entries(source)) {
    const prepared = prepareMember(key, value, depth, prefix, found);
    if (prepared !== undefined) target[key] = prepared;
  }
  if (source['type'] === 'Action.Submit' || source['type'] === 'Action.Execute') {
    found.answers = true;
    target['isEnabled'] = false;
    target['tooltip'] = SUBMIT_TOOLTIP;
  }
  if (source['type'] === 'Action.OpenUrl' && safeHref(source['url']) === null) {
    target['isEnabled'] = false;
    target['tooltip'] = UNSAFE_LINK_TOOLTIP;
  }
  if (source['type'] === 'Media') return mediaAsLink(source);
  return target;
}

/** The member as the renderer may see it; `undefined` leaves it out. */
function prepareMember(key: string, value: unknown, depth: number, prefix: string, found: { answers: boolean }): unknown {
  switch (key) {
    case '__proto__':
    case 'constructor':
    case 'prototype':
    // A pattern of the sender's would run against what the reader types, and can hang the page.
    case 'regex':
    case 'refresh':
    case 'authentication':
      return undefined;
    case 'id':
      return typeof value === 'string' && depth > 0 ? prefix + value : undefined;
    case 'iconUrl':
    case 'poster':
      return isInlineImage(value) ? value : undefined;
    case 'backgroundImage':
      return isInlineImage(isObject(value) ? value['url'] : value) ? value : undefined;
    case 'targetElements':
      return Array.isArray(value) ? value.map((target) => prefixedTarget(target, prefix)) : undefined;
    case 'data':
      return undefined;
    default:
      return prepareValue(value, depth + 1, prefix, found);
  }
}

function prefixedTarget(target: unknown, prefix: string): unknown {
  if (typeof target === 'string') return prefix + target;
  if (isObject(target) && typeof target['elementId'] === 'string') return { ...target, elementId: prefix + target['elementId'] };
  return target;
}

/** Media would load from elsewhere; a link lets the reader decide. */
function mediaAsLink(source: JsonObject): JsonObject {
  const sources = Array.isArray(source['sources']) ? source['sources'] : [];
  const href = sources.map((item) => (isObject(item) ? safeHref(item['url']) : null)).find((url) => url !== null);
  const label = typeof source['altText'] === 'string' && source['altText'] !== '' ? source['altText'] : 'Media';
  const escaped = label.replace(/[\\*_[\]()!]/g, '\\$&');
  return { type: 'TextBlock', wrap: true, text: href === undefined ? escaped : `[${escaped}](${href})` };
}
