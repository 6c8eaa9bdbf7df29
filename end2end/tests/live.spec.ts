// Changes as they happen: shown in place where that moves nothing, kept back until their reader asks for them otherwise; resumed
// after a loss; looked for where no stream gets through.
import { type Browser, type Locator, type Page } from '@playwright/test';
import { disagree } from './conflicts.js';
import { connect } from './connections.js';
import { accessible, admin, expect, hydrated, leave, signIn, technician, test } from './daybind.js';
import { storm } from './storm.js';

const activity = '/msp/operations?view=activity';
const news = (page: Page) => page.getByRole('button', { name: /^\d+ new syncs? – show$/ });
const following = (page: Page) => page.locator('.db-following');

/** Somebody else at work, in a browser of their own whose console nobody looks at. */
async function someone(browser: Browser, url: string, email: string): Promise<Page> {
  const page = await browser.newPage();
  await signIn(page, url, email);
  return page;
}

/** The technician syncs; each such sync is on record, whatever it finds. */
async function sync(tess: Page, url: string, connection: string): Promise<void> {
  const answer = await tess.request.post(`${url}/_fn/sync_calendar_provider`, { form: { connection_id: connection } });
  expect(answer.ok()).toBe(true);
}

test('a sync that ends waits behind a button, and no row moves; it can be paused (F6)', async ({ browser, fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const connection = await connect(page, daybind.url);
  await leave(page);
  await signIn(page, daybind.url, admin);
  await page.goto(`${daybind.url}${activity}`);
  await hydrated(page);
  await expect(following(page)).toContainText('Live');
  const tess = await someone(browser, daybind.url, technician);
  const rows = page.locator('tbody tr');
  const count = await rows.count();
  const first = page.locator('tbody th a').first();
  const address = await first.getAttribute('href');
  await first.focus();
  const before = await first.boundingBox();
  await sync(tess, daybind.url, connection);
  await expect(news(page)).toBeVisible();
  await expect(following(page).getByRole('status')).toHaveText(/^\d+ new syncs?$/);
  expect(await rows.count()).toBe(count);
  expect(await first.boundingBox()).toEqual(before);
  await expect(first).toBeFocused();
  await accessible(page);
  await news(page).click();
  await expect(news(page)).toHaveCount(0);
  await expect(rows).not.toHaveCount(count);
  await expect(first).not.toHaveAttribute('href', address ?? '');
  // Whoever pressed the button goes on in the page.
  await expect(page.getByRole('main')).toBeFocused();

  await following(page).getByRole('button', { name: 'Pause' }).click();
  await expect(following(page)).toContainText('Paused');
  await sync(tess, daybind.url, connection);
  await page.waitForTimeout(5_000);
  await expect(news(page)).toHaveCount(0);
  await following(page).getByRole('button', { name: 'Resume' }).click();
  await expect(news(page)).toBeVisible();
  await tess.close();
});

test('a stream that is lost comes back and goes on (F6)', async ({ browser, fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const connection = await connect(page, daybind.url);
  await leave(page);
  const watching = await someone(browser, daybind.url, admin);
  const tess = await someone(browser, daybind.url, technician);
  await watching.goto(`${daybind.url}${activity}`);
  await hydrated(watching);
  await expect(following(watching)).toContainText('Live');
  const states: string[] = [];
  await watching.exposeFunction('noted', (state: string) => states.push(state));
  await watching.locator('.db-following').evaluate((line) => {
    new MutationObserver(() => (window as unknown as { noted(text: string): void }).noted(line.textContent ?? ''))
      .observe(line, { childList: true, characterData: true, subtree: true });
  });
  await daybind.restart('ee');
  // Before the browser has come back.
  await sync(tess, daybind.url, connection);
  await expect(news(watching)).toBeVisible({ timeout: 45_000 });
  await expect(following(watching)).toContainText('Live', { timeout: 45_000 });
  expect(states.some((state) => state.includes('Reconnecting'))).toBe(true);
  await watching.close();
  await tess.close();
});

test('where no stream gets through, the page looks for itself', async ({ browser, fakes, start, page }) => {
  test.setTimeout(150_000);
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const connection = await connect(page, daybind.url);
  await leave(page);
  const watching = await someone(browser, daybind.url, admin);
  const tess = await someone(browser, daybind.url, technician);
  await watching.route(/\/_live/, (route) => route.abort());
  await watching.goto(`${daybind.url}${activity}`);
  await hydrated(watching);
  await expect(following(watching)).toContainText('Reconnecting');
  await sync(tess, daybind.url, connection);
  await expect(news(watching)).toBeVisible({ timeout: 45_000 });
  await watching.close();
  await tess.close();
});

test('connections that change wait behind a button of their list', async ({ browser, fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const connection = await connect(page, daybind.url);
  await leave(page);
  await signIn(page, daybind.url, admin);
  await page.goto(`${daybind.url}/msp/settings?tab=integrations&category=calendar`);
  await hydrated(page);
  const ada = await someone(browser, daybind.url, admin);
  const answer = await ada.request.post(`${daybind.url}/_fn/manage_calendar_connections`, {
    form: { action: 'pause', 'connection_ids[]': connection, single: 'true' },
  });
  expect(answer.ok()).toBe(true);
  const told = page.locator('.db-news');
  await expect(told).toContainText('The connections have changed.');
  await told.getByRole('button', { name: 'Show' }).click();
  await expect(page.getByRole('main').getByText('Paused').first()).toBeVisible();
  await expect(told.getByRole('button')).toHaveCount(0);
  await ada.close();
});

const told = (page: Page) => page.locator('.db-news');
const show = (page: Page) => told(page).getByRole('button', { name: 'Show' });

async function rest(page: Page, url: string, connection: string, action: 'pause' | 'resume'): Promise<void> {
  const answer = await page.request.post(`${url}/_fn/pause_calendar_provider`, { form: { connection_id: connection, action } });
  expect(answer.ok(), await answer.text()).toBe(true);
}

/** Everything an element says from now on, each change once. */
async function follow(element: Locator, name: string): Promise<string[]> {
  const said: string[] = [];
  await element.page().exposeFunction(name, (text: string) => { if (said.at(-1) !== text) said.push(text); });
  await element.evaluate((node, note) => {
    new MutationObserver(() => (window as unknown as Record<string, (text: string) => void>)[note](node.textContent?.trim() ?? ''))
      .observe(node, { childList: true, characterData: true, subtree: true });
  }, name);
  return said;
}

test('a card shows by itself how its connection stands; under a hand that waits', async ({ browser, fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const connection = await connect(page, daybind.url);
  await hydrated(page);
  const tess = await someone(browser, daybind.url, technician);
  const card = page.locator('.db-lane-card');
  await page.mouse.move(0, 0);
  await rest(tess, daybind.url, connection, 'pause');
  await expect(card).toContainText('Paused by you');
  await expect(told(page)).toHaveText('Your calendars have changed.');
  await expect(show(page)).toHaveCount(0);

  const control = card.getByRole('link', { name: 'Change direction' });
  await control.focus();
  const before = await control.boundingBox();
  await rest(tess, daybind.url, connection, 'resume');
  await expect(show(page)).toBeVisible();
  await expect(card).toContainText('Paused by you');
  expect(await control.boundingBox()).toEqual(before);
  await expect(control).toBeFocused();
  await accessible(page);
  await show(page).click();
  await expect(show(page)).toHaveCount(0);
  await expect(card).not.toContainText('Paused by you');
  await expect(page.getByRole('main')).toBeFocused();
  await tess.close();
});

test('a first sync says how far it has come, and only its end is announced', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const slow = { operation: 'microsoft.events.create', count: 1000, kind: 'delay_before', ms: 3_000 };
  expect((await page.request.post(`${fakes.url}/_control/faults`, { data: slow })).ok()).toBe(true);
  await signIn(page, daybind.url, technician);
  await page.goto(`${daybind.url}/msp/profile?tab=calendar`);
  await hydrated(page);
  await page.getByRole('button', { name: 'Connect Outlook' }).click();
  await page.locator('#allow').first().click();
  await page.waitForURL(/calendarAuth=success/);
  await hydrated(page);
  await page.getByRole('button', { name: 'Show what the first sync will do' }).click();
  await page.getByRole('button', { name: 'Start syncing' }).click();
  await page.mouse.move(0, 0);
  const card = page.locator('.db-lane-card');
  await expect(card).toContainText(/The first sync is on its way: \d+ of \d+ entries are synced\./);
  await expect(card).toContainText('Syncing');
  const said = await follow(told(page), 'announced');
  const steps = await follow(card, 'stepped');
  await expect(card).toContainText('Everything is in step.', { timeout: 60_000 });
  await expect(card).toContainText('Working');
  await expect(told(page)).toHaveText('Your calendars have changed.');
  expect(steps.length).toBeGreaterThan(0);
  expect(said).toEqual(['Your calendars have changed.']);
});

test('a conflict that is settled elsewhere waits, and ticks stay with their conflicts', async ({ browser, fakes, start, page }) => {
  test.setTimeout(180_000);
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const connection = await connect(page, daybind.url);
  await disagree(page, daybind.url, fakes.url, connection, 'Ours one', 'Theirs one');
  await disagree(page, daybind.url, fakes.url, connection, 'Ours two', 'Theirs two');
  const list = `${daybind.url}/msp/profile?tab=calendar&view=conflicts`;
  await page.goto(list);
  await hydrated(page);
  await page.getByRole('checkbox', { name: 'Ours two, Outlook' }).check();
  const tess = await someone(browser, daybind.url, technician);
  await tess.goto(list);
  await tess.getByRole('checkbox', { name: 'Ours one, Outlook' }).check();
  await tess.getByRole('button', { name: 'Preview the schedule for all ticked' }).click();
  await tess.getByRole('button', { name: 'Take the schedule’s version' }).click();
  await expect(tess.getByText('One conflict is settled.', { exact: false })).toBeVisible();
  await expect(told(page)).toContainText('Your conflicts have changed.');
  await expect(page.getByRole('checkbox', { name: 'Ours one, Outlook' })).toBeVisible();
  await accessible(page);
  await show(page).click();
  await expect(page.getByRole('checkbox', { name: 'Ours one, Outlook' })).toHaveCount(0);
  await expect(page.getByRole('checkbox', { name: 'Ours two, Outlook' })).toBeChecked();
  await tess.close();
});

test('what needs a person waits behind a button of the health page', async ({ browser, fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const connection = await connect(page, daybind.url);
  await leave(page);
  await signIn(page, daybind.url, admin);
  await page.goto(`${daybind.url}/msp/operations?view=health`);
  await hydrated(page);
  const tess = await someone(browser, daybind.url, technician);
  const fault = { operation: 'microsoft.view.delta', count: 1, kind: 'status', status: 404 };
  expect((await page.request.post(`${fakes.url}/_control/faults`, { data: fault })).ok()).toBe(true);
  await sync(tess, daybind.url, connection);
  const failing = page.getByText('Tess Technician has a calendar that has been failing', { exact: false });
  await expect(told(page)).toContainText('What needs a person has changed.');
  await expect(failing).toHaveCount(0);
  await accessible(page);
  await show(page).click();
  await expect(failing).toBeVisible();
  await tess.close();
});

test('500 changes a second move nothing and are asked for once a second at most (P7)', async ({ browser, fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const connection = await connect(page, daybind.url);
  const tess = await someone(browser, daybind.url, technician);
  for (let n = 0; n < 20; n += 1) await sync(tess, daybind.url, connection);
  await leave(page);
  await signIn(page, daybind.url, admin);
  const wild = await storm(daybind.url, 'run', 500);
  let asked = 0;
  page.on('request', (request) => { if (request.url().includes('list_calendar_activity')) asked += 1; });
  await page.setViewportSize({ width: 1280, height: 400 });
  await page.goto(`${wild.url}${activity}`);
  await hydrated(page);
  await expect(following(page)).toContainText('Live');
  const said = await follow(following(page).getByRole('status'), 'announced');
  const row = page.locator('tbody th a').nth(3);
  await row.focus();
  await row.scrollIntoViewIfNeeded();
  await page.evaluate(() => {
    const slow = window as unknown as { slowest: number };
    slow.slowest = 0;
    new PerformanceObserver((list) => {
      for (const one of list.getEntries()) slow.slowest = Math.max(slow.slowest, one.duration);
    }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
  });
  const stand = () => page.evaluate(() => window.scrollY);
  const [scrolled, before, from] = [await stand(), await row.boundingBox(), wild.sent()];
  asked = 0;
  for (let n = 0; n < 10; n += 1) {
    await sync(tess, daybind.url, connection);
    // A key that does nothing but be answered.
    await page.keyboard.press('Shift');
    await page.waitForTimeout(1_000);
  }
  const told = wild.sent() - from;
  expect(told).toBeGreaterThan(2_500);
  expect(asked).toBeGreaterThan(2);
  expect(asked).toBeLessThanOrEqual(told / 500 + 3);
  await expect(row).toBeFocused();
  expect(await row.boundingBox()).toEqual(before);
  expect(await stand()).toBe(scrolled);
  await expect(news(page)).toBeVisible();
  // One at once, one after ten seconds.
  expect(said.length, said.join(' | ')).toBeGreaterThan(0);
  expect(said.length, said.join(' | ')).toBeLessThanOrEqual(1 + Math.floor(told / 500 / 10) + 1);
  const slowest = await page.evaluate(() => (window as unknown as { slowest: number }).slowest);
  test.info().annotations.push({ type: 'INP', description: `${slowest} ms at ${told} changes` });
  console.log(`slowest answer to a key: ${slowest} ms, ${told} changes, ${asked} requests, ${said.length} said`);
  // Nobody listens when it ends.
  await page.goto('about:blank');
  wild.close();
  await tess.close();
});
