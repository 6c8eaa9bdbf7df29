// The search: what somebody may open is found, and nothing else.
import { connect } from './connections.js';
import { accessible, admin, expect, hydrated, leave, signIn, technician, test } from './daybind.js';
import { done, hands } from './keyboard.js';
import { application, directory, providers, secret } from './profiles.js';

const settings = '/msp/settings?tab=integrations&category=calendar';

for (const edition of ['ce', 'ee'] as const) {
  test.describe(`without scripts in ${edition}`, () => {
    test.use({ javaScriptEnabled: false });

    test('pages and profiles are found by a plain form, by whoever may open them', async ({ start, page }) => {
      const { url } = await start(edition);
      await signIn(page, url, admin);
      const made = await page.request.post(`${url}/_fn/create_microsoft_profile`, {
        form: { display_name: 'Bürgenstock', client_id: application, directory_id: directory, client_secret: secret },
      });
      expect(made.ok(), await made.text()).toBe(true);
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Search' }).click();
      await expect(page.getByRole('heading', { level: 1, name: 'Search' })).toBeVisible();
      await expect(page.getByRole('link', { name: 'Audit log' })).toBeVisible();
      const field = page.getByLabel('Search for');
      const find = async (text: string) => {
        await field.fill(text);
        await page.getByRole('button', { name: 'Search' }).click();
        await expect(page).toHaveURL(`${url}/msp/search?${new URLSearchParams({ q: text }).toString()}`);
        await expect(field).toHaveValue(text);
      };
      await find('bürgen');
      await expect(page.getByText('1 result.')).toBeVisible();
      await page.getByRole('main').getByRole('link', { name: 'Bürgenstock' }).click();
      await expect(page).toHaveURL(new RegExp(`${providers.replace(/[?]/g, '[?]')}&profile=`));
      await expect(page.getByRole('heading', { name: 'Bürgenstock' }).first()).toBeVisible();
      await page.goto(`${url}/msp/search`);
      await find('<b>& nothing "like" it');
      await expect(page.getByText('Nothing was found.')).toBeVisible();

      await leave(page);
      await signIn(page, url, technician);
      await page.goto(`${url}/msp/search`);
      await expect(page.getByRole('link', { name: 'Audit log' })).toHaveCount(0);
      for (const text of ['bürgen', application, 'providers']) {
        await find(text);
        await expect(page.getByText('Nothing was found.')).toBeVisible();
      }
      await find('password');
      await page.getByRole('main').getByRole('link', { name: 'Change my password' }).click();
      await expect(page.getByRole('heading', { name: 'Password' })).toBeVisible();
    });

    test('every page that is listed opens', async ({ start, page }) => {
      const { url } = await start(edition);
      await signIn(page, url, admin);
      await page.goto(`${url}/msp/search`);
      const links = await page.getByRole('main').locator('a').evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
      expect(links.length).toBeGreaterThan(10);
      for (const link of links) {
        const answer = await page.goto(`${url}${link}`);
        expect(answer?.status(), link).toBe(200);
        // Stale addresses are sent on: none of ours is.
        expect(page.url(), link).toBe(`${url}${link}`);
        const { hash } = new URL(page.url());
        if (hash !== '') await expect(page.locator(hash), link).toHaveCount(1);
      }
    });
  });
}

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('a connection is found by whoever may open it', async ({ fakes, start, page }) => {
    const { url } = await start('ee', { providers: true, env: fakes.env });
    const connection = await connect(page, url);
    const links = page.getByRole('region', { name: 'Calendar connections' }).getByRole('link');
    await page.goto(`${url}/msp/search?q=outlook+tess`);
    await expect(links).toHaveCount(0);
    await page.goto(`${url}/msp/search?q=tess`);
    await expect(links).toHaveCount(1);
    await links.click();
    await expect(page).toHaveURL(`${url}/msp/profile?tab=calendar`);

    await leave(page);
    await signIn(page, url, admin);
    await page.goto(`${url}/msp/search?q=tess`);
    await expect(links).toHaveCount(1);
    await links.click();
    await expect(page).toHaveURL(`${url}${settings}&connection=${connection}`);
    await page.goto(`${url}/msp/search?q=tom+technician`);
    await expect(page.getByRole('region', { name: 'People' })).toBeVisible();
    await expect(links).toHaveCount(0);
  });
});

test('a connection is found and opened by keyboard (K13)', async ({ fakes, start, page }) => {
  const { url } = await start('ee', { providers: true, env: fakes.env });
  const connection = await connect(page, url);
  await leave(page);
  const { press, type, signIn: enter } = hands(page);
  await enter(url, admin);
  await press(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Search' }));
  await expect(page.getByRole('heading', { level: 1, name: 'Search' })).toBeVisible();
  await accessible(page);
  await type('Search for', 'tess');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/q=tess/);
  await hydrated(page);
  await accessible(page);
  await press(page.getByRole('region', { name: 'Calendar connections' }).getByRole('link'));
  await expect(page).toHaveURL(`${url}${settings}&connection=${connection}`);
  await done(page, 'Tess Technician');
  await page.goBack();
  await expect(page.getByLabel('Search for')).toHaveValue('tess');
});
