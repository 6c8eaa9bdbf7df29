// Ready-made calendar connections for journeys that are about something else.
import { type Page } from '@playwright/test';
import { expect, leave, signIn, technician } from './daybind.js';

/** The technician connects the first free calendar and starts its sync, by plain forms; the answer is the connection's id. */
export async function connect(page: Page, url: string, provider: 'Outlook' | 'Google Calendar' = 'Outlook'): Promise<string> {
  await leave(page);
  await signIn(page, url, technician);
  await page.goto(`${url}/msp/profile?tab=calendar`);
  await page.getByRole('button', { name: `Connect ${provider}` }).click();
  await page.locator('#allow').first().click();
  await page.waitForURL(/calendarAuth=success/);
  const picker = page.getByLabel('Calendar', { exact: true });
  const free = picker.locator('option:not([disabled])[value]:not([value=""])').first();
  await picker.selectOption(await free.getAttribute('value') ?? '');
  await page.getByRole('button', { name: 'Show what the first sync will do' }).click();
  await page.getByRole('button', { name: 'Start syncing' }).click();
  await expect(page.getByText('Calendar and direction are saved.', { exact: false })).toBeVisible();
  await expect.poll(async () => {
    await page.goto(`${url}/msp/profile?tab=calendar`);
    return page.getByText('Everything is in step.').count();
  }).toBe(1);
  const id = await page.locator('input[name="connection_id"]').first().getAttribute('value') ?? '';
  expect(id).not.toBe('');
  return id;
}
