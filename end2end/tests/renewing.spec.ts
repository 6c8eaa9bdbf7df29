// An administrator has a connection's push subscription renewed before its time and reads what came of it; with the keyboard alone,
// without a script, and where no provider can reach Daybind.
import { type Page } from '@playwright/test';
import { connect } from './connections.js';
import { accessible, admin, expect, hydrated, leave, signIn, test } from './daybind.js';
import { done, hands } from './keyboard.js';

const calendars = '/msp/settings?tab=integrations&category=calendar';

/** Reads the page again until the worker has done it. */
async function renewed(page: Page, address: string): Promise<void> {
  await expect.poll(async () => {
    await page.goto(address);
    return page.getByText(/asked for it on .*: it was renewed\.$/).count();
  }).toBe(1);
  await expect(page.getByText(/^On, until .*, and renewed before\.$/)).toBeVisible();
}

test('an administrator renews a push subscription by keyboard', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const id = await connect(page, daybind.url);
  await leave(page);
  const { press, signIn: enter } = hands(page);
  await enter(daybind.url, admin);
  const one = `${daybind.url}${calendars}&connection=${id}`;
  await page.goto(one);
  await hydrated(page);
  await press(page.locator('summary', { hasText: 'Renew subscription' }));
  await accessible(page);
  await press(page.getByRole('button', { name: 'Renew subscription' }));
  await done(page, 'The push subscription of 1 connection is renewed now.');
  await renewed(page, one);
  await accessible(page);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('a push subscription is renewed by a plain form, once', async ({ fakes, start, page }) => {
    const daybind = await start('ee', { providers: true, env: fakes.env });
    const id = await connect(page, daybind.url, 'Google Calendar');
    await leave(page);
    await signIn(page, daybind.url, admin);
    const one = `${daybind.url}${calendars}&connection=${id}`;
    await page.goto(one);
    for (const label of ['Access', 'Push subscription', 'Last notification', 'Failures', 'Last full pass', 'Lag', 'Entries']) {
      await expect(page.locator('dt').getByText(label, { exact: true })).toBeVisible();
    }
    await expect(page.locator('dt').getByText('Renewal', { exact: true })).toHaveCount(0);
    for (let presses = 0; presses < 2; presses += 1) {
      await page.goto(one);
      await page.locator('summary', { hasText: 'Renew subscription' }).click();
      await expect(page.getByText(/which Daybind renews by itself\. Renew it now when/)).toBeVisible();
      await page.getByRole('button', { name: 'Renew subscription' }).click();
      await expect(page.getByText('The push subscription of 1 connection is renewed now.', { exact: false })).toBeVisible();
      await expect(page.locator('dt').getByText('Renewal', { exact: true })).toBeVisible();
    }
    await renewed(page, one);
    await page.goto(`${daybind.url}/msp/operations?view=audit`);
    await expect(page.locator('tbody tr', { hasText: `calendar_provider:${id}` }).filter({ hasText: 'Push subscription renewal asked for' }))
      .toHaveCount(1);

    // The same server at an address that no provider can reach.
    await daybind.restart('ee', { DAYBIND_PUBLIC_URL: 'http://daybind.example' });
    await page.goto(one);
    await expect(page.getByText(/^There is no push subscription to renew: this Daybind has no public https address/)).toBeVisible();
    await expect(page.getByRole('button', { name: 'Renew subscription', includeHidden: true })).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Sync now' })).toBeVisible();
  });
});
