// What sync did, for an administrator: filtered, opened, tried again, taken away; with the keyboard alone, and without a script.
import { readFileSync } from 'node:fs';
import { connect } from './connections.js';
import { accessible, admin, expect, hydrated, leave, signIn, test } from './daybind.js';
import { done, hands, noTrap } from './keyboard.js';

const activity = '/msp/operations?view=activity';

test('K10 filter activity, open a sync, try again and close in ee; K11 export CSV of it', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  await connect(page, daybind.url);
  await leave(page);
  const { press, choose, type, signIn: enter } = hands(page, 'K10 ee');
  await enter(daybind.url, admin);
  await press(page.getByRole('link', { name: 'Operations' }));
  await hydrated(page);
  await press(page.getByRole('link', { name: 'Activity' }));
  await expect(page.getByRole('heading', { level: 1, name: 'Activity' })).toBeVisible();
  await expect(page).toHaveTitle('Activity · Daybind');
  await type('Person, account or calendar', 'tess');
  await choose('Result', 'Something was changed');
  await press(page.getByRole('button', { name: 'Filter' }));
  await expect(page).toHaveURL(/find=tess.*result=changed/);
  await hydrated(page);
  await accessible(page);
  await press(page.locator('tbody th a').first());
  await expect(page).toHaveURL(/run=/);
  const opened = page.getByRole('region', { name: /^Tess Technician, / });
  await expect(opened.getByText('Added to Outlook of Tess Technician').first()).toBeVisible();
  await expect(opened.getByRole('link', { name: 'Replace switch at Contoso' })).toBeVisible();
  await accessible(page);
  await press(opened.getByRole('link', { name: 'Close' }));
  await expect(opened).toHaveCount(0);
  await page.goBack();
  await expect(opened).toBeVisible();
  const download = page.waitForEvent('download');
  await press(page.getByRole('button', { name: 'Download as CSV' }), 'Space');
  const lines = readFileSync(await (await download).path(), 'utf8').trim().split('\r\n');
  expect(lines.length).toBeGreaterThan(1);
  expect(lines[1]).toContain('Tess Technician');
  await press(opened.getByRole('button', { name: 'Sync this calendar now' }));
  await done(page, 'A sync of 1 connection has been started.');
  await press(page.getByRole('link', { name: 'What its syncs did' }));
  await expect(page.getByText('Only the syncs of one connection are shown.')).toBeVisible();
  await noTrap(page);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('activity is filtered and opened by plain forms and links', async ({ fakes, start, page }) => {
    const daybind = await start('ee', { providers: true, env: fakes.env });
    await connect(page, daybind.url);
    await leave(page);
    await signIn(page, daybind.url, admin);
    await page.goto(`${daybind.url}${activity}`);
    await page.getByLabel('Result').selectOption('Failed');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect(page.getByText('No sync matches these filters')).toBeVisible();
    await page.getByRole('link', { name: 'Clear filters' }).first().click();
    await page.locator('tbody th a').first().click();
    await expect(page.getByRole('region', { name: /^Tess Technician, / })).toBeVisible();
    await page.getByRole('button', { name: 'Sync this calendar now' }).click();
    await expect(page.getByText('A sync of 1 connection has been started.')).toBeVisible();
  });
});
