// One's own calendars, from the first connection to the last: with the keyboard alone, and without a script.
import { connect } from './connections.js';
import { accessible, admin, expect, hydrated, leave, signIn, technician, test } from './daybind.js';
import { done, hands } from './keyboard.js';

const calendars = '/msp/profile?tab=calendar';

test('a calendar is connected by keyboard (K7)', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const { press, signIn: enter } = hands(page);
  await enter(daybind.url, technician);
  await press(page.getByRole('link', { name: 'Profile' }).first());
  await hydrated(page);
  await press(page.getByRole('navigation', { name: 'Profile' }).getByRole('link', { name: 'Calendar' }));
  await press(page.getByText('What Daybind asks Outlook for'));
  await expect(page.getByText('Calendars.ReadWrite', { exact: false })).toBeVisible();
  await press(page.getByRole('button', { name: 'Connect Outlook' }));
  await page.locator('#allow').first().press('Enter');
  await page.waitForURL(/calendarAuth=success/);
  await hydrated(page);
  await press(page.getByRole('button', { name: 'Show what the first sync will do' }));
  await expect(page.getByText('The first sync will')).toBeVisible();
  await press(page.getByRole('button', { name: 'Start syncing' }));
  await done(page, 'Calendar and direction are saved.');
  await accessible(page);
});

test('a calendar whose account lets nobody in is reconnected by keyboard (K8)', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  await connect(page, daybind.url);
  for (const what of ['revoke-grants', 'expire-access-tokens']) {
    expect((await page.request.post(`${fakes.url}/_control/microsoft/${what}`)).ok()).toBe(true);
  }
  await leave(page);
  const { press, signIn: enter } = hands(page);
  await enter(daybind.url, technician);
  await page.goto(`${daybind.url}${calendars}`);
  await hydrated(page);
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
  await page.locator('#allow').first().press('Enter');
  await page.waitForURL(/calendarAuth=success/);
  await expect.poll(async () => {
    await page.goto(`${daybind.url}${calendars}`);
    return page.getByText('Everything is in step.').count();
  }).toBe(1);
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

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('a calendar is connected and disconnected by plain forms (N7)', async ({ fakes, start, page }) => {
    const daybind = await start('ee', { providers: true, env: fakes.env });
    await connect(page, daybind.url);
    const { url } = fakes;
    const held = async () => {
      const all: { id: string }[] = await (await page.request.get(`${url}/_control/microsoft/calendars`)).json();
      const events = await Promise.all(all.map(async ({ id }) => (
        await page.request.get(`${url}/_control/microsoft/events?calendar=${encodeURIComponent(id)}`)
      ).json() as Promise<{ subject: string }[]>));
      return events.flat().filter(({ subject }) => subject === 'Replace switch at Contoso').length;
    };
    expect(await held()).toBe(1);
    await page.getByText('Disconnect', { exact: true }).click();
    await page.getByLabel('Remove them there').check();
    await page.getByRole('button', { name: 'Disconnect calendar' }).click();
    await expect(page.getByText('The calendar is disconnected.')).toBeVisible();
    await expect(page.getByText('No calendar is connected')).toBeVisible();
    await expect.poll(held).toBe(0);
  });
});
