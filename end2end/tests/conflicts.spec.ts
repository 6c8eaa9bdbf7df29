// One disagreement, settled field by field: with the keyboard alone, and without a script.
import { disputed } from './conflicts.js';
import { accessible, admin, expect, hydrated, leave, signIn, test } from './daybind.js';
import { done, hands, noTrap, refused } from './keyboard.js';

test('K9 resolve a conflict by field in ee', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const { event, change } = await disputed(page, daybind, fakes);
  await hydrated(page);
  await accessible(page);
  const { press } = hands(page, 'K9 ee');
  await press(page.getByRole('link', { name: /^Compare and choose.*Ours$/ }));
  await expect(page).toHaveURL(/conflict=/);
  await expect(page.getByRole('heading', { name: 'Compare and choose' })).toBeVisible();
  const title = page.getByRole('group', { name: 'Title' });
  const place = page.getByRole('group', { name: 'Location' });
  await expect(title).toContainText('Last agreed');
  await expect(title).toContainText('Visit Fabrikam');
  await expect(place).toContainText('Hall 3');
  await expect(page.getByText(/, by Tess/)).toBeVisible();
  await accessible(page);
  await noTrap(page);

  await press(title.getByRole('radio', { name: /^Schedule/ }), 'Space');
  await page.keyboard.press('ArrowDown');
  await expect(title.getByRole('radio', { name: /^Outlook/ })).toBeChecked();
  await press(place.getByRole('radio', { name: /^Schedule/ }), 'Space');
  // The event is changed once more before the answer is sent: it is refused, says what was chosen, and shows the new version.
  await change({ subject: 'Theirs, later' });
  await expect.poll(async () => {
    const other = await page.context().newPage();
    await other.goto(page.url());
    const seen = await other.getByText('Theirs, later').count();
    await other.close();
    return seen;
  }, { timeout: 60_000 }).toBeGreaterThan(0);
  await press(page.getByRole('button', { name: 'Use what is chosen' }));
  await refused(page, 'One of the sides changed after you had read this page. You had chosen: location from the schedule, title from the calendar.');
  // What was ticked stays ticked, above the new versions.
  await expect(title.getByRole('radio', { name: /^Outlook/ })).toBeChecked();
  await expect(place.getByRole('radio', { name: /^Schedule/ })).toBeChecked();
  await expect(title).toContainText('Theirs, later');
  await accessible(page);

  await press(page.getByRole('button', { name: 'Use what is chosen' }));
  await done(page, 'Your answer is taken over with the sync that starts now.');
  await expect.poll(async () => {
    const { subject, location } = await event();
    return [subject, location?.displayName];
  }).toEqual(['Theirs, later', 'Cellar']);
  await page.goto(`${daybind.url}/msp/schedule`);
  await expect(page.getByRole('link', { name: /^Edit.*Theirs, later/ }).first()).toBeVisible();
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('a disagreement is settled by a plain form', async ({ fakes, start, page }) => {
    const daybind = await start('ee', { providers: true, env: fakes.env });
    const { address, event } = await disputed(page, daybind, fakes);
    // It is said that a question waits, and the entry leads to it as well, in the reader's language.
    await expect(page.getByText('Needs you').first()).toBeVisible();
    await expect(page.getByText('Everything else is in step.')).toBeVisible();
    await page.context().addCookies([{ name: 'daybind_language', value: 'de', url: daybind.url }]);
    await page.goto(`${daybind.url}/msp/schedule?as=agenda`);
    await page.getByRole('link', { name: 'Vergleichen und wählen' }).click();
    expect(page.url()).toBe(address);
    await page.context().addCookies([{ name: 'daybind_language', value: 'en', url: daybind.url }]);
    await page.goto(`${daybind.url}/msp/profile?tab=calendar`);
    await page.getByRole('link', { name: /^Compare and choose.*Ours$/ }).click();
    expect(page.url()).toBe(address);
    const title = page.getByRole('group', { name: 'Title' });
    const place = page.getByRole('group', { name: 'Location' });
    await title.getByRole('radio', { name: /^Schedule/ }).check();
    await place.getByRole('radio', { name: /^Schedule/ }).check();
    // Looked at first, chosen otherwise, looked at again, and confirmed.
    const show = page.getByRole('button', { name: 'Show the result first' });
    await show.click();
    const cell = (field: string) => page.getByRole('row', { name: new RegExp(`^${field}`) }).getByRole('cell');
    await expect(cell('Title').nth(2)).toHaveText('Ours');
    await expect(cell('Title').last()).toHaveText('Outlook');
    await expect(cell('Location').nth(2)).toHaveText('Cellar');
    expect((await event()).subject, 'looking writes nothing').toBe('Theirs');
    await page.getByRole('link', { name: 'Choose otherwise' }).click();
    await expect(title.getByRole('radio', { name: /^Schedule/ })).toBeChecked();
    await place.getByRole('radio', { name: /^Outlook/ }).check();
    await show.click();
    await expect(cell('Location').nth(2)).toHaveText('Roof');
    await expect(cell('Location').last()).toHaveText('Schedule');
    await page.getByRole('button', { name: 'Confirm' }).click();
    await expect(page.getByText('Your answer is taken over with the sync that starts now.')).toBeVisible();
    await expect.poll(async () => {
      const { subject, location } = await event();
      return [subject, location?.displayName];
    }).toEqual(['Ours', 'Roof']);

    // Sent once more, from a page that was read before: nothing happens, and what was chosen is told.
    await page.goto(address);
    await expect(page.getByText(/^You answered this on /)).toBeVisible();
    await page.getByRole('link', { name: 'Back to your calendars' }).click();
    await expect(page).toHaveURL(`${daybind.url}/msp/profile?tab=calendar`);
  });

  test('a side is taken whole, and not twice', async ({ fakes, start, page }) => {
    const daybind = await start('ee', { providers: true, env: fakes.env });
    const { address, event } = await disputed(page, daybind, fakes);
    const second = await page.context().newPage();
    for (const tab of [page, second]) await tab.goto(address);
    await page.getByRole('button', { name: 'All from the calendar' }).click();
    await expect(page.getByText('Your answer is taken over')).toBeVisible();
    await second.getByRole('button', { name: 'All from the schedule' }).click();
    await expect(second.getByText(/You had chosen: all from the schedule/).first()).toBeVisible();
    await expect(second.getByText(/^You answered this on /)).toBeVisible();
    expect((await event()).subject).toBe('Theirs');
    await page.goto(`${daybind.url}/msp/schedule`);
    await expect(page.getByRole('link', { name: /^Edit.*Theirs/ }).first()).toBeVisible();
  });
});

test('an administrator sees who is asked, and nothing of what the calendar says', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  await disputed(page, daybind, fakes, 'Ours', 'A private matter');
  await leave(page);
  await signIn(page, daybind.url, admin);
  await page.goto(`${daybind.url}/msp/settings?tab=integrations&category=calendar`);
  await hydrated(page);
  await page.getByRole('link', { name: '1 Conflicts' }).click();
  await expect(page).toHaveURL(/view=conflicts/);
  const row = page.getByRole('row', { name: /Ours/ });
  await expect(row).toContainText('title, location');
  await expect(page.getByRole('heading', { name: /^Tess Technician/ })).toBeVisible();
  expect(await page.content()).not.toContain('A private matter');
  await accessible(page);
  await row.getByRole('link', { name: 'Ours' }).click();
  await expect(page).toHaveURL(/\/msp\/schedule\?entry=/);
});
