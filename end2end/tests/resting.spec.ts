// Connections that rest: paused by their owner, or by an administrator for one or many; with the keyboard alone, and without a
// script.
import { connect } from './connections.js';
import { accessible, admin, expect, hydrated, leave, signIn, technician, test } from './daybind.js';
import { done, hands } from './keyboard.js';

const calendars = '/msp/settings?tab=integrations&category=calendar';

test('an administrator pauses, resumes and reads again by keyboard', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  const id = await connect(page, daybind.url);
  await leave(page);
  const { press, choose, signIn: enter } = hands(page);
  await enter(daybind.url, admin);
  await page.goto(`${daybind.url}${calendars}`);
  await hydrated(page);
  await press(page.getByRole('button', { name: 'Apply' }));
  await expect(page.getByRole('alert').getByText('Choose at least one connection.')).toBeVisible();
  await press(page.getByRole('checkbox', { name: 'Tess Technician, Outlook' }), 'Space');
  await choose('Do', 'Pause');
  await choose('Pauses last', 'For a week');
  await press(page.getByRole('button', { name: 'Apply' }));
  await done(page, '1 connection is paused.');
  await expect(page.getByRole('link', { name: '1 Paused' })).toBeVisible();
  await expect(page.getByRole('row', { name: /Tess Technician/ })).toContainText('It goes on by itself on');
  await accessible(page);
  await press(page.getByRole('link', { name: '1 Paused' }));
  await expect(page).toHaveURL(/show=paused/);
  await press(page.getByRole('rowheader').getByRole('link', { name: 'Tess Technician' }));
  await expect(page).toHaveURL(new RegExp(`connection=${id}`));
  await expect(page.getByRole('heading', { name: 'What its owner chose' })).toBeVisible();
  await accessible(page);
  await press(page.getByRole('button', { name: 'Resume' }));
  await done(page, '1 connection is going on.');
  await expect(page.getByRole('button', { name: 'Sync now' })).toBeVisible();
  await press(page.getByText('Read everything again').first());
  await press(page.getByRole('button', { name: 'Read everything again' }));
  await done(page, 'reads everything again');
  await press(page.getByRole('link', { name: 'All connections' }));
  await expect(page.getByRole('link', { name: /Paused/ })).toHaveCount(0);
});

test('a technician pauses a calendar and goes on', async ({ fakes, start, page }) => {
  const daybind = await start('ee', { providers: true, env: fakes.env });
  await connect(page, daybind.url);
  await hydrated(page);
  await page.getByText('Pause', { exact: true }).click();
  await page.getByLabel('How long').selectOption({ label: 'For a day' });
  await page.getByRole('button', { name: 'Pause sync' }).click();
  await done(page, 'The calendar is paused.');
  await expect(page.getByText(/^Paused by you on .* It goes on by itself on /)).toBeVisible();
  await accessible(page);
  await page.getByRole('button', { name: 'Resume' }).click();
  await done(page, 'The calendar goes on.');
  await expect(page.getByRole('button', { name: 'Resume' })).toHaveCount(0);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('connections are paused by plain forms', async ({ fakes, start, page }) => {
    const daybind = await start('ee', { providers: true, env: fakes.env });
    await connect(page, daybind.url);
    await leave(page);
    await signIn(page, daybind.url, admin);
    await page.goto(`${daybind.url}${calendars}&find=tess`);
    await page.getByRole('button', { name: 'Apply' }).click();
    await expect(page.getByText('Choose at least one connection.').first()).toBeVisible();
    await page.getByLabel('The one that matches').check();
    await page.getByLabel('Do', { exact: true }).selectOption('Pause');
    await page.getByRole('button', { name: 'Apply' }).click();
    await expect(page.getByText('1 connection is paused.')).toBeVisible();
    expect(new URL(page.url()).searchParams.get('find')).toBe('tess');
    await leave(page);
    await signIn(page, daybind.url, technician);
    await page.goto(`${daybind.url}/msp/profile?tab=calendar`);
    await expect(page.getByText(/^Paused by .*Admin/)).toBeVisible();
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect(page.getByText('The calendar goes on.')).toBeVisible();
  });
});
