// Changes as they happen: kept back until their reader asks for them; resumed after a loss; looked for where no stream gets through.
import { type Browser, type Page } from '@playwright/test';
import { connect } from './connections.js';
import { accessible, admin, expect, hydrated, leave, signIn, technician, test } from './daybind.js';

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
