// Every page in narrow windows, with large text, with text spread out, light and dark: nothing sticks out sideways or is cut off, every control can be
// reached, and axe finds nothing.
import AxeBuilder from '@axe-core/playwright';
import { type Page } from '@playwright/test';
import { type Edition, expect, test } from './daybind.js';
import { everyPage } from './pages.js';

/** Whatever sticks out of the window: the page as a whole, and each control that is shown. */
async function sticksOut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) {
      const culprits = [...document.querySelectorAll('body *')]
        .filter((element) => element.getBoundingClientRect().right > width + 1 && getComputedStyle(element).position !== 'absolute')
        .map((element) => element.outerHTML.slice(0, 120));
      found.push(`the page is ${document.documentElement.scrollWidth} wide, the window ${width}: ${culprits.slice(-3).join(' | ')}`);
    }
    for (const control of document.querySelectorAll('a, button, input:not([type="hidden"]), select, textarea, summary')) {
      const { left, right, width: own, height } = control.getBoundingClientRect();
      // Not shown, folded away, or shown when it gets the focus.
      if (own < 2 || height < 2 || control.matches('.db-skip, .db-visually-hidden')) continue;
      if (left < -1 || right > width + 1) found.push(`from ${left} to ${right}: ${control.outerHTML.slice(0, 120)}`);
    }
    return found;
  });
}

/** Letters, words, lines and paragraphs as far apart as WCAG 2.2, 1.4.12 asks for; what is cut off or lies over something else then. */
async function spaced(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
      p { margin-block-end: 2em !important; }`);
    document.adoptedStyleSheets.push(sheet);
    const found: string[] = [];
    for (const element of document.querySelectorAll<HTMLElement>('body *')) {
      const style = getComputedStyle(element);
      const text = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
      if (!text || !element.checkVisibility({ checkVisibilityCSS: true }) || element.closest('.db-visually-hidden, .db-skip')) continue;
      const hides = [style.overflowX, style.overflowY].some((way) => way === 'hidden' || way === 'clip');
      // An entry in the week's grid is as tall as it is long; its whole text is in its name and in the agenda.
      if (hides && !element.closest('.db-grid') && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1)) {
        found.push(`cut off: ${element.outerHTML.slice(0, 120)}`);
      }
    }
    for (const control of document.querySelectorAll<HTMLElement>('.db-btn, .db-tabs a, .db-rail a, label, summary')) {
      if (control.checkVisibility() && control.scrollWidth > control.clientWidth + 1 && getComputedStyle(control).display !== 'inline') {
        found.push(`out of its control: ${control.outerHTML.slice(0, 120)}`);
      }
    }
    return found;
  });
}

/** What moves for longer than a blink although its reader wants nothing to move. */
async function moves(page: Page): Promise<string[]> {
  return page.evaluate(() => document.getAnimations().filter((one) => {
    const keys = (one.effect as KeyframeEffect).getKeyframes();
    return keys.some((key) => 'transform' in key || 'rotate' in key || 'translate' in key || 'scale' in key)
      && Number(one.effect?.getComputedTiming().activeDuration ?? 0) > 80;
  }).map((one) => `moves: ${((one.effect as KeyframeEffect).target as Element).outerHTML.slice(0, 120)}`));
}

async function barriers(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' | ')}`);
}

const windows: { name: string; width: number; height: number; text: number }[] = [
  { name: '1280 pixels', width: 1280, height: 1024, text: 16 },
  { name: '320 pixels', width: 320, height: 640, text: 16 },
  // What a window of 1280 pixels is when the page is shown at 200 %.
  { name: '200 % zoom', width: 640, height: 512, text: 16 },
  // Text alone, as set in the browser's own settings.
  { name: 'text twice as large', width: 1280, height: 1024, text: 32 },
];

for (const edition of ['ce', 'ee'] as const satisfies readonly Edition[]) {
  test(`every page of ${edition} fits 320 pixels, 200 % zoom and text twice as large, light and dark`, async ({ fakes, start, page }) => {
    test.setTimeout(600_000);
    const daybind = await start(edition, { env: fakes.env });
    const found: string[] = [];
    let pages = 0;
    await everyPage(page, daybind, edition, fakes, async (shown, path) => {
      pages += 1;
      const browser = await shown.context().newCDPSession(shown);
      const note = (where: string, what: string[]) => found.push(...what.map((one) => `${path}, ${where}: ${one}`));
      for (const { name, width, height, text } of windows) {
        await shown.setViewportSize({ width, height });
        await browser.send('Page.setFontSizes', { fontSizes: { standard: text, fixed: text } });
        note(name, await sticksOut(shown));
        // The narrowest and the widest layout hold all there is.
        if (width === 320) note('light', await barriers(shown));
        if (width === 1280 && text === 16) {
          await shown.emulateMedia({ colorScheme: 'dark' });
          note('dark', await barriers(shown));
          await shown.emulateMedia({ colorScheme: 'light' });
        }
      }
      await browser.send('Page.setFontSizes', { fontSizes: { standard: 16, fixed: 13 } });
      await shown.emulateMedia({ reducedMotion: 'reduce' });
      note('without motion', await moves(shown));
      await shown.emulateMedia({ reducedMotion: 'no-preference' });
      // Last, for the page keeps it: narrow, where there is least room for it.
      await shown.setViewportSize({ width: 320, height: 640 });
      note('text spread out', [...await spaced(shown), ...await sticksOut(shown)]);
      await shown.evaluate(() => { document.adoptedStyleSheets = []; });
      await browser.detach();
      await shown.setViewportSize({ width: 1280, height: 720 });
    });
    expect(found).toEqual([]);
    expect(pages).toBeGreaterThan(edition === 'ce' ? 40 : 45);
  });
}

test('what sticks out, is cut off or moves is found', async ({ start, page }) => {
  const daybind = await start('ce');
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto(`${daybind.url}/auth/msp/signin`);
  expect(await sticksOut(page)).toEqual([]);
  await page.getByRole('button', { name: 'Continue' }).evaluate((button) => { button.style.minWidth = '400px'; });
  expect(await sticksOut(page)).not.toEqual([]);
  expect(await spaced(page)).toEqual([]);
  await page.getByRole('heading', { level: 1 }).evaluate((heading) => {
    heading.style.cssText = 'overflow: hidden; white-space: nowrap; inline-size: 3em';
    heading.animate({ transform: ['none', 'rotate(1turn)'] }, { duration: 1000 });
  });
  expect(await spaced(page)).not.toEqual([]);
  expect(await moves(page)).not.toEqual([]);
});
