import { accessible, admin, client, expect, hydrated, leave, signIn, technician, test } from './daybind.js';

const enterpriseOnly = { success: false, error: 'Calendar sync is only available in Enterprise Edition.' };
const stable = [
  '/api/auth/google/calendar/callback',
  '/api/auth/microsoft/calendar/callback',
  '/api/calendar/webhooks/google',
  '/api/calendar/webhooks/microsoft',
];

for (const edition of ['ce', 'ee'] as const) {
  const named = edition === 'ce' ? 'the Community binary' : 'the Enterprise binary run as ce';

  test(`${named} answers 501 on the stable routes, whatever is sent`, async ({ start, request }) => {
    const daybind = await start(edition, { env: { DAYBIND_EDITION: 'ce' } });
    for (const path of stable) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
        const answer = await request.fetch(`${daybind.url}${path}?validationToken=echo&code=x&state=%00`, {
          method, maxRedirects: 0, data: method === 'POST' ? '{"value":[' : undefined,
        });
        expect(answer.status(), `${method} ${path}`).toBe(501);
        expect(answer.headers()['content-type']).toBe('application/json');
        expect(await answer.json()).toEqual(enterpriseOnly);
      }
    }
    expect(daybind.log()).toContain('ce_stub');
  });

  test(`${named} shows MSP SSO and nothing of the rest`, async ({ start, page }) => {
    const daybind = await start(edition, { env: { DAYBIND_EDITION: 'ce' } });
    await signIn(page, daybind.url, admin);
    await hydrated(page);
    await accessible(page);
    await page.goto(`${daybind.url}/msp/settings?tab=integrations&category=calendar`);
    await expect(page).toHaveURL(/category=providers/);
    await hydrated(page);
    await expect(page.getByRole('rowheader', { name: /MSP SSO/ })).toBeVisible();
    await accessible(page);
    const words = (await page.locator('body').innerText()).toLowerCase();
    for (const word of ['calendar sync', 'teams', 'google', 'outlook']) expect(words).not.toContain(word);
    await page.goto(`${daybind.url}/msp/profile?tab=Calendar`);
    await expect(page).toHaveURL(/\/msp\/profile\?tab=profile$/);
    await hydrated(page);
    await expect(page.getByRole('link', { name: 'Calendar' })).toHaveCount(0);
    await accessible(page);
  });

  test(`${named} refuses calendar actions and Enterprise consumers in typed errors`, async ({ start, page }) => {
    const daybind = await start(edition, { env: { DAYBIND_EDITION: 'ce' } });
    await signIn(page, daybind.url, admin);
    const providers = await page.request.post(`${daybind.url}/_fn/get_calendar_providers`, { form: {} });
    expect(providers.status()).toBe(501);
    expect(await providers.json()).toMatchObject({ code: 'enterprise_only', message: enterpriseOnly.error });
    const binding = await page.request.post(`${daybind.url}/_fn/set_microsoft_consumer_binding`, {
      form: { consumer: 'calendar', profile_id: '00000000-0000-4000-8000-000000000000' },
    });
    expect(binding.status()).toBe(501);
    expect(await binding.json()).toMatchObject({ code: 'enterprise_only' });
  });
}

test('an admin creates a profile and binds it to MSP SSO', async ({ start, page }) => {
  const daybind = await start('ce');
  await signIn(page, daybind.url, admin);
  await page.goto(`${daybind.url}/msp/settings?tab=integrations&category=providers`);
  await hydrated(page);
  await page.getByRole('link', { name: 'New profile' }).click();
  await page.getByLabel('Display name').fill('Contoso main');
  await page.getByLabel('Application (client) ID').fill('not a guid');
  await page.getByLabel('Directory (tenant) ID').fill('11111111-1111-4111-8111-111111111111');
  await page.getByLabel('Microsoft cloud').selectOption('China (21Vianet)');
  await page.getByLabel('Client secret value').fill('q8Q~a-real-looking-secret-wxyz');
  await page.getByRole('button', { name: 'Save profile' }).click();
  await expect(page.getByText('has the form 00000000-0000').first()).toBeVisible();
  await expect(page.getByLabel('Display name')).toHaveValue('Contoso main');
  await expect(page.getByLabel('Microsoft cloud')).toHaveValue('china');
  await page.getByLabel('Microsoft cloud').selectOption('Global (also GCC)');
  await accessible(page);
  await page.getByLabel('Application (client) ID').fill('22222222-2222-4222-8222-222222222222');
  await page.getByLabel('Client secret value').fill('q8Q~a-real-looking-secret-wxyz');
  await page.getByRole('button', { name: 'Save profile' }).click();
  await expect(page.getByRole('rowheader', { name: /Contoso main/ })).toBeVisible();
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: /MSP SSO/ }) });
  await row.getByRole('link', { name: 'Choose a profile for MSP SSO' }).click();
  await page.getByLabel('Profile', { exact: true }).selectOption({ label: 'Contoso main' });
  await page.getByRole('button', { name: 'Review the change' }).click();
  await hydrated(page);
  await page.getByRole('button', { name: 'Use Contoso main for MSP SSO' }).click();
  await expect(row.getByText('Not tested')).toBeVisible();
  await expect(row.getByRole('cell').first()).toContainText('Contoso main');
  expect(await page.content()).not.toContain('q8Q~a-real-looking-secret');
});

test('technicians and client-portal users are kept out of settings', async ({ start, page }) => {
  const daybind = await start('ce');
  await signIn(page, daybind.url, technician);
  const listed = await page.request.post(`${daybind.url}/_fn/list_microsoft_profiles`, { form: {} });
  expect(listed.status()).toBe(403);
  await leave(page);
  const signedIn = await page.request.post(`${daybind.url}/auth/msp/signin`, {
    form: { email: client, password: 'daybind-demo' }, maxRedirects: 0,
  });
  expect(signedIn.status()).toBe(303);
  const settings = await page.request.get(`${daybind.url}/msp/settings?tab=integrations&category=providers`);
  expect(settings.status()).toBe(404);
  const asked = await page.request.post(`${daybind.url}/_fn/list_microsoft_profiles`, { form: {} });
  expect(asked.status()).toBe(403);
});

test('a mutation from another site is refused', async ({ start, page }) => {
  const daybind = await start('ce');
  await signIn(page, daybind.url, admin);
  const forged = await page.request.post(`${daybind.url}/_fn/create_microsoft_profile`, {
    form: { display_name: 'x', client_id: 'x', directory_id: 'x', client_secret: 'x' },
    headers: { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' },
  });
  expect(forged.status()).toBe(403);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('the schedule is read and written by plain forms', async ({ start, page }) => {
    const daybind = await start('ce');
    await signIn(page, daybind.url, technician);
    await page.getByRole('link', { name: 'New entry' }).click();
    await page.getByLabel('Title').fill('</textarea><script>alert(1)</script>');
    await page.getByLabel('Notes').fill('</textarea><script>alert(2)</script>');
    await page.getByRole('button', { name: 'Save entry' }).click();
    const entry = page.getByText('</textarea><script>alert(1)</script>');
    await expect(entry.first()).toBeVisible();
    await page.getByRole('link', { name: /^Edit.*alert\(1\)/ }).click();
    await expect(page.getByLabel('Notes')).toHaveValue('</textarea><script>alert(2)</script>');
  });
});
