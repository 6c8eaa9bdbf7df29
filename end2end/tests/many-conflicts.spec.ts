// Several disagreements at once: ticked, previewed, answered. With the keyboard alone, and without a script.
import { type Page } from '@playwright/test';
import { disagree, type Disputed } from './conflicts.js';
import { connect } from './connections.js';
import { accessible, type Daybind, expect, type Fakes, hydrated, test } from './daybind.js';
import { done, hands } from './keyboard.js';

const list = '/msp/profile?tab=calendar&view=conflicts';

/** Connects Outlook, and has two entries changed on both sides. */
async function twice(page: Page, daybind: Daybind, fakes: Fakes): Promise<[Disputed, Disputed]> {
  const connection = await connect(page, daybind.url);
  const one = await disagree(page, daybind.url, fakes.url, connection, 'Ours one', 'Theirs one');
  const two = await disagree(page, daybind.url, fakes.url, connection, 'Ours two', 'Theirs two');
  return [one, two];
}

test('several conflicts are previewed and settled with the keyboard', async ({ fakes, start, page }) => {
  test.setTimeout(180_000);
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const [one, two] = await twice(page, daybind, fakes);
  await hydrated(page);
  const { press } = hands(page);
  await press(page.getByRole('link', { name: 'Answer several conflicts at once' }));
  await expect(page.getByRole('heading', { level: 1, name: 'Your conflicts' })).toBeVisible();
  await expect(page.getByRole('row', { name: /Ours one/ })).toContainText('Theirs one');
  await hydrated(page);
  await accessible(page);
  await press(page.getByRole('checkbox', { name: 'Ours one, Outlook' }), 'Space');
  await press(page.getByRole('button', { name: 'Preview the schedule for all ticked' }));
  const preview = page.getByRole('region', { name: 'Ours one' });
  await expect(preview.getByRole('row', { name: /^Title/ })).toContainText('Ours one');
  await expect(preview.getByRole('row', { name: /^Title/ }).getByRole('cell').last()).toHaveText('Outlook');
  await expect(page.getByRole('region', { name: 'Ours two' })).toHaveCount(0);
  await hydrated(page);
  await accessible(page);
  expect((await one.event()).subject, 'a preview writes nothing').toBe('Theirs one');
  await press(page.getByRole('button', { name: 'Take the schedule’s version' }));
  await done(page, 'One conflict is settled.');
  await expect(page.getByRole('link', { name: 'Ours two' })).toBeVisible();
  await accessible(page);
  await expect.poll(async () => (await one.event()).subject).toBe('Ours one');
  expect((await two.event()).subject).toBe('Theirs two');
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('several conflicts are settled by plain forms, but for one that changed since', async ({ fakes, start, page }) => {
    test.setTimeout(180_000);
    const daybind = await start('ee', { providers: true, env: fakes.env });
    const [one, two] = await twice(page, daybind, fakes);
    await page.goto(`${daybind.url}${list}`);
    await page.getByRole('button', { name: 'Preview the calendar for all ticked' }).click();
    await expect(page.getByText('Tick at least one conflict.', { exact: false })).toBeVisible();
    await page.getByRole('link', { name: 'Back to the list' }).click();
    await page.getByRole('checkbox', { name: 'All of them' }).check();
    await page.getByRole('button', { name: 'Preview the calendar for all ticked' }).click();
    for (const name of ['one', 'two']) {
      const row = page.getByRole('region', { name: `Ours ${name}` }).getByRole('row', { name: /^Title/ });
      await expect(row.getByRole('cell').nth(2)).toHaveText(`Theirs ${name}`);
      await expect(row.getByRole('cell').last()).toHaveText('Schedule');
    }
    // Of one, a side changes after that.
    await two.change({ subject: 'Theirs two, later' });
    await expect.poll(async () => {
      const other = await page.context().newPage();
      await other.goto(`${daybind.url}${list}`);
      const seen = await other.getByText('Theirs two, later').count();
      await other.close();
      return seen;
    }, { timeout: 60_000 }).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Take the calendar’s version of all 2' }).click();
    await expect(page.getByText('One conflict is settled.', { exact: false })).toBeVisible();
    await expect(page.getByText('One was left alone, since a side changed after you had read it.')).toBeVisible();
    const left = page.getByRole('row', { name: /Ours two/ });
    await expect(left).toContainText('A side changed since; this was left alone.');
    await expect(left).toContainText('Theirs two, later');
    await expect(page.getByRole('row', { name: /Ours one/ })).toHaveCount(0);
    await page.goto(`${daybind.url}/msp/schedule`);
    await expect(page.getByRole('link', { name: /^Edit.*Theirs one/ }).first()).toBeVisible();
    await expect(page.getByRole('link', { name: /^Edit.*Ours two/ }).first()).toBeVisible();
    expect((await one.event()).subject).toBe('Theirs one');
  });
});
