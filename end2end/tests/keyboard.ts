// Hands that have nothing but a keyboard.
import { type Locator, type Page } from '@playwright/test';
import { expect, hydrated, password } from './daybind.js';
import { tabTo } from './profiles.js';

export interface Hands {
  /** Goes on with Tab until the target has the focus, and presses a key there. */
  press(target: Locator, key?: string): Promise<void>;
  /** Goes to a field and types over what it holds. */
  type(label: string, text: string): Promise<void>;
  /** Goes to a drop-down list and types the beginning of a choice. */
  choose(label: string, text: string): Promise<void>;
  signIn(url: string, email: string): Promise<void>;
}

export function hands(page: Page): Hands {
  const { keyboard } = page;
  const press = async (target: Locator, key = 'Enter') => {
    await tabTo(page, target);
    await keyboard.press(key);
  };
  const type = async (label: string, text: string) => {
    await tabTo(page, page.getByLabel(label, { exact: true }));
    await keyboard.press('Control+A');
    await keyboard.type(text);
  };
  return {
    press,
    type,
    choose: async (label, text) => {
      const list = page.getByLabel(label, { exact: true });
      await tabTo(page, list);
      await keyboard.type(text);
      await expect(list.locator('option:checked')).toHaveText(new RegExp(`^${text}`));
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
