// A form that is refused comes back as it was typed, where the browser sends forms itself; a secret does not.
import { type Page } from '@playwright/test';
import { accessible, admin, type Edition, expect, hydrated, signIn, test } from './daybind.js';
import { application, directory, enter, heading, providers, row, secret, section } from './profiles.js';

async function refusals(page: Page, url: string, look: (page: Page) => Promise<void>): Promise<void> {
  await page.goto(`${url}${providers}&profile=new`);
  await enter(page, 'Contoso', application, secret);
  // Whoever leaves at once may be gone before it is saved.
  await expect(page.getByText('The profile is saved.', { exact: false }).first()).toBeVisible();
  await page.goto(`${url}${providers}`);
  await row(page, /^Contoso$/).getByRole('link', { name: 'Contoso' }).click();
  await heading(page, 'Contoso');

  // The profile's own form: a plain one in either case.
  const identity = section(page, 'Identity');
  await identity.getByLabel('Display name').fill('Half "done"');
  await identity.getByLabel('Application (client) ID').fill('not a guid');
  await identity.getByLabel('Note for the audit log').fill('ticket 4711');
  await identity.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.locator('.db-error-summary')).toContainText('Some fields need another look.');
  await expect(identity.getByLabel('Display name')).toHaveValue('Half "done"');
  await expect(identity.getByLabel('Application (client) ID')).toHaveValue('not a guid');
  await expect(identity.getByLabel('Directory (tenant) ID')).toHaveValue(directory);
  await expect(identity.getByLabel('Note for the audit log')).toHaveValue('ticket 4711');
  await heading(page, 'Contoso');
  await look(page);
  // Mended where it stands, and saved.
  await identity.getByLabel('Application (client) ID').fill(application);
  await identity.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByText('The changes are saved.')).toBeVisible();
  await heading(page, 'Half "done"');

  // A secret is typed again, its date is not.
  await page.getByRole('link', { name: 'Rotate secret' }).click();
  await page.getByLabel('Client secret value').fill('with blanks in it');
  await page.getByLabel('Expires on').fill('2031-02-03');
  await page.getByRole('button', { name: 'Verify and keep beside the current one' }).click();
  await expect(page.locator('.db-error-summary')).toBeVisible();
  await expect(page.getByLabel('Client secret value')).toHaveValue('');
  await expect(page.getByLabel('Expires on')).toHaveValue('2031-02-03');
  expect(await page.content()).not.toContain('with blanks in it');
  await look(page);
}

async function entry(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/msp/schedule?entry=new`);
  await page.getByLabel('Title').fill('Visit');
  await page.getByLabel('Starts').fill('2026-11-02T10:00');
  await page.getByLabel('Ends').fill('2026-11-02T09:00');
  await page.getByLabel('Notes').fill('bring <cables>\nand a ladder');
  await page.getByRole('button', { name: 'Save entry' }).click();
  await expect(page.locator('.db-error-summary')).toBeVisible();
  await expect(page.getByLabel('Title')).toHaveValue('Visit');
  await expect(page.getByLabel('Ends')).toHaveValue('2026-11-02T09:00');
  await expect(page.getByLabel('Notes')).toHaveValue('bring <cables>\nand a ladder');
}

for (const edition of ['ce', 'ee'] as Edition[]) {
  test(`what was refused is still there (${edition})`, async ({ fakes, page, start }) => {
    const { url } = await start(edition, { env: fakes.env });
    await signIn(page, url, admin);
    await refusals(page, url, async (at) => {
      await hydrated(at);
      await accessible(at);
    });
    await entry(page, url);
  });
}

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });
  for (const edition of ['ce', 'ee'] as Edition[]) {
    test(`what was refused is still there without scripts (${edition})`, async ({ fakes, page, start }) => {
      const { url } = await start(edition, { env: fakes.env });
      await signIn(page, url, admin);
      await refusals(page, url, async () => {});
      await entry(page, url);
    });
  }
});
