// An earlier version of an entry, from its history: with the keyboard alone, and without a script.
import { type Page } from '@playwright/test';
import { accessible, expect, hydrated, signIn, technician, test } from './daybind.js';
import { done, hands, refused } from './keyboard.js';

const week = '/msp/schedule?week=2027-03-01&as=agenda';

/** Saves an entry as its form would; the address of its form. */
async function saved(page: Page, url: string, form: Record<string, string>): Promise<string> {
  const answer = await page.request.post(`${url}/_fn/save_schedule_entry`, {
    form: { start: '2027-03-02T09:00', end: '2027-03-02T10:00', ...form },
  });
  expect(answer.ok(), await answer.text()).toBe(true);
  await page.goto(`${url}${week}`);
  return url + (await page.getByRole('link', { name: `Edit ${form.title}` }).getAttribute('href') ?? '');
}

/** What the form at that address would send, with another title. */
async function retitle(page: Page, url: string, address: string, title: string): Promise<string> {
  await page.goto(address);
  const value = async (name: string) => await page.locator(`input[name="${name}"]`).first().getAttribute('value') ?? '';
  return saved(page, url, {
    title, location: 'Hall 4', entry_id: await value('entry_id'), version: await value('version'), 'assignees[]': await tess(page),
  });
}

/** Her id, from an entry's form. */
async function tess(page: Page): Promise<string> {
  return await page.getByRole('checkbox', { name: 'Tess Technician' }).getAttribute('value') ?? '';
}

/** An entry that was planned and then changed; the address of its form. */
async function changed(page: Page, url: string): Promise<string> {
  await page.goto(`${url}/msp/schedule?entry=new`);
  const address = await saved(page, url, { title: 'Replace switch', location: 'Hall 3', 'assignees[]': await tess(page) });
  return retitle(page, url, address, 'Replace router');
}

test('an earlier version is restored with the keyboard', async ({ start, page }) => {
  const { url } = await start('ee');
  const { press, signIn: enter } = hands(page);
  await enter(url, technician);
  const address = await changed(page, url);
  await page.goto(address);
  await hydrated(page);
  const history = page.getByRole('region', { name: 'Why did this change?' });
  await press(history.getByText('Copy as text for a ticket'));
  await expect(history.getByText(/^Entry: Replace router/)).toBeVisible();
  await expect(history.getByRole('button', { name: 'Copy Text for a ticket' })).toBeVisible();
  await accessible(page);

  await press(history.getByRole('link', { name: /^Restore this version/ }));
  await expect(page.getByRole('heading', { level: 1, name: 'Restore an earlier version' })).toBeVisible();
  await hydrated(page);
  await expect(page.getByRole('row', { name: /^Title/ })).toContainText('Replace router');
  await expect(page.getByRole('row', { name: /^Location/ })).toContainText('Hall 3');
  await accessible(page);

  // Somebody changes it meanwhile: that is not written over, and the page says what it was.
  const [other, here] = [await page.context().newPage(), page.url()];
  await retitle(other, url, address, 'Replace firewall');
  await other.close();
  const restore = page.getByRole('button', { name: 'Restore this version' });
  await press(restore);
  await refused(page, 'Title from “Replace router” to “Replace firewall”');
  expect(page.url()).toBe(here);
  await expect(page.getByRole('row', { name: /^Title/ })).toContainText('Replace firewall');
  await accessible(page);

  await press(restore);
  await done(page, 'The earlier version is restored.');
  await expect(page.getByLabel('Title')).toHaveValue('Replace switch');
  await expect(page.getByLabel('Location (optional)')).toHaveValue('Hall 3');
  await expect(history.getByText(/^Tess Technician restored the version of /)).toBeVisible();
  await accessible(page);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('a version, and a deleted entry, come back by plain forms', async ({ start, page }) => {
    const { url } = await start('ee');
    await signIn(page, url, technician);
    const address = await changed(page, url);
    await page.goto(address);
    const history = page.getByRole('region', { name: 'Why did this change?' });
    await history.getByText('Copy as text for a ticket').click();
    await expect(history.getByText(/^Entry: Replace router/)).toBeVisible();
    await history.getByRole('link', { name: /^Restore this version/ }).click();
    await expect(page.getByRole('row', { name: /^Title/ })).toContainText('Replace switch');
    await page.getByRole('button', { name: 'Restore this version' }).click();
    await expect(page.getByText('The earlier version is restored.')).toBeVisible();
    await expect(page.getByLabel('Title')).toHaveValue('Replace switch');

    await page.getByText('Delete this entry').click();
    await expect(page.getByText('Its history can bring it back.', { exact: false })).toBeVisible();
    await page.getByRole('button', { name: 'Delete entry' }).click();
    await expect(page.getByText('The entry is deleted.')).toBeVisible();
    await page.getByRole('link', { name: 'Its history, to restore it' }).click();
    await expect(page.getByRole('heading', { name: 'History of an entry' })).toBeVisible();
    await expect(history.getByText(/^Tess Technician deleted it in Daybind$/)).toBeVisible();
    await history.getByRole('link', { name: /^Restore this version/ }).first().click();
    await expect(page.getByText('The entry is deleted. Restored, it is in the schedule again.')).toBeVisible();
    await page.getByRole('button', { name: 'Restore this version' }).click();
    await expect(page.getByText('The earlier version is restored.')).toBeVisible();
    await page.goto(`${url}${week}`);
    await expect(page.getByRole('link', { name: 'Edit Replace switch' })).toHaveCount(1);
  });

  test('Community has neither history nor versions', async ({ start, page }) => {
    const { url } = await start('ce');
    await signIn(page, url, technician);
    const answer = await page.request.post(`${url}/_fn/restore_schedule_entry_version`, {
      form: { version_id: '00000000-0000-4000-8000-000000000000', version: '1' },
    });
    expect(answer.status()).toBe(501);
    const address = await changed(page, url);
    await page.goto(`${address}&version=all`);
    await expect(page.getByRole('heading', { level: 1, name: 'Edit entry' })).toBeVisible();
    await expect(page.getByText('Why did this change?')).toHaveCount(0);
    await page.getByText('Delete this entry').click();
    await expect(page.getByText('This cannot be undone.', { exact: false })).toBeVisible();
  });
});
