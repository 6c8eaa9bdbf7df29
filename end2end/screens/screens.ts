// Takes a picture of every screen: light and dark, 1280 and 320 pixels wide, both editions.
import { join, resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { disagree } from '../tests/conflicts.js';
import { admin, expect, hydrated, signIn, technician, test } from '../tests/daybind.js';

const target = process.env.DAYBIND_SCREENS ?? resolve(import.meta.dirname, '../../docs/screens');

/** One page in its four looks. */
async function shoot(page: Page, name: string): Promise<void> {
  await expect(page.getByText(/^Loading /)).toHaveCount(0);
  for (const scheme of ['light', 'dark'] as const) {
    for (const width of [1280, 320]) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: join(target, `${name}-${scheme}-${width}.png`), fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 900 });
}

const settings = '/msp/settings?tab=integrations&category=providers';

for (const edition of ['ce', 'ee'] as const) {
  test(`screens of ${edition}`, async ({ fakes, start, page }) => {
    const daybind = await start(edition, { providers: true, env: fakes.env });
    const visit = async (path: string, name: string) => {
      await page.goto(`${daybind.url}${path}`);
      await hydrated(page);
      await shoot(page, `${edition}-${name}`);
    };
    await visit('/auth/msp/signin', 'sign-in');
    await signIn(page, daybind.url, admin);
    await visit('/msp/schedule', 'schedule');
    await visit('/msp/schedule?as=agenda', 'schedule-agenda');
    await visit('/msp/schedule?entry=new', 'schedule-new');
    await visit(settings, 'providers');
    await visit(`${settings}&profile=new`, 'profile-new');
    await page.getByRole('link', { name: /step by step/ }).click();
    await hydrated(page);
    await expect(page.getByText(/^Step \d of 6/).first()).toBeVisible();
    await shoot(page, `${edition}-walkthrough`);
    await page.goto(`${daybind.url}${settings}`);
    // The Community demo has no profile.
    if (edition === 'ee') {
      await page.locator('main a[href*="profile="]:not([href*="profile=new"])').first().click();
      await page.waitForURL(/profile=/);
      await hydrated(page);
      await shoot(page, 'ee-profile-detail');
    }
    await visit(`${settings}&rebind=msp_sso`, 'rebind');
    await visit('/msp/settings?tab=integrations&category=login-domains', 'login-domains');
    await visit('/msp/settings?tab=integrations&category=sign-in', 'sign-in-requests');
    await visit('/msp/operations?view=audit', 'audit');
    await visit('/msp/profile?tab=profile', 'profile');
    await visit('/msp/profile?tab=security', 'security');
    if (edition === 'ee') {
      await visit('/msp/settings?tab=integrations&category=calendar', 'calendar-settings');
      await page.context().clearCookies();
      await signIn(page, daybind.url, technician);
      await visit('/msp/profile?tab=calendar', 'calendar-profile-empty');
      await page.getByRole('button', { name: /Connect Outlook/ }).click();
      await page.locator('#allow').first().click();
      await page.waitForURL(/calendarAuth=success/);
      await hydrated(page);
      await shoot(page, 'ee-calendar-profile-connected');
      const picker = page.getByLabel('Calendar', { exact: true });
      const calendar = await picker.locator('option:not([disabled])[value]:not([value=""])').first().getAttribute('value') ?? '';
      await picker.selectOption(calendar);
      await page.getByRole('button', { name: 'Show what the first sync will do' }).click();
      await page.getByText('Show the list').click();
      await shoot(page, 'ee-calendar-profile-preview');
      await page.getByRole('button', { name: 'Start syncing' }).click();
      await page.waitForTimeout(3_000);
      await visit('/msp/profile?tab=calendar', 'calendar-profile-working');
      await visit('/msp/schedule', 'schedule-synced');
      const connection = await page.goto(`${daybind.url}/msp/profile?tab=calendar`)
        .then(async () => page.locator('input[name="connection_id"]').first().getAttribute('value')) ?? '';
      const { address } = await disagree(page, daybind.url, fakes.url, connection, 'Visit Fabrikam, hall 3', 'Visit Fabrikam (moved)');
      await visit('/msp/profile?tab=calendar', 'calendar-profile-conflict');
      await visit(address.slice(daybind.url.length), 'calendar-chooser');
      await visit('/msp/profile?tab=calendar&view=conflicts', 'calendar-own-conflicts');
      await page.goto(`${daybind.url}/msp/schedule?as=agenda`);
      await page.getByRole('link', { name: /^Edit.*Fabrikam, hall/ }).first().click();
      await page.waitForURL(/entry=/);
      await hydrated(page);
      await expect(page.getByLabel('Title')).toBeVisible();
      await shoot(page, 'ee-schedule-entry');
      await page.getByRole('link', { name: /^Restore this version/ }).first().click();
      await page.waitForURL(/version=/);
      await expect(page.getByRole('button', { name: 'Restore this version' })).toBeVisible();
      await shoot(page, 'ee-entry-version');
      await page.context().clearCookies();
      await signIn(page, daybind.url, admin);
      await visit('/msp/settings?tab=integrations&category=calendar&view=conflicts', 'calendar-conflicts');
      await visit('/msp/settings?tab=integrations&category=calendar', 'calendar-coverage');
      await visit('/msp/settings?tab=integrations&category=calendar&show=without', 'calendar-without');
      await page.goto(`${daybind.url}/msp/settings?tab=integrations&category=calendar`);
      await page.locator('tbody th a').first().click();
      await page.waitForURL(/connection=/);
      await hydrated(page);
      await shoot(page, 'ee-calendar-connection');
      await visit('/msp/operations?view=health', 'health');
      await page.context().addCookies([{ name: 'daybind_language', value: 'de', url: daybind.url }]);
      await visit('/msp/operations?view=health', 'health-german');
      await visit('/msp/schedule', 'schedule-german');
      await page.context().addCookies([{ name: 'daybind_language', value: 'en', url: daybind.url }]);
      await visit('/msp/operations?view=activity', 'activity');
      await page.locator('tbody th a').first().click();
      await page.waitForURL(/run=/);
      await expect(page.getByRole('button', { name: 'Sync this calendar now' })).toBeVisible();
      await shoot(page, 'ee-activity-run');
    }
  });
}
