import { type Page } from '@playwright/test';
import { accessible, admin, expect, hydrated, signIn, test } from './daybind.js';

const providers = '/msp/settings?tab=integrations&category=providers';

/** Two profiles, made the way any program may: the journeys here begin with the board. */
async function profiles(page: Page, url: string): Promise<void> {
  for (const [display_name, client_id] of [
    ['Contoso main', '22222222-2222-4222-8222-222222222222'],
    ['Contoso spare', '33333333-3333-4333-8333-333333333333'],
  ]) {
    const made = await page.request.post(`${url}/_fn/create_microsoft_profile`, {
      form: {
        display_name, client_id,
        directory_id: '11111111-1111-4111-8111-111111111111',
        client_secret: 'q8Q~a-real-looking-secret-wxyz',
      },
    });
    expect(made.ok()).toBe(true);
  }
}

const row = (page: Page, service: RegExp) =>
  page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: service }) });

async function choose(page: Page, profile: string): Promise<void> {
  await page.getByLabel('Profile', { exact: true }).selectOption({ label: profile });
  await page.getByRole('button', { name: 'Review the change' }).click();
  await expect(page.getByRole('heading', { name: /^Review the change of MSP SSO/ })).toBeVisible();
}

/** The whole journey: choose, review, confirm with a note, undo, unbind. */
async function journey(page: Page, url: string, ready: () => Promise<void>): Promise<void> {
  await page.goto(`${url}${providers}`);
  await ready();
  await row(page, /MSP SSO/).getByRole('link', { name: 'Choose a profile for MSP SSO' }).click();
  await choose(page, 'Contoso main');
  await ready();
  await expect(page.getByText('Whoever is signed in stays signed in.')).toBeVisible();
  await page.getByRole('button', { name: 'Use Contoso main for MSP SSO' }).click();
  await expect(row(page, /MSP SSO/)).toContainText('Contoso main');
  await expect(row(page, /MSP SSO/)).toContainText(/Changed by you at \d\d:\d\d/);

  await row(page, /MSP SSO/).getByRole('link', { name: 'Change for MSP SSO' }).click();
  await choose(page, 'Contoso spare');
  await ready();
  await page.getByLabel('Note for the audit log (optional)').fill('ticket 4711');
  await page.getByRole('button', { name: 'Use Contoso spare for MSP SSO' }).click();
  await expect(row(page, /MSP SSO/)).toContainText('Contoso spare');
  await ready();
  await page.getByRole('button', { name: 'Undo: use Contoso main for MSP SSO again' }).click();
  await expect(page.getByText('The change is taken back.')).toBeVisible();
  await expect(row(page, /MSP SSO/)).toContainText('Contoso main');
  await expect(page.getByRole('button', { name: /^Undo/ })).toHaveCount(0);

  await row(page, /MSP SSO/).getByRole('link', { name: 'Unbind MSP SSO' }).click();
  await expect(page.getByText('Signing in with Microsoft stops.', { exact: false })).toBeVisible();
  await ready();
  await page.getByRole('button', { name: 'Unbind MSP SSO' }).click();
  await expect(row(page, /MSP SSO/)).toContainText('Not connected');
}

for (const edition of ['ce', 'ee'] as const) {
  test(`a binding is reviewed, changed, taken back and lifted in ${edition} (W68)`, async ({ start, page }) => {
    const daybind = await start(edition, { database: edition === 'ee' ? 'postgres' : 'sqlite' });
    await signIn(page, daybind.url, admin);
    await profiles(page, daybind.url);
    await journey(page, daybind.url, async () => {
      await hydrated(page);
      await accessible(page);
    });
  });
}

test('somebody who changed it meanwhile is not overruled (M-08)', async ({ start, page }) => {
  const daybind = await start('ce');
  await signIn(page, daybind.url, admin);
  await profiles(page, daybind.url);
  await page.goto(`${daybind.url}${providers}&rebind=msp_sso`);
  const main = await page.locator('option', { hasText: 'Contoso main' }).getAttribute('value') ?? '';
  const spare = await page.locator('option', { hasText: 'Contoso spare' }).getAttribute('value') ?? '';
  await page.goto(`${daybind.url}${providers}&rebind=msp_sso&to=${main}`);
  const other = await page.request.post(`${daybind.url}/_fn/set_microsoft_consumer_binding`, {
    form: { consumer: 'msp_sso', profile_id: spare },
  });
  expect(other.ok()).toBe(true);
  const late = await page.request.post(`${daybind.url}/_fn/confirm_rebind`, {
    form: { consumer: 'msp_sso', profile_id: main, seen: 'unbound' },
  });
  expect(late.status()).toBe(409);
  expect(await late.json()).toMatchObject({ code: 'conflict' });
  await page.goto(`${daybind.url}${providers}`);
  await expect(row(page, /MSP SSO/)).toContainText('Contoso spare');
});

test('changing Calendar names what it does and touches no other service (W66)', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  await signIn(page, daybind.url, admin);
  await profiles(page, daybind.url);
  await page.goto(`${daybind.url}${providers}&rebind=calendar`);
  await hydrated(page);
  await accessible(page);
  // The demo's profile is the same application as this one.
  await page.getByLabel('Profile', { exact: true }).selectOption({ label: 'Contoso main' });
  await page.getByRole('button', { name: 'Review the change' }).click();
  await expect(page.getByText('Same application: nobody needs to reconnect.')).toBeVisible();
  await expect(page.getByText('Nobody has connected Outlook yet', { exact: false })).toBeVisible();
  await hydrated(page);
  await accessible(page);
  await page.getByRole('button', { name: 'Use Contoso main for Calendar' }).click();
  await expect(row(page, /^Calendar/)).toContainText('Contoso main');
  for (const other of [/^MSP SSO/, /^Email/, /^Teams/]) await expect(row(page, other)).toContainText('Not connected');
});

test('the review fits a narrow screen', async ({ start, page }) => {
  await page.setViewportSize({ width: 320, height: 700 });
  const daybind = await start('ce');
  await signIn(page, daybind.url, admin);
  await profiles(page, daybind.url);
  await page.goto(`${daybind.url}${providers}&rebind=msp_sso`);
  await choose(page, 'Contoso main');
  await hydrated(page);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  expect(wide).toBe(false);
});
