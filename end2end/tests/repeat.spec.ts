import type { Page } from '@playwright/test';
import { accessible, expect, hydrated, signIn, technician, test } from './daybind.js';

/** The Monday of the week that begins so many weeks from now. */
function monday(weeks: number): string {
  const day = new Date();
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7) + weeks * 7);
  return day.toISOString().slice(0, 10);
}

/** Opens the occurrence of a day, in its week. */
async function open(page: Page, url: string, title: string, day: string): Promise<void> {
  await page.goto(`${url}/msp/schedule?week=${day}&as=agenda`);
  await page.getByRole('link', { name: `Edit ${title}, ${day}`, exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Edit entry' })).toBeVisible();
  await expect(page.getByLabel('Title')).toHaveValue(title);
}

async function save(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Save entry' }).click();
  await expect(page.getByRole('link', { name: 'New entry' })).toBeVisible();
}

/** The titles that stand in the week of a Monday. */
async function titles(page: Page, url: string, week: string): Promise<string[]> {
  await page.goto(`${url}/msp/schedule?week=${week}&as=agenda`);
  await expect(page.getByRole('link', { name: 'New entry' })).toBeVisible();
  return page.getByRole('heading', { level: 3 }).allTextContents();
}

for (const edition of ['ce', 'ee'] as const) {
  for (const scripts of [true, false]) {
    test.describe(`in ${edition} ${scripts ? 'with' : 'without'} JavaScript`, () => {
      test.use({ javaScriptEnabled: scripts });

      test('a series is planned; one, the following and a single one of it are changed', async ({ start, page }) => {
        const { url } = await start(edition);
        const [first, second, third, fourth, fifth] = [1, 2, 3, 4, 5].map(monday) as [string, string, string, string, string];
        await signIn(page, url, technician);
        await page.goto(`${url}/msp/schedule?week=${first}&entry=new`);
        if (scripts) await hydrated(page);
        await page.getByLabel('Title').fill('Weekly check');
        await page.getByLabel('Starts').fill(`${first}T09:00`);
        await page.getByLabel('Ends').fill(`${first}T10:00`);
        await page.getByText('Repeat', { exact: true }).click();
        await page.getByLabel('Repeats').selectOption({ label: 'Every week' });
        await page.getByLabel('Stops repeating').selectOption({ label: 'After a day' });
        if (scripts) await accessible(page);
        await page.getByRole('button', { name: 'Save entry' }).click();
        // After which day was not said: the form comes back with what was typed, open where something is missing.
        await expect(page.getByRole('alert').first()).toBeVisible();
        await expect(page.getByLabel('Title')).toHaveValue('Weekly check');
        if (scripts) await accessible(page);
        await page.getByLabel('Last day').fill(monday(6));
        await save(page);

        await open(page, url, 'Weekly check', second);
        if (scripts) await hydrated(page);
        if (scripts) await accessible(page);
        await page.getByLabel('Title').fill('Quarterly check');
        await save(page);
        expect(await titles(page, url, second)).toEqual(['Quarterly check']);
        expect(await titles(page, url, third)).toEqual(['Weekly check']);

        await open(page, url, 'Weekly check', third);
        if (scripts) await hydrated(page);
        await page.getByLabel('Title').fill('Later check');
        await page.getByLabel('This and the following').first().check();
        await save(page);
        expect(await titles(page, url, first)).toEqual(['Weekly check']);
        expect(await titles(page, url, fourth)).toEqual(['Later check']);

        await open(page, url, 'Later check', fourth);
        if (scripts) await hydrated(page);
        await page.getByText('Delete this entry').click();
        await page.getByRole('button', { name: 'Delete entry' }).click();
        await expect(page.getByRole('link', { name: 'New entry' })).toBeVisible();
        expect(await titles(page, url, fourth)).toEqual([]);
        expect(await titles(page, url, fifth)).toEqual(['Later check']);
        expect(await titles(page, url, monday(7))).toEqual([]);
      });
    });
  }
}
