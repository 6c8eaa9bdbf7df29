import type { Page } from '@playwright/test';
import { accessible, admin, databases, expect, hydrated, signIn, technician, test } from './daybind.js';

interface RemoteEvent { id: string; summary?: string; subject?: string }

/** What the outside calendar holds, as its owner sees it. */
async function remote(page: Page, fakes: string, provider: string, calendar: string): Promise<RemoteEvent[]> {
  const answer = await page.request.get(`${fakes}/_control/${provider}/events?calendar=${encodeURIComponent(calendar)}`);
  expect(answer.ok()).toBe(true);
  const events = await answer.json();
  return Array.isArray(events) ? events : events.events;
}

for (const [provider, database] of (['microsoft', 'google'] as const).flatMap((p) => databases.map((d) => [p, d] as const))) {
  const label = provider === 'microsoft' ? /Outlook/ : /Google Calendar/;
  const titleField = provider === 'microsoft' ? 'subject' : 'summary';

  test(`an entry travels both ways with ${provider} on ${database}`, async ({ fakes, start, page }) => {
    const daybind = await start('ee', { providers: true, env: fakes.env, database });
    await signIn(page, daybind.url, technician);
    await page.goto(`${daybind.url}/msp/profile?tab=calendar`);
    await hydrated(page);
    await accessible(page);
    await page.getByRole('button', { name: new RegExp(`Connect ${label.source}`) }).click();
    await page.locator('#allow').first().click();
    await expect(page).toHaveURL(/calendarAuth=success/);
    await hydrated(page);
    await accessible(page);

    const picker = page.getByLabel('Calendar', { exact: true });
    const option = picker.locator('option:not([disabled])[value]:not([value=""])').first();
    const calendar = await option.getAttribute('value') ?? '';
    await picker.selectOption(calendar);
    await page.getByRole('button', { name: 'Show what the first sync will do' }).click();
    await expect(page.getByText(new RegExp(`^add \\d+ entr(y|ies) to (${label.source})$`))).toBeVisible();
    await hydrated(page);
    await page.getByText('Show the list').click();
    await expect(page.getByRole('row', { name: /Replace switch at Contoso/ })).toBeVisible();
    await accessible(page);
    const before = await remote(page, fakes.url, provider, calendar);
    expect(before.map((event) => event[titleField]), 'a preview writes nothing').not.toContain('Replace switch at Contoso');
    await page.getByRole('button', { name: 'Start syncing' }).click();
    await expect(page.getByText(/Working|Connected/).first()).toBeVisible();

    const titles = async () => (await remote(page, fakes.url, provider, calendar)).map((e) => e[titleField]);
    await expect.poll(titles).toContain('Replace switch at Contoso');
    await page.goto(`${daybind.url}/msp/schedule?entry=new`);
    await hydrated(page);
    await page.getByLabel('Title').fill('Visit Fabrikam');
    await page.getByRole('button', { name: 'Save entry' }).click();
    await expect(page.getByText('Visit Fabrikam').first()).toBeVisible();
    await expect.poll(titles).toContain('Visit Fabrikam');
    await accessible(page);

    const event = (await remote(page, fakes.url, provider, calendar)).find((e) => e[titleField] === 'Visit Fabrikam');
    const path = `${fakes.url}/_control/${provider}/events/${encodeURIComponent(event?.id ?? '')}?calendar=${encodeURIComponent(calendar)}`;
    const changed = await page.request.patch(path, { data: { [titleField]: 'Visit Fabrikam, moved' } });
    expect(changed.ok()).toBe(true);
    await expect.poll(async () => {
      await page.reload();
      return page.getByText('Visit Fabrikam, moved').count();
    }).toBeGreaterThan(0);

    await page.getByRole('link', { name: /^Edit.*Visit Fabrikam, moved/ }).click();
    const history = page.getByRole('region', { name: 'Why did this change?' }).getByRole('list').first();
    await expect(history.getByText('Title: Visit Fabrikam')).toBeVisible();
    await expect(history.getByText(`Tess Technician planned it in Daybind`)).toBeVisible();
    await expect(history.getByText(/^Changed in .* of Tess Technician, and so in the schedule$/)).toBeVisible();
    await hydrated(page);
    await accessible(page);

    expect((await page.request.delete(path)).ok()).toBe(true);
    // Nobody else is assigned: whoever deleted the event is asked before the work is called off.
    const callOff = page.getByRole('button', { name: 'Call the work off' });
    await expect.poll(async () => {
      await page.goto(`${daybind.url}/msp/profile?tab=calendar`);
      return callOff.count();
    }).toBe(1);
    await hydrated(page);
    await accessible(page);
    await callOff.click();
    await expect(callOff).toHaveCount(0);
    // The work is called off, and stays on the schedule as called off.
    const calledOff = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Visit Fabrikam, moved' }) })
      .filter({ hasText: 'Cancelled' });
    await expect.poll(async () => {
      await page.goto(`${daybind.url}/msp/schedule?as=agenda`);
      return calledOff.count();
    }).toBeGreaterThan(0);
    await hydrated(page);

    await page.getByRole('link', { name: /^Edit.*Replace switch/ }).click();
    await page.getByText('Delete this entry').click();
    await page.getByRole('button', { name: 'Delete entry' }).click();
    await expect(page.getByText('Replace switch at Contoso')).toHaveCount(0);
    await expect.poll(titles).not.toContain('Replace switch at Contoso');
    expect(new Set(await titles()).size).toBe((await titles()).length);
  });
}

test('an admin sees four consumers and who is connected', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  await signIn(page, daybind.url, admin);
  await page.goto(`${daybind.url}/msp/settings?tab=integrations&category=providers`);
  await hydrated(page);
  for (const consumer of ['MSP SSO', 'Email', 'Calendar', 'Teams']) {
    await expect(page.getByRole('rowheader', { name: new RegExp(consumer) }).first()).toBeVisible();
  }
  await accessible(page);
  await page.goto(`${daybind.url}/msp/settings?tab=integrations&category=calendar`);
  await hydrated(page);
  await expect(page.getByText('Nobody has connected a calendar yet')).toBeVisible();
  await accessible(page);
  await page.getByRole('link', { name: /Not connected/ }).click();
  await expect(page.getByRole('heading', { name: 'People without a connection' })).toBeVisible();
  expect(new URL(page.url()).searchParams.get('show')).toBe('without');
  await expect(page.getByText('Tess Technician').first()).toBeVisible();
  await accessible(page);
  await page.getByLabel('Search').fill('nobody');
  await page.getByRole('button', { name: 'Filter' }).click();
  await expect(page.getByText('Nobody without a connection matches')).toBeVisible();
  expect(await page.content()).not.toContain('demo-microsoft-secret');
});

for (const database of databases) {
  test(`switching editions there and back loses nothing on ${database} (M-09)`, async ({ fakes, start, page }) => {
    const daybind = await start('ee', { providers: true, env: fakes.env, database });
    await signIn(page, daybind.url, technician);
    await page.goto(`${daybind.url}/msp/profile?tab=calendar`);
    await hydrated(page);
    await page.getByRole('button', { name: /Connect Outlook/ }).click();
    await page.locator('#allow').first().click();
    await expect(page).toHaveURL(/calendarAuth=success/);
    const picker = page.getByLabel('Calendar', { exact: true });
    const calendar = await picker.locator('option:not([disabled])[value]:not([value=""])').first().getAttribute('value') ?? '';
    await picker.selectOption(calendar);
    await page.getByRole('button', { name: 'Show what the first sync will do' }).click();
    await page.getByRole('button', { name: 'Start syncing' }).click();
    const count = async () => (await remote(page, fakes.url, 'microsoft', calendar)).length;
    await expect.poll(count).toBeGreaterThan(0);
    await page.waitForTimeout(2_000);

    // An open page would ask for news meanwhile, and the browser note that nobody answers.
    await page.goto('about:blank');
    await daybind.restart('ce');
    const before = await (await page.request.get(`${fakes.url}/_control/log`)).json();
    await page.goto(`${daybind.url}/msp/schedule?entry=new`);
    await page.getByLabel('Title').fill('Written in Community');
    await page.getByRole('button', { name: 'Save entry' }).click();
    await expect(page.getByText('Written in Community').first()).toBeVisible();
    await page.waitForTimeout(3_000);
    const after = await (await page.request.get(`${fakes.url}/_control/log`)).json();
    const size = (log: unknown) => (Array.isArray(log) ? log : (log as { entries: unknown[] }).entries)
      .filter((entry) => !JSON.stringify(entry).includes('_control')).length;
    expect(size(after), 'Community makes no outbound call').toBe(size(before));

    await page.goto('about:blank');
    await daybind.restart('ee');
    await expect.poll(async () => (await remote(page, fakes.url, 'microsoft', calendar)).map((e) => e.subject), { timeout: 60_000 })
      .toContain('Written in Community');
  });
}
