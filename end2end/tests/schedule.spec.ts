// The week as a grid: planned and moved by links and forms, read by arrow keys, the same as a list.
import { type Locator, type Page } from '@playwright/test';
import { accessible, admin, expect, hydrated, leave, signIn, technician, test } from './daybind.js';
import { done, hands, noTrap } from './keyboard.js';
import { fits } from './profiles.js';

const monday = '2027-03-01';
const week = `/msp/schedule?week=${monday}`;

/** The column of a day, by its number from Monday. */
const column = (page: Page, day: number): Locator => page.locator('.db-grid__day').nth(day);
const chip = (page: Page, title: string): Locator => page.locator('.db-grid').getByRole('link', { name: title });

async function box(of: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  const found = await of.boundingBox();
  if (!found) throw new Error('nothing is drawn');
  return found;
}

/** Plans an entry for whoever is signed in. */
async function plan(page: Page, url: string, title: string, start: string, end: string): Promise<void> {
  const me = await page.request.get(`${url}/msp/schedule?entry=new`).then(async (answer) => answer.text());
  const assignee = /name="assignees\[\]" value="([0-9a-f-]+)" checked/.exec(me)?.[1]
    ?? /checked[^>]*name="assignees\[\]"[^>]*value="([0-9a-f-]+)"/.exec(me)?.[1]
    ?? /name="assignees\[\]"[^>]*value="([0-9a-f-]+)"/.exec(me)?.[1] ?? '';
  const answer = await page.request.post(`${url}/_fn/save_schedule_entry`, { form: { title, start, end, 'assignees[]': assignee } });
  expect(answer.ok(), await answer.text()).toBe(true);
}

for (const edition of ['ce', 'ee'] as const) {
  for (const scripts of [true, false]) {
    test.describe(`in ${edition} ${scripts ? 'with' : 'without'} JavaScript`, () => {
      test.use({ javaScriptEnabled: scripts });

      test('a free hour is planned and the entry moved by its form', async ({ start, page }) => {
        const { url } = await start(edition);
        await signIn(page, url, technician);
        const ready = async () => { if (scripts) await hydrated(page); };
        await page.goto(`${url}${week}`);
        await ready();
        await column(page, 1).locator('a[href*="at=2027-03-02T09:00"]').click();
        await expect(page.getByRole('heading', { level: 1, name: 'New entry' })).toBeVisible();
        await ready();
        await expect(page.getByLabel('Starts')).toHaveValue('2027-03-02T09:00');
        await expect(page.getByLabel('Ends')).toHaveValue('2027-03-02T10:00');
        await page.getByLabel('Title').fill('Swap the router');
        await page.getByRole('button', { name: 'Save entry' }).click();
        await expect(column(page, 1).getByRole('link', { name: 'Edit Swap the router' })).toContainText('09:00 – 10:00');

        await chip(page, 'Edit Swap the router').click();
        await expect(page.getByLabel('Title')).toHaveValue('Swap the router');
        await ready();
        await page.getByLabel('Starts').fill('2027-03-04T14:00');
        await page.getByLabel('Ends').fill('2027-03-04T15:30');
        await page.getByRole('button', { name: 'Save entry' }).click();
        await expect(column(page, 3).getByRole('link', { name: 'Edit Swap the router' })).toContainText('14:00 – 15:30');
        await expect(chip(page, 'Edit Swap the router')).toHaveCount(1);
        // It stands at its hour, and is as tall as it is long.
        const [drawn, hour, next] = await Promise.all([
          box(chip(page, 'Edit Swap the router')),
          box(column(page, 3).locator('a[href*="at=2027-03-04T14:00"]')), box(column(page, 3).locator('a[href*="at=2027-03-04T15:00"]')),
        ]);
        expect(Math.abs(drawn.y - hour.y)).toBeLessThan(3);
        expect(Math.abs(drawn.height - 1.5 * (next.y - hour.y))).toBeLessThan(4);

        await page.getByRole('link', { name: 'Show as agenda' }).click();
        await expect(page).toHaveURL(/as=agenda/);
        await expect(page.getByRole('heading', { name: 'Swap the router' })).toBeVisible();
        await expect(page.locator('.db-grid')).toHaveCount(0);
        // Whoever came from the agenda goes back to it.
        await page.getByRole('link', { name: 'Edit Swap the router' }).click();
        await expect(page.getByLabel('Title')).toHaveValue('Swap the router');
        await ready();
        await page.getByRole('button', { name: 'Save entry' }).click();
        await expect(page).toHaveURL(/as=agenda&saved=entry/);
      });
    });
  }

  test(`the grid is one stop for the keyboard, and arrows go on in ${edition}`, async ({ start, page }) => {
    const { url } = await start(edition);
    const { press, signIn: enter } = hands(page);
    await enter(url, technician);
    await plan(page, url, 'First', '2027-03-02T08:00', '2027-03-02T09:00');
    await plan(page, url, 'Second', '2027-03-02T11:00', '2027-03-02T12:00');
    await plan(page, url, 'Third', '2027-03-05T08:00', '2027-03-05T09:00');
    await page.goto(`${url}${week}`);
    await hydrated(page);
    const { keyboard } = page;
    await expect(page.locator('.db-grid a[tabindex="0"]')).toHaveCount(1);
    await press(chip(page, 'Edit First'), 'ArrowDown');
    await expect(chip(page, 'Edit Second')).toBeFocused();
    await keyboard.press('ArrowRight');
    await expect(chip(page, 'Edit Third')).toBeFocused();
    await keyboard.press('ArrowRight');
    await expect(chip(page, 'Edit Third')).toBeFocused();
    await keyboard.press('Home');
    await expect(chip(page, 'Edit First')).toBeFocused();
    await keyboard.press('End');
    // One Tab leaves the grid, and Shift with Tab comes back to where one was.
    await keyboard.press('Tab');
    await expect(page.locator('.db-grid a:focus')).toHaveCount(0);
    await keyboard.press('Shift+Tab');
    await expect(chip(page, 'Edit Third')).toBeFocused();
    await keyboard.press('Enter');
    await expect(page.getByLabel('Title')).toHaveValue('Third');
  });

  test(`K12 schedule: move an entry through its form in ${edition}`, async ({ start, page }) => {
    const { url } = await start(edition);
    const { press, date, signIn: enter } = hands(page, `K12 ${edition}`);
    await enter(url, technician);
    await plan(page, url, 'Swap the router', '2027-03-02T09:00', '2027-03-02T10:00');
    await page.goto(`${url}${week}`);
    await hydrated(page);
    await press(chip(page, 'Edit Swap the router'));
    await expect(page.getByRole('heading', { level: 1, name: 'Edit entry' })).toBeVisible();
    await expect(page.getByLabel('Title')).toHaveValue('Swap the router');
    await hydrated(page);
    await date('Starts', '2027-03-04T14:00');
    // It cannot end before it starts: that is said, and its link leads to the field.
    await press(page.getByRole('button', { name: 'Save entry' }));
    const summary = page.getByRole('alert').first();
    await expect(summary).toBeFocused();
    await date('Ends', '2027-03-04T15:30');
    await press(page.getByRole('button', { name: 'Save entry' }), 'Space');
    await done(page, 'The entry is saved.');
    await expect(column(page, 3).getByRole('link', { name: 'Edit Swap the router' })).toContainText('14:00 – 15:30');
    await expect(chip(page, 'Edit Swap the router')).toHaveCount(1);
    await noTrap(page);
    // Opened and left alone.
    await press(chip(page, 'Edit Swap the router'));
    await expect(page.getByLabel('Starts')).toHaveValue('2027-03-04T14:00');
    await press(page.getByRole('link', { name: 'Cancel' }));
    await expect(chip(page, 'Edit Swap the router')).toBeVisible();
  });

  test(`what overlaps stands side by side, and the clocks' days are whole in ${edition}`, async ({ start, page }) => {
    const { url } = await start(edition);
    await signIn(page, url, technician);
    for (const title of ['One', 'Two']) await plan(page, url, title, '2027-03-03T10:00', '2027-03-03T11:00');
    await plan(page, url, 'Night', '2027-03-04T23:00', '2027-03-05T01:00');
    await page.goto(`${url}${week}`);
    await hydrated(page);
    const [one, two] = [await box(chip(page, 'Edit One')), await box(chip(page, 'Edit Two'))];
    expect(Math.abs(one.y - two.y)).toBeLessThan(1);
    expect(one.x + one.width <= two.x + 1 || two.x + two.width <= one.x + 1, JSON.stringify([one, two])).toBe(true);
    await expect(chip(page, 'Edit Night')).toHaveCount(2);
    await accessible(page);
    // Five at a time: two are drawn, three are counted, and the link leads to all of them.
    for (const title of ['Three', 'Four', 'Five']) await plan(page, url, title, '2027-03-03T10:00', '2027-03-03T11:00');
    await page.goto(`${url}${week}`);
    await hydrated(page);
    await accessible(page);
    await chip(page, '3 more').click();
    for (const title of ['One', 'Two', 'Three', 'Four', 'Five']) await expect(page.getByRole('heading', { name: title, exact: true })).toBeVisible();

    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.goto(`${url}${week}`);
      await hydrated(page);
      await accessible(page);
    }
    await page.setViewportSize({ width: 320, height: 900 });
    await expect(page.locator('.db-grid')).toBeHidden();
    await expect(page.getByRole('heading', { name: 'Night' })).toBeVisible();
    await fits(page);
  });

  test(`the week is filtered by person and status in ${edition}`, async ({ start, page }) => {
    const { url } = await start(edition);
    await signIn(page, url, technician);
    // A technician sees nobody else, and has nobody to choose.
    await page.goto(`${url}${week}`);
    await expect(page.getByLabel('Status')).toBeVisible();
    await expect(page.getByLabel('Person')).toHaveCount(0);
    await plan(page, url, 'Of Tess', '2027-03-03T10:00', '2027-03-03T11:00');
    await leave(page);
    await signIn(page, url, admin);
    await page.goto(`${url}${week}`);
    await hydrated(page);
    await expect(chip(page, 'Edit Of Tess')).toBeVisible();
    await page.getByLabel('Person').selectOption({ label: 'Ada Admin' });
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect(page.getByText('No entry of this week matches these filters')).toBeVisible();
    await expect(chip(page, 'Edit Of Tess')).toHaveCount(0);
    await expect(page.getByLabel('Person').locator('option:checked')).toHaveText('Ada Admin');
    await hydrated(page);
    await page.getByLabel('Person').selectOption({ label: 'Tess Technician' });
    await page.getByLabel('Status').selectOption('scheduled');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect(chip(page, 'Edit Of Tess')).toBeVisible();
    expect(new URL(page.url()).searchParams.get('status')).toBe('scheduled');
    await page.getByRole('link', { name: 'Clear filters' }).click();
    await expect(page).not.toHaveURL(/person=|status=/);
  });
}
