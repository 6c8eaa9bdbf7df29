// The page of all components (`/__ui`): nothing is missing, axe finds nothing, nothing sticks out, and each looks as it did.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type Locator, type Page } from '@playwright/test';
import { accessible, type Edition, expect, test } from './daybind.js';
import { inSource, inText } from './words.js';

const editions = ['ce', 'ee'] as const satisfies readonly Edition[];
const address = '/__ui';
const lexicon = [
  'Working', 'Syncing', 'Checking', 'Waiting', 'Needs you', 'Failed', 'Paused', 'Off', 'Not connected', 'Not tested',
];
const marks = ['Synced', 'Waiting', 'Conflict', 'Failed', 'Not synced'];
const wide = { width: 1280, height: 1000 };
const narrow = { width: 320, height: 800 };

// Letters are drawn without the machine's own hints, so that they look the same everywhere.
test.use({
  deviceScaleFactor: 1,
  locale: 'en-GB',
  launchOptions: {
    executablePath: process.env.DAYBIND_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--font-render-hinting=none', '--disable-lcd-text',
    ],
  },
});

async function samples(page: Page): Promise<string[]> {
  const names = await page.locator('[data-sample]').evaluateAll((found) => found.map((one) => one.getAttribute('data-sample') ?? ''));
  expect(names.length).toBeGreaterThan(14);
  expect(new Set(names).size).toBe(names.length);
  return names;
}

async function fits(page: Page): Promise<void> {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth, window: document.documentElement.clientWidth,
  }));
  expect(content, `the page is ${content} wide, the window ${window}`).toBeLessThanOrEqual(window);
}

for (const edition of editions) {
  test(`${edition}: the gallery has every status and mark, is free of barriers and fits, light, dark and in forced colours`, async ({ start, page }) => {
    const { url } = await start(edition);
    const answer = await page.goto(`${url}${address}`);
    const source = await answer!.text();
    expect(source).not.toContain('<script');
    await samples(page);
    for (const word of lexicon) await expect(page.locator(`[data-status="${word}"]`)).toHaveText(word);
    await expect(page.locator('[data-status]')).toHaveCount(lexicon.length);

    // Each mark is in the grid, for eyes and for ears, and in the agenda; Community has none, and no word of what it does not offer.
    const shown = edition === 'ee' ? marks : [];
    await expect(page.locator('.db-grid__legend li')).toHaveText(shown);
    await expect(page.locator('[data-sample="agenda"] .db-agenda__sync .db-status')).toHaveText(shown);
    await expect(page.locator('.db-chip .db-status')).toHaveText(shown);
    if (edition === 'ce') expect([...inSource(source), ...inText(await page.locator('body').innerText())]).toEqual([]);

    for (const size of [wide, narrow]) {
      await page.setViewportSize(size);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await accessible(page);
        await fits(page);
      }
    }
    await page.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
    await accessible(page);
    // Colours are the reader's own: what is pressed has an edge, what is current is told by more than its colour.
    const edges = await page.locator('.db-btn').evaluateAll((found) => found.map((one) => getComputedStyle(one))
      .filter((style) => style.borderBlockStartStyle === 'none' || parseFloat(style.borderBlockStartWidth) === 0).length);
    expect(edges).toBe(0);
    const shapes = await page.locator('[data-sample="week"] .db-status').evaluateAll((found) => found
      .map((one) => getComputedStyle(one, '::before').backgroundColor));
    expect(shapes.length).toBe(shown.length * 2);
    expect(shapes.filter((colour) => colour === 'rgba(0, 0, 0, 0)' || colour === 'rgb(255, 255, 255)')).toEqual([]);
  });
}

// The pictures. Letters come from the fonts that Daybind brings along, so that the same Chromium draws the same everywhere. Another one may draw edges and native controls a little otherwise: it is held to
// sizes and to most of the picture. Which one drew what is kept is written beside the pictures.
const folder = join(import.meta.dirname, 'gallery');
const drawnWith = join(folder, 'chromium.txt');
const renew = 'To take new pictures: (cd end2end && npx playwright test gallery --update-snapshots), then look at each that changed';

function exactly(browser: Browser): { maxDiffPixelRatio: number; told: string } {
  const kept = existsSync(drawnWith) ? readFileSync(drawnWith, 'utf8').trim() : 'none';
  const now = browser.version();
  const same = kept.split('.')[0] === now.split('.')[0];
  const told = same ? renew : `The pictures are of Chromium ${kept}, this is ${now}: only 97 % must be the same. ${renew}`;
  return { maxDiffPixelRatio: same ? 0.001 : 0.03, told };
}

/** Has the browser draw the controls in a part of the page as if they were pointed at, pressed, or reached with a key. */
async function force(page: Page, sample: string, states: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('DOM.enable');
  await session.send('CSS.enable');
  const { root } = await session.send('DOM.getDocument');
  const selector = ['button', 'a', 'input', 'select', 'textarea', 'summary', 'tbody tr'].map((tag) => `[data-sample="${sample}"] ${tag}`).join(', ');
  const { nodeIds } = await session.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector });
  expect(nodeIds.length).toBeGreaterThan(2);
  for (const nodeId of nodeIds) await session.send('CSS.forcePseudoState', { nodeId, forcedPseudoClasses: states });
}

/** The page at rest: letters are there, and nothing has the focus. */
const settle = async (page: Page) => page.evaluate(async () => {
  await document.fonts.ready;
  (document.activeElement as HTMLElement | null)?.blur();
});

test('each component looks as it did: light, dark, narrow, in forced colours, pointed at, pressed and reached with a key', async ({ start, page, browser }, info) => {
  test.setTimeout(300_000);
  const renewing = ['all', 'changed'].includes(info.config.updateSnapshots);
  const { maxDiffPixelRatio, told } = exactly(browser);
  const { url } = await start('ee');
  const look = async (where: Locator, name: string) =>
    expect.soft(where, told).toHaveScreenshot(`${name}.png`, {
      maxDiffPixelRatio,
      timeout: 10_000,
      // How a day is spelled there is the machine's affair.
      mask: [page.locator('input[type="date"]')],
    });
  const visit = async () => {
    await page.goto(`${url}${address}`);
    await settle(page);
  };
  for (const [name, size, media] of [
    ['light', wide, { colorScheme: 'light', forcedColors: 'none' }],
    ['dark', wide, { colorScheme: 'dark', forcedColors: 'none' }],
    ['narrow', narrow, { colorScheme: 'light', forcedColors: 'none' }],
    ['forced', wide, { colorScheme: 'light', forcedColors: 'active' }],
  ] as const) {
    await page.setViewportSize(size);
    await page.emulateMedia(media);
    await visit();
    for (const sample of await samples(page)) {
      if (name === 'forced' && !['buttons', 'statuses', 'messages', 'refused', 'week'].includes(sample)) continue;
      await look(page.locator(`[data-sample="${sample}"]`), `${sample}-${name}`);
    }
  }
  await page.setViewportSize(wide);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, forcedColors: 'none' });
    for (const [state, pseudo] of Object.entries({ hover: ['hover'], active: ['hover', 'active'], focus: ['focus', 'focus-visible'] })) {
      for (const sample of ['buttons', 'fields', 'navigation']) {
        if (state === 'active' && sample !== 'buttons') continue;
        await visit();
        await force(page, sample, pseudo);
        await look(page.locator(`[data-sample="${sample}"]`), `${sample}-${state}-${colorScheme}`);
      }
    }
  }
  if (renewing) writeFileSync(drawnWith, `${browser.version()}\n`);
  expect(existsSync(drawnWith), renew).toBe(true);
});

test('a component that looks otherwise is found', async ({ start, page, browser }, info) => {
  test.skip(info.config.updateSnapshots === 'all' || info.config.updateSnapshots === 'changed', 'it would be kept');
  const { maxDiffPixelRatio } = exactly(browser);
  const { url } = await start('ee');
  await page.setViewportSize(wide);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${url}${address}`);
  await settle(page);
  const buttons = page.locator('[data-sample="buttons"]');
  const same = () => expect(buttons).toHaveScreenshot('buttons-light.png', { maxDiffPixelRatio, timeout: 3_000 });
  await same();
  await buttons.locator('[data-state="rest"]').first().evaluate((button) => { button.style.backgroundColor = 'rgb(168, 18, 63)'; });
  await expect(same()).rejects.toThrow(/screenshot/i);
});
