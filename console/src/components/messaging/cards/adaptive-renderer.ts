// Microsoft's card renderer behind a thin door. Loaded when the first Adaptive Card is shown.
//
// What is different from the renderer as it comes: text is drawn as nodes (never as an HTML string),
// remote pictures become links, media and carousels do not exist, links are checked when they are
// built and again when they are followed, and buttons that answer to the sender are switched off.

import {
  AdaptiveCard,
  CardObjectRegistry,
  GlobalRegistry,
  GlobalSettings,
  HostConfig,
  Image,
  OpenUrlAction,
  SerializationContext,
  Size,
  SubmitAction,
  Table,
  TextBlock,
  Versions,
  type Action,
  type CardElement,
} from 'adaptivecards';
import { hostOf, isInlineImage, safeHref } from '../../../util/url';
import { hostConfig } from './host-config';
import { cardTextNodes } from './markdown-dom';
import type { PreparedCard } from './prepare-card';

const config = new HostConfig(hostConfig);

/** A link whose address is one of the four schemes, or leads nowhere. */
class CheckedOpenUrl extends OpenUrlAction {
  override getHref(): string | undefined {
    return safeHref(this.url) ?? undefined;
  }

  override isEffectivelyEnabled(): boolean {
    return super.isEffectivelyEnabled() && safeHref(this.url) !== null;
  }
}

/** A button that would answer to the sender of the card; there is nobody to answer to. */
class SilentSubmit extends SubmitAction {
  override isEffectivelyEnabled(): boolean {
    return false;
  }
}

/**
 * Draws the text of every text block as nodes. On the class itself, since fact sets and tables make
 * blocks that no registry knows of.
 */
function drawTextAsNodes(): void {
  // Without this the renderer looks for a global markdown library, which could make HTML strings.
  AdaptiveCard.onProcessMarkdown = (_text, result) => {
    result.didProcess = false;
  };
  const render = TextBlock.prototype['internalRender'];
  TextBlock.prototype['internalRender'] = function (this: TextBlock): HTMLElement | undefined {
    const element = render.call(this);
    if (element !== undefined && this.useMarkdown) element.replaceChildren(...cardTextNodes(linesOf(element)));
    return element;
  };
}

/**
 * Shows pictures that are in the card, and links to where the others are. On the class itself, since
 * sets of pictures make their own.
 */
function linkRemotePictures(): void {
  const render = Image.prototype['internalRender'];
  Image.prototype['internalRender'] = function (this: Image): HTMLElement | undefined {
    return isInlineImage(this.url) ? render.call(this) : pictureLink(this);
  };
}

/** A picture asked for at this width or less leaves no room for words beside its neighbours. */
const ICON_ONLY_PX = 64;

function pictureLink(picture: Image): HTMLElement | undefined {
  if (picture.url === undefined || picture.url === '') return undefined;
  const href = safeHref(picture.url);
  const alternative = picture.altText !== undefined && picture.altText !== '' ? picture.altText : 'Picture';
  const words = href === null ? alternative : `${alternative}, at ${hostOf(href)}`;
  const small = picture.size === Size.Small || (picture.pixelWidth !== undefined && picture.pixelWidth <= ICON_ONLY_PX);
  const placeholder = document.createElement(href === null ? 'span' : 'a');
  placeholder.className = 'ac-remote-image';
  placeholder.title = words;
  if (placeholder instanceof HTMLAnchorElement && href !== null) {
    placeholder.href = href;
    placeholder.target = '_blank';
    placeholder.rel = 'noopener noreferrer';
  }
  const label = document.createElement('span');
  label.className = small ? 'unseen' : 'ac-remote-image-label';
  label.textContent = words;
  placeholder.append(pictureIcon(), label);
  return placeholder;
}

function pictureIcon(): SVGElement {
  const icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  icon.setAttribute('viewBox', '0 0 24 24');
  icon.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', 'M4 5h16v14H4zM4 16l5-5 4 4 2.5-2.5L20 17M15.5 9.5v.1');
  icon.append(path);
  return icon;
}

/** The plain text that the renderer put in, with dates filled in; line ends have become `<br>`. */
function linesOf(element: HTMLElement): string {
  return [...element.childNodes].map((node) => (node instanceof HTMLBRElement ? '\n' : node.textContent)).join('');
}

const elements = new CardObjectRegistry<CardElement>();
const actions = new CardObjectRegistry<Action>();

function register(): void {
  GlobalSettings.enableFallback = true;
  GlobalSettings.allowMarkForTextHighlighting = false;
  GlobalSettings.useAdvancedCardBottomTruncation = false;
  GlobalSettings.useAdvancedTextBlockTruncation = false;
  GlobalSettings.useMarkdownInRadioButtonAndCheckbox = false;
  GlobalRegistry.populateWithDefaultElements(elements);
  GlobalRegistry.populateWithDefaultActions(actions);
  elements.unregister('Media');
  elements.unregister('Carousel');
  // The renderer registers tables as a side effect of a module that the bundler may leave out.
  elements.register('Table', Table, Versions.v1_5);
  actions.unregister('Action.Execute');
  actions.register('Action.OpenUrl', CheckedOpenUrl);
  actions.register('Action.Submit', SilentSubmit);
  drawTextAsNodes();
  linkRemotePictures();
}

register();

/** Follows a link of a card, if it may be followed. */
function execute(action: Action): void {
  if (!(action instanceof OpenUrlAction)) return;
  const href = safeHref(action.url);
  if (href !== null) window.open(href, '_blank', 'noopener,noreferrer');
}

/** The card as an element. Throws what the renderer throws on cards it cannot read. */
export function renderCard({ card }: PreparedCard): HTMLElement {
  const adaptive = new AdaptiveCard();
  adaptive.hostConfig = config;
  adaptive.onExecuteAction = execute;
  const context = new SerializationContext(Versions.latest);
  context.setElementRegistry(elements);
  context.setActionRegistry(actions);
  adaptive.parse(card, context);
  const element = adaptive.render();
  if (element === undefined) throw new Error('the card is empty');
  for (const input of element.querySelectorAll('input, textarea')) input.setAttribute('autocomplete', 'off');
  return element;
}
