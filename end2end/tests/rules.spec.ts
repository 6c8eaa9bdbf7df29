// What administrators and technicians are told before a calendar is connected: the rules of sync in plain words, which profile
// each connection uses, and whom to ask for what is missing. By plain forms, and with WebAssembly.
import { type Page } from '@playwright/test';
import { connect } from './connections.js';
import { accessible, admin, expect, hydrated, leave, signIn, technician, test } from './daybind.js';

const settings = '/msp/settings?tab=integrations&category=calendar';
const profile = '/msp/profile?tab=calendar';

/** What the card says about something. */
const rule = (page: Page, about: string) =>
  page.getByRole('region', { name: 'Rules' }).locator('dt', { hasText: about }).locator('xpath=following-sibling::dd[1]');

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with WebAssembly' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled: scripts });
    const ready = async (page: Page) => {
      if (!scripts) return;
      await hydrated(page);
      await accessible(page);
    };

    test('an administrator reads the rules and which profile each connection uses', async ({ fakes, start, page }) => {
      const { url } = await start('ee', { providers: true, env: fakes.env });
      await signIn(page, url, admin);
      await page.goto(`${url}${settings}`);
      await ready(page);
      await expect(rule(page, 'What comes in')).toContainText('events marked @daybind or @alga in title or notes');
      await expect(rule(page, 'Which days')).toContainText('from 30 days back to 365 days ahead');
      await expect(rule(page, 'Private events')).toContainText('“Busy”');
      await expect(rule(page, 'What colleagues see')).toContainText('when somebody is busy');
      await expect(rule(page, 'Deletions')).toContainText('more than 5 events and more than one in 10');
      await connect(page, url);
      await leave(page);
      await signIn(page, url, admin);
      await page.goto(`${url}${settings}`);
      await ready(page);
      // The profile that issued the connection is the one bound to Calendar.
      const bound = await page.getByText(/^Calendar uses the Microsoft profile/).innerText();
      const name = /“(.*)”/.exec(bound)?.[1] ?? '';
      expect(name).not.toBe('');
      await expect(page.getByRole('row', { name: /Tess Technician/ })).toContainText(`Microsoft profile “${name}”`);
      await page.setViewportSize({ width: 320, height: 640 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    });

    test('a technician takes along what to ask an administrator, who is led there', async ({ start, page }) => {
      const { url } = await start('ee');
      await signIn(page, url, technician);
      await page.goto(`${url}${profile}`);
      await ready(page);
      await expect(page.getByText('Outlook cannot be connected yet. Calendar is not bound to a Microsoft profile.', { exact: false })).toBeVisible();
      // Nothing to press that could do nothing.
      await expect(page.getByRole('button', { name: /^Connect/ })).toHaveCount(0);
      const messages = page.locator('.db-copyfield__value');
      await expect(messages).toHaveCount(2);
      const outlook = messages.filter({ hasText: 'Outlook' });
      const text = await outlook.innerText();
      const there = `${url}/msp/settings?tab=integrations&category=providers&rebind=calendar`;
      expect(text).toBe('I would like to connect Outlook in Daybind, but it cannot be connected yet. '
        + `Calendar is not bound to a Microsoft profile. Could you set it up here? ${there}`);
      // One click takes hold of all of it, whether or not there is a button.
      expect(await outlook.evaluate((value) => getComputedStyle(value).userSelect)).toBe('all');
      const button = page.getByRole('button', { name: 'Copy Message for your administrator' });
      if (scripts) {
        await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url });
        await button.last().click();
        await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(text);
      } else {
        await expect(button).toHaveCount(0);
      }
      await page.setViewportSize({ width: 320, height: 640 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);

      // The administrator who follows the address is where the profile is chosen, and needs no message of their own.
      await leave(page);
      await signIn(page, url, admin);
      await page.goto(there);
      await expect(page.getByRole('heading', { name: 'Choose a profile for Calendar' })).toBeVisible();
      await page.goto(`${url}${profile}`);
      await ready(page);
      await expect(page.locator('.db-copyfield')).toHaveCount(0);
      await expect(page.getByRole('link', { name: 'Set it up' })).toHaveCount(2);
      await page.getByRole('link', { name: 'Set it up' }).last().click();
      await expect(page).toHaveURL(there);
    });
  });
}
