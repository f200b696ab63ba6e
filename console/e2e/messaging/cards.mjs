// Payloads for the hook, one of each kind, with everything the page must refuse.

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Days from now, so that the page always has something to come. */
const inDays = (days, hours = 0) => new Date(Date.now() + (days * 24 + hours) * 3_600_000).toISOString();

export const buildCard = {
  activity: 'Harbour CI',
  iconUri: 'https://ci.invalid/icon.png',
  title: 'Build **128** failed',
  text: 'The pipeline for *main* broke.\n\n> Wind above the limit\n\n* look at the [log](https://ci.invalid/log)\n* <img src=x onerror=alert(1)>',
  attachments: [
    {
      type: 'Card',
      color: '#d33b2f',
      intro: 'Pushed 12 minutes ago',
      author: { name: 'harbour/crane', uri: 'https://ci.invalid/harbour', iconUri: 'https://ci.invalid/i.png' },
      title: 'crane: keep the load level',
      text: 'Test **swing_stays_below_limit** failed. [Not a link](javascript:alert(1))',
      imageUri: 'https://ci.invalid/graph.png',
      fields: [
        { title: 'Branch', value: 'main', style: 'Short' },
        { title: 'Duration', value: '4 min 12 s', style: 'Short' },
        { title: 'Commit', value: '[9f3c2ab](https://ci.invalid/c) Limit the swing', style: 'Long' },
      ],
      footnote: { text: 'Harbour CI on pier 4', time: inDays(-1) },
    },
  ],
};

export const event = {
  activity: 'Calendar',
  attachments: [
    {
      type: 'Event',
      title: 'Crane inspection',
      startTime: inDays(2),
      endTime: inDays(2, 2),
      recurrence: 'Week',
      color: 'Orange',
      location: 'Pier 4, gate B',
      description: 'Bring your *helmet*.',
    },
  ],
};

export const note = {
  activity: 'Handbook',
  attachments: [
    {
      type: 'Note',
      title: 'How to lift a container',
      text: Array.from({ length: 24 }, (_, n) => `Step ${n + 1} of the procedure.`).join('\n\n'),
    },
  ],
};

export const adaptiveCard = {
  activity: 'Expenses',
  attachments: [
    {
      type: 'AdaptiveCard',
      $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
      version: '1.3',
      fallbackText: 'Expense report',
      body: [
        { type: 'TextBlock', text: 'Expense report **Q3**', size: 'Large', weight: 'Bolder', wrap: true },
        { type: 'TextBlock', text: 'From [Grace](https://expenses.invalid/grace), not <b>from</b> Bob', wrap: true, isSubtle: true },
        {
          type: 'ColumnSet',
          columns: [
            { type: 'Column', width: 'auto', items: [{ type: 'Image', url: 'https://expenses.invalid/grace.png', size: 'Small', altText: 'Grace' }] },
            { type: 'Column', width: 'auto', items: [{ type: 'Image', url: PIXEL, size: 'Small', altText: 'A dot' }] },
            { type: 'Column', width: 'stretch', items: [{ type: 'TextBlock', text: 'Needs approval', color: 'Attention' }] },
          ],
        },
        {
          type: 'ColumnSet',
          columns: [
            { type: 'Column', width: 'auto', items: [{ type: 'Image', url: 'https://expenses.invalid/portrait.png', altText: 'A portrait of everybody who travelled' }] },
            { type: 'Column', width: 'stretch', items: [{ type: 'TextBlock', text: 'Responsible travellers', wrap: true }] },
          ],
        },
        {
          type: 'Container',
          style: 'emphasis',
          items: [{ type: 'FactSet', facts: [{ title: 'Amount', value: '**1,284.00** EUR' }, { title: 'Trip', value: 'Rotterdam' }] }],
        },
        { type: 'ImageSet', images: [{ type: 'Image', url: 'https://expenses.invalid/1.png' }, { type: 'Image', url: PIXEL, altText: 'A dot' }] },
        { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: 'All receipts', selectAction: { type: 'Action.OpenUrl', url: 'https://expenses.invalid/all' } }] },
        { type: 'TextBlock', id: 'app', isVisible: false, text: 'Hotel, three nights', wrap: true },
        { type: 'Media', altText: 'A film', sources: [{ mimeType: 'video/mp4', url: 'https://expenses.invalid/film.mp4' }] },
        { type: 'Input.Text', id: 'comment', label: 'Comment', regex: '^(a+)+$' },
        { type: 'Input.Toggle', id: 'urgent', title: 'Urgent' },
      ],
      actions: [
        { type: 'Action.OpenUrl', title: 'Open', url: 'https://expenses.invalid/report' },
        { type: 'Action.ToggleVisibility', title: 'Details', targetElements: ['app'] },
        { type: 'Action.ShowCard', title: 'More', card: { type: 'AdaptiveCard', body: [{ type: 'TextBlock', text: 'A card in a **card**' }] } },
        { type: 'Action.Submit', title: 'Approve', data: { approve: true } },
      ],
    },
  ],
};
