// Hands that have nothing but a keyboard.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Locator, type Page } from '@playwright/test';
import { expect, hydrated, password, test } from './daybind.js';
import { tabTo } from './profiles.js';

export interface Hands {
  /** Goes on with Tab until the target has the focus, and presses a key there. */
  press(target: Locator, key?: string): Promise<void>;
  /** Goes to a field and types over what it holds. */
  type(label: string, text: string): Promise<void>;
  /** Goes to a field for a date and a time of day, and types both into its parts: `2027-03-04T14:00`. */
  date(label: string, value: string): Promise<void>;
  /** Goes to a drop-down list and types the beginning of a choice. */
  choose(label: string, text: string): Promise<void>;
  signIn(url: string, email: string): Promise<void>;
}

// How many times Tab is pressed to each step of a journey: `{ journey: { step: presses } }`, as measured.
const file = join(import.meta.dirname, 'tab-budget.json');
type Budgets = Record<string, Record<string, number>>;
const kept = (): Budgets => JSON.parse(readFileSync(file, 'utf8'));
/** A step may take so many more than when it was measured. */
const slack = 3;
const renew = 'DAYBIND_TAB_BUDGET=write npx playwright test measures anew';

/** Holds a step to what it took before; writes down what it takes now where that is wished. Of steps alike, the longest counts. */
function spend(journey: string, step: string, presses: number, taken: Record<string, number>): void {
  taken[step] = Math.max(presses, taken[step] ?? 0);
  if (process.env.DAYBIND_TAB_BUDGET === 'write') {
    const budgets = { ...kept(), [journey]: taken };
    const sorted = Object.fromEntries(Object.entries(budgets).sort(([one], [other]) => (one < other ? -1 : 1)));
    writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
    return;
  }
  const allowed = (kept()[journey]?.[step] ?? Number.NaN) + slack;
  expect(allowed, `${journey}: tab-budget.json has no “${step}”; ${renew}`).not.toBeNaN();
  expect(presses, `${journey}: presses of Tab to “${step}”; if that is meant, ${renew}`).toBeLessThanOrEqual(allowed);
}

/** The hands for a journey. With its name, each of its steps is held to its budget of presses. */
export function hands(page: Page, journey?: string): Hands {
  const { keyboard } = page;
  const taken: Record<string, number> = {};
  /** Which document a key was last pressed in. */
  let last = 0;
  const go = async (target: Locator, step: string) => {
    // Whoever did something stands somewhere in the page afterwards; a page that was loaded begins at its top.
    const at = async () => page.evaluate(() => ({ body: document.activeElement === document.body, origin: performance.timeOrigin }));
    await expect.poll(async () => {
      const { body, origin } = await at();
      return body && origin === last;
    }, { message: `nothing had the focus before “${step}”` }).toBe(false);
    const presses = await tabTo(page, target);
    last = await page.evaluate(() => performance.timeOrigin);
    if (journey) spend(journey, step, presses, taken);
  };
  const press = async (target: Locator, key = 'Enter') => {
    await go(target, String(target));
    await keyboard.press(key);
  };
  const field = (label: string) => page.getByLabel(label, { exact: true });
  const type = async (label: string, text: string) => {
    await go(field(label), label);
    await keyboard.press('Control+A');
    await keyboard.type(text);
  };
  return {
    press,
    type,
    date: async (label, value) => {
      await go(field(label), label);
      // The parts of an English field: month, day, year of up to six digits, hour, minute, half of the day.
      const [, year, month, day, hour, minute] = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+)$/.exec(value)!;
      await keyboard.type(`${month}${day}${year}`);
      await keyboard.press('ArrowRight');
      await keyboard.type(`${String(((Number(hour) + 11) % 12) + 1).padStart(2, '0')}${minute}${Number(hour) < 12 ? 'a' : 'p'}`);
      await expect(field(label)).toHaveValue(value);
    },
    choose: async (label, text) => {
      const list = field(label);
      await go(list, label);
      await keyboard.type(text);
      await expect.poll(async () => (await list.locator('option:checked').innerText()).trim().startsWith(text), { message: `“${text}” is chosen` }).toBe(true);
    },
    signIn: async (url, email) => {
      await page.goto(`${url}/auth/msp/signin?step=password`);
      await hydrated(page);
      await type('Work email', email);
      await type('Password', password);
      await keyboard.press('Enter');
      await page.waitForURL(/\/msp\/schedule/);
      await hydrated(page);
    },
  };
}

/** Nothing on the page holds the focus: Tab leads out behind its end, and Shift with Tab before its beginning. */
export async function noTrap(page: Page): Promise<void> {
  for (const key of ['Tab', 'Shift+Tab']) {
    let out = false;
    for (let presses = 0; presses < 250 && !out; presses += 1) {
      await page.keyboard.press(key);
      out = await page.evaluate(() => document.activeElement === document.body);
    }
    expect(out, `${key} leads out of ${page.url()}`).toBe(true);
  }
  // In again, at the page's top.
  await page.keyboard.press('Tab');
}

/** What was done has said so, and whoever did it has not been thrown out of the page's order. */
export async function done(page: Page, text: string): Promise<void> {
  await expect(page.getByRole('main').getByText(text, { exact: false }).first()).toBeVisible();
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName), { message: `the focus after “${text}”` })
    .not.toBe('BODY');
}

/** What is wrong is read first; its link leads to the field. */
export async function refused(page: Page, text: string): Promise<Locator> {
  const summary = page.getByRole('alert').filter({ hasText: text });
  await expect(summary).toBeFocused();
  return summary;
}

/** How large things are shown: as usual, and twice as large by the page's zoom or by the text's own size. */
export const sizes = ['', ' at 200 % zoom', ' with text twice as large'] as const;
export type Size = (typeof sizes)[number];

/** Declares journeys that are gone at one of the sizes. */
export function sized(size: Size, declare: () => void): void {
  test.describe(() => {
    // What a window of 1280 pixels is when the page is shown at 200 %.
    if (size === ' at 200 % zoom') test.use({ viewport: { width: 640, height: 512 }, deviceScaleFactor: 2 });
    if (size === ' with text twice as large') {
      test.beforeEach(async ({ page }) => {
        const browser = await page.context().newCDPSession(page);
        await browser.send('Page.setFontSizes', { fontSizes: { standard: 32, fixed: 32 } });
      });
    }
    declare();
  });
}

/** Nothing sticks out sideways, whatever the size. */
export async function whole(page: Page): Promise<void> {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect(content, `${page.url()} is ${content} wide, the window ${window}`).toBeLessThanOrEqual(window!);
}

/** On the stand-in provider's page: the account it is called for, and yes. */
export async function consent(page: Page): Promise<void> {
  const allow = page.locator('#allow');
  await expect(allow).toBeVisible();
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press('Tab');
    if (await allow.evaluate((button) => button === document.activeElement)) {
      await page.keyboard.press('Enter');
      return;
    }
  }
  throw new Error('no way to “Allow” with Tab');
}
