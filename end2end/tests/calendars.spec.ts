// One's own calendars, from the first connection to the last, with the keyboard alone. Without the program: plain.spec.ts.
import { connect } from './connections.js';
import { accessible, admin, expect, hydrated, leave, signIn, technician, test } from './daybind.js';
import { consent, done, hands, noTrap, sized, sizes, whole } from './keyboard.js';

const calendars = '/msp/profile?tab=calendar';

for (const size of sizes) {
  sized(size, () => {
    test(`K7 connect Outlook: what it asks for, consent, choose a calendar, preview, start, in ee${size}`, async ({ fakes, start, page }) => {
      const daybind = await start('ee', { providers: true, env: fakes.env });
      const { press, choose, signIn: enter } = hands(page, `K7 ee${size}`);
      await enter(daybind.url, technician);
      await press(page.getByRole('link', { name: 'Profile' }).first());
      await hydrated(page);
      await press(page.getByRole('navigation', { name: 'Profile' }).getByRole('link', { name: 'Calendar' }));
      await press(page.getByText('What Daybind asks Outlook for'));
      await expect(page.getByText('Calendars.ReadWrite', { exact: false })).toBeVisible();
      await whole(page);
      await press(page.getByRole('button', { name: 'Connect Outlook' }));
      await consent(page);
      await page.waitForURL(/calendarAuth=success/);
      // Whoever comes back goes on at the heading.
      await expect(page.getByRole('heading', { level: 1, name: 'Calendar' })).toBeFocused();
      await hydrated(page);
      const free = page.getByLabel('Calendar', { exact: true }).locator('option:not([disabled])[value]:not([value=""])').first();
      await choose('Calendar', (await free.innerText()).trim());
      await press(page.getByRole('button', { name: 'Show what the first sync will do' }));
      await expect(page.getByText('The first sync will')).toBeVisible();
      await hydrated(page);
      await whole(page);
      await press(page.getByText('Show the list'), 'Space');
      await expect(page.getByRole('row', { name: /Replace switch at Contoso/ })).toBeVisible();
      await press(page.getByRole('button', { name: 'Start syncing' }));
      await done(page, 'Calendar and direction are saved.');
      if (size === '') await accessible(page);
      await noTrap(page);
    });
  });
}

test('K8 reconnect in ee after the account has let nobody in', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  await connect(page, daybind.url);
  for (const what of ['revoke-grants', 'expire-access-tokens']) {
    expect((await page.request.post(`${fakes.url}/_control/microsoft/${what}`)).ok()).toBe(true);
  }
  await leave(page);
  const { press, signIn: enter } = hands(page, 'K8 ee');
  await enter(daybind.url, technician);
  await press(page.getByRole('link', { name: 'Profile' }).first());
  await hydrated(page);
  await press(page.getByRole('navigation', { name: 'Profile' }).getByRole('link', { name: 'Calendar' }));
  const asked = page.waitForResponse(/sync_calendar_provider/);
  await press(page.getByRole('button', { name: 'Sync now' }));
  expect((await asked).ok()).toBe(true);
  const reconnect = page.getByRole('button', { name: 'Reconnect' });
  await expect.poll(async () => {
    await page.goto(`${daybind.url}${calendars}`);
    return reconnect.count();
  }).toBe(1);
  await expect(page.getByText('The account no longer lets Daybind in.', { exact: false })).toBeVisible();
  await hydrated(page);
  await accessible(page);
  await press(reconnect);
  await consent(page);
  await page.waitForURL(/calendarAuth=success/);
  await expect(page.getByRole('heading', { level: 1, name: 'Calendar' })).toBeFocused();
  await expect.poll(async () => {
    await page.goto(`${daybind.url}${calendars}`);
    return page.getByText('Everything is in step.').count();
  }).toBe(1);
  await hydrated(page);
  await noTrap(page);
});

test('a sync that failed is found in activity, and in the log by its name', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  await connect(page, daybind.url);
  const fault = { operation: 'microsoft.view.delta', count: 1, kind: 'status', status: 404 };
  expect((await page.request.post(`${fakes.url}/_control/faults`, { data: fault })).ok()).toBe(true);
  await hydrated(page);
  const asked = page.waitForResponse(/sync_calendar_provider/);
  await page.getByRole('button', { name: 'Sync now' }).click();
  expect((await asked).ok()).toBe(true);
  await leave(page);
  await signIn(page, daybind.url, admin);
  const failed = page.locator('tbody th a');
  await expect.poll(async () => {
    await page.goto(`${daybind.url}/msp/operations?view=activity&result=failed`);
    return failed.count();
  }).toBe(1);
  await expect(page.getByText('The calendar is not in the account any more.', { exact: false }).first()).toBeVisible();
  await failed.click();
  await page.waitForURL(/run=/);
  const run = new URL(page.url()).searchParams.get('run') ?? '';
  expect(run).toMatch(/^[0-9a-f-]{36}$/);
  expect(daybind.log()).toContain(run);
  await page.goto(`${daybind.url}/msp/operations?view=health`);
  await hydrated(page);
  await expect(page.getByText('Tess Technician has a calendar that has been failing', { exact: false })).toBeVisible();
  await accessible(page);
  await page.getByRole('link', { name: 'Show them' }).click();
  await expect(page.getByRole('heading', { name: 'Connections that need attention' })).toBeVisible();
});
