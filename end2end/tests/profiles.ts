// What the journeys over Microsoft profiles share.
import { type Locator, type Page } from '@playwright/test';
import { expect } from './daybind.js';

export const providers = '/msp/settings?tab=integrations&category=providers';

/** The app registration the stand-in Microsoft knows, and a secret it does not know. */
export const application = '22222222-2222-4222-8222-222222222222';
export const directory = '11111111-1111-4111-8111-111111111111';
export const secret = 'demo-microsoft-secret';
export const wrong = 'q8Q~a-real-looking-secret-wxyz';

/** A part of a page by its heading. */
export const section = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true });

/** A row of a table by its heading. */
export const row = (page: Page, name: RegExp): Locator =>
  page.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) });

export async function heading(page: Page, name: string): Promise<void> {
  await expect(page.getByRole('heading', { level: 1, name, exact: true })).toBeVisible();
}

/** Fills the form for a new profile and sends it. */
export async function enter(page: Page, name: string, clientId: string, value: string): Promise<void> {
  await page.getByLabel('Display name').fill(name);
  await page.getByLabel('Application (client) ID').fill(clientId);
  await page.getByLabel('Directory (tenant) ID').fill(directory);
  await page.getByLabel('Client secret value').fill(value);
  await page.getByRole('button', { name: 'Save profile' }).click();
}

/** Nothing sticks out sideways. */
export async function fits(page: Page): Promise<void> {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(content, `${page.url()} is ${content} wide, the window ${window}`).toBeLessThanOrEqual(window!);
}

/** Goes on with Tab until `target` has the focus, and tells how often. Wherever the focus is on the way, it can be seen. */
export async function tabTo(page: Page, target: Locator): Promise<number> {
  await expect(target).toBeVisible();
  let rounds = 0;
  for (let steps = 1; steps <= 120; steps += 1) {
    await page.keyboard.press('Tab');
    // Behind the last control comes the browser's own bar, and then the page from its top.
    if (await page.evaluate(() => document.activeElement === document.body)) {
      rounds += 1;
      if (rounds === 2) break;
      continue;
    }
    await expect.poll(() => page.evaluate(() => {
      const at = document.activeElement;
      if (!at || at === document.body) return 'nothing has the focus';
      const style = getComputedStyle(at);
      const { top, bottom, left, right } = at.getBoundingClientRect();
      const middle = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      // The button inside a date field is the browser's own, and so is its ring.
      const browsers = at.matches('input[type^="date"]:not(:focus)');
      const ring = browsers || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2);
      const shown = middle !== null && (at.contains(middle) || middle.contains(at));
      return ring && shown ? 'seen' : `not seen: ${at.outerHTML.slice(0, 200)}`;
    }), { timeout: 5_000 }).toBe('seen');
    if (await target.evaluate((element) => element === document.activeElement)) return steps;
  }
  throw new Error(`no way there with Tab: ${target}`);
}
