// The renderer's configuration in the page's own tokens. Colours are `var(…)`, so a change of theme
// needs no new rendering: the renderer hands them to CSS as they are.

const color = (name: string, subtle = name) => ({ default: `var(--${name})`, subtle: `var(--${subtle})` });

const foreground = {
  default: color('text', 'text-3'),
  dark: color('text', 'text-3'),
  light: color('text-2', 'text-3'),
  accent: color('accent'),
  good: color('good'),
  warning: color('warn'),
  attention: color('bad'),
};

const container = (background: string, border: string) => ({
  backgroundColor: `var(--${background})`,
  borderColor: `var(--${border})`,
  foregroundColors: foreground,
});

/** Rendered once per page. */
export const hostConfig = {
  supportsInteractivity: true,
  fontFamily: 'inherit',
  spacing: { small: 4, default: 8, medium: 12, large: 20, extraLarge: 28, padding: 12 },
  separator: { lineThickness: 1, lineColor: 'var(--line)' },
  imageSizes: { small: 40, medium: 80, large: 160 },
  lineHeights: { small: 18, medium: 24, default: 21, large: 27, extraLarge: 32 },
  fontTypes: {
    default: {
      fontFamily: 'inherit',
      fontSizes: { small: 12, default: 14, medium: 16, large: 19, extraLarge: 23 },
      fontWeights: { lighter: 400, default: 400, bolder: 600 },
    },
    monospace: {
      fontFamily: 'var(--mono)',
      fontSizes: { small: 11, default: 13, medium: 15, large: 18, extraLarge: 22 },
      fontWeights: { lighter: 400, default: 400, bolder: 600 },
    },
  },
  containerStyles: {
    default: { ...container('raised', 'line') },
    emphasis: container('sunken', 'line'),
    accent: container('accent-soft', 'accent-line'),
    good: container('good-soft', 'line'),
    warning: container('warn-soft', 'warn-line'),
    attention: container('bad-soft', 'bad-line'),
  },
  actions: {
    maxActions: 6,
    spacing: 'default',
    buttonSpacing: 8,
    showCard: { actionMode: 'inline', inlineTopMargin: 12, style: 'emphasis' },
    preExpandSingleShowCardAction: false,
    actionsOrientation: 'horizontal',
    actionAlignment: 'left',
    allowTitleToWrap: true,
  },
  adaptiveCard: { allowCustomStyle: false },
  imageSet: { imageSize: 'medium', maxImageHeight: 120 },
  media: { allowInlinePlayback: false },
  factSet: {
    title: { size: 'default', color: 'default', isSubtle: true, weight: 'default', wrap: true, maxWidth: 180 },
    value: { size: 'default', color: 'default', isSubtle: false, weight: 'default', wrap: true },
    spacing: 16,
  },
  textBlock: { headingLevel: 4 },
  inputs: {
    label: {
      inputSpacing: 'small',
      requiredInputs: { weight: 'bolder', suffix: ' *', suffixColor: 'attention' },
      optionalInputs: { weight: 'bolder' },
    },
    errorMessage: { color: 'attention', weight: 'default' },
  },
};
