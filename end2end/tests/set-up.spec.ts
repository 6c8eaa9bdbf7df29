// From an installation in which nothing is set up to a schedule that travels to both calendars.
import { accessible, admin, databases, expect, hydrated, leave, signIn, technician, test } from './daybind.js';
import { application, enter, providers, row, secret } from './profiles.js';

for (const database of databases) {
  test(`an admin sets up Microsoft and Google, and a technician connects both on ${database}`, async ({ fakes, start, page }) => {
    const daybind = await start('ee', { env: fakes.env, database });
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
    const settled = async () => {
      await hydrated(page);
      await accessible(page);
    };
    await signIn(page, daybind.url, admin);
    await page.goto(`${daybind.url}${providers}`);
    await settled();
    await page.getByRole('link', { name: 'New profile' }).click();
    await enter(page, 'Contoso', application, secret);
    await expect(page.getByText('The profile is saved.').first()).toBeVisible();
    await page.goto(`${daybind.url}${providers}&rebind=calendar`);
    await page.getByLabel('Profile', { exact: true }).selectOption({ label: 'Contoso' });
    await press('Review the change');
    await press('Use Contoso for Calendar');
    await expect(row(page, /^Calendar/)).toContainText('Contoso');
    await settled();

    // What nobody can know without trying is tried: redirect URI, consent, and a look at the tester's calendars.
    await row(page, /^Contoso$/).getByRole('link', { name: 'Contoso' }).click();
    await press('Test sign-in for Calendar');
    await page.locator('#allow').first().click();
    await expect(row(page, /^Test sign-in for Calendar$/)).toContainText('Calendars that could be listed: 3.');
    for (const label of ['Email', 'Teams']) {
      await expect(row(page, new RegExp(`^Test sign-in for ${label}$`))).toContainText('Not tested');
    }
    await settled();

    await page.goto(`${daybind.url}${providers}`);
    await hydrated(page);
    await page.getByLabel('Client ID', { exact: true }).fill('daybind-demo.apps.googleusercontent.com');
    await page.getByLabel('Client secret', { exact: true }).fill('demo-google-secret');
    await press('Save Google client');
    await expect(page.getByText('The OAuth client is saved.').first()).toBeVisible();
    for (const value of [secret, 'demo-google-secret']) expect(await page.content()).not.toContain(value);
    await settled();

    await leave(page);
    await signIn(page, daybind.url, technician);
    const chosen: [string, string, string][] = [];
    for (const [provider, label, title] of [['microsoft', 'Outlook', 'subject'], ['google', 'Google Calendar', 'summary']] as const) {
      await page.goto(`${daybind.url}/msp/profile?tab=calendar`);
      await hydrated(page);
      await press(`Connect ${label}`);
      await page.locator('#allow').first().click();
      await expect(page).toHaveURL(/calendarAuth=success/);
      await hydrated(page);
      const picker = page.getByLabel('Calendar', { exact: true });
      const calendar = await picker.locator('option:not([disabled])[value]:not([value=""])').first().getAttribute('value') ?? '';
      await picker.selectOption(calendar);
      await press('Show what the first sync will do');
      await press('Start syncing');
      await expect(page.getByText('Calendar and direction are saved.').first()).toBeVisible();
      await settled();
      chosen.push([provider, calendar, title]);
    }
    await page.goto(`${daybind.url}/msp/schedule?entry=new`);
    await hydrated(page);
    await page.getByLabel('Title').fill('Visit Fabrikam');
    await press('Save entry');
    await expect(page.getByText('Visit Fabrikam').first()).toBeVisible();
    for (const [provider, calendar, title] of chosen) {
      const copies = async () => {
        const answer = await page.request.get(`${fakes.url}/_control/${provider}/events?calendar=${encodeURIComponent(calendar)}`);
        const events = await answer.json();
        return (Array.isArray(events) ? events : events.events).filter((event: Record<string, string>) => event[title] === 'Visit Fabrikam').length;
      };
      await expect.poll(copies).toBe(1);
    }
  });
}
