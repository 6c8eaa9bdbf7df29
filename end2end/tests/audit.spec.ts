import { readFileSync } from 'node:fs';
import { accessible, admin, expect, hydrated, signIn, technician, test } from './daybind.js';

for (const edition of ['ce', 'ee'] as const) {
  test(`the audit log says who, what, why and from where in ${edition} (M-44)`, async ({ start, page }) => {
    const daybind = await start(edition);
    await signIn(page, daybind.url, admin);
    const made = await page.request.post(`${daybind.url}/_fn/create_microsoft_profile`, {
      form: {
        display_name: '=cmd|calc', client_id: '22222222-2222-4222-8222-222222222222',
        directory_id: '11111111-1111-4111-8111-111111111111', client_secret: 'q8Q~a-real-looking-secret-wxyz',
      },
    });
    expect(made.ok()).toBe(true);
    await page.goto(`${daybind.url}/msp/schedule`);
    await hydrated(page);
    await page.getByRole('link', { name: 'Operations' }).click();
    await expect(page).toHaveURL(/\/msp\/operations\?view=audit$/);
    await expect(page.getByRole('heading', { level: 1, name: 'Audit log' })).toBeVisible();
    const row = page.getByRole('row').filter({ hasText: 'Profile created' });
    await expect(row).toContainText('Ada Admin');
    await expect(row).toContainText('127.0.0.1');
    await expect(row).toContainText('Client secret: changed');
    await accessible(page);

    await page.getByLabel('What', { exact: true }).selectOption('profile.created');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect(page).toHaveURL(/action=profile\.created/);
    await expect(page.locator('tbody tr')).toHaveCount(1);
    await hydrated(page);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download as CSV' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe('daybind-audit.csv');
    const text = readFileSync(await file.path(), 'utf8');
    expect(text.trim().split('\r\n')).toHaveLength(2);
    expect(text).not.toContain('q8Q~a-real-looking-secret');

    await page.goto(`${daybind.url}/msp/operations?view=audit&subject=nothing-like-it`);
    await expect(page.getByText('No change matches these filters')).toBeVisible();
    await page.getByRole('link', { name: 'Clear filters' }).first().click();
    await expect(page.locator('tbody tr').first()).toBeVisible();
  });
}

test('technicians do not read the audit log', async ({ start, page }) => {
  const daybind = await start('ce');
  await signIn(page, daybind.url, technician);
  await expect(page.getByRole('link', { name: 'Operations' })).toHaveCount(0);
  const csv = await page.request.post(`${daybind.url}/msp/operations/audit.csv`, { form: {} });
  expect(csv.status()).toBe(403);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  for (const edition of ['ce', 'ee'] as const) {
    test(`the audit log is filtered and taken away by plain forms in ${edition}`, async ({ start, page }) => {
      const daybind = await start(edition);
      await signIn(page, daybind.url, admin);
      const made = await page.request.post(`${daybind.url}/_fn/create_microsoft_profile`, {
        form: {
          display_name: 'Contoso', client_id: '22222222-2222-4222-8222-222222222222',
          directory_id: '11111111-1111-4111-8111-111111111111', client_secret: 'q8Q~a-real-looking-secret-wxyz',
        },
      });
      expect(made.ok()).toBe(true);
      await page.getByRole('link', { name: 'Operations' }).click();
      await page.getByLabel('What', { exact: true }).selectOption({ label: 'Profile created' });
      await page.getByRole('button', { name: 'Filter' }).click();
      await expect(page).toHaveURL(/action=profile\.created/);
      await expect(page.locator('tbody tr')).toHaveCount(1);
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download as CSV' }).click();
      const lines = readFileSync(await (await download).path(), 'utf8').trim().split('\r\n');
      expect(lines).toHaveLength(2);
      expect(lines[1]).toContain('profile.created');
      await page.getByRole('link', { name: 'Clear filters' }).click();
      await expect(page.getByRole('row').filter({ hasText: 'Signed in' }).first()).toBeVisible();
    });
  }
});
