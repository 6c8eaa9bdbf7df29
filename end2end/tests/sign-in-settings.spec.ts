import { accessible, admin, expect, hydrated, signIn, technician, test } from './daybind.js';
import { nameServer } from './dns.js';

const settings = '/msp/settings?tab=integrations&category=login-domains';
const security = '/msp/profile?tab=security';

test('an admin lists a login domain in Community and tests an address', async ({ start, page }) => {
  const daybind = await start('ce');
  await signIn(page, daybind.url, admin);
  await page.goto(`${daybind.url}${settings}`);
  await hydrated(page);
  await accessible(page);
  await page.getByLabel('Domain', { exact: true }).fill('gmail.com');
  await page.getByRole('button', { name: 'Add login domain' }).click();
  await expect(page.getByText('Anybody can have an address at gmail.com').first()).toBeVisible();
  await page.getByLabel('Domain', { exact: true }).fill('https://Demo.Daybind.test/');
  await page.getByRole('button', { name: 'Add login domain' }).click();
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: /^demo\.daybind\.test/ }) });
  await expect(row.getByText('Not tested')).toBeVisible();
  await expect(row.getByText('3', { exact: true })).toBeVisible();
  await page.getByLabel('Work email', { exact: true }).fill(technician);
  await page.getByRole('button', { name: 'Test this address' }).click();
  await expect(page.getByText('demo.daybind.test is in your list of login domains.')).toBeVisible();
  await expect(page.getByText('MSP SSO is not bound to a Microsoft profile.')).toBeVisible();
  await hydrated(page);
  await accessible(page);
  await page.getByRole('button', { name: 'Remove demo.daybind.test' }).click();
  await expect(page.getByText('There is no login domain yet')).toBeVisible();
  const words = (await page.locator('body').innerText()).toLowerCase();
  for (const word of ['calendar', 'teams', 'google', 'dns']) expect(words).not.toContain(word);
});

test('an admin proves a login domain by DNS in Enterprise and revokes it', async ({ start, page }) => {
  const records = new Map<string, string>();
  const dns = await nameServer(records);
  const daybind = await start('ee', { env: { DAYBIND_DNS_SERVER: dns.address } });
  await signIn(page, daybind.url, admin);
  await page.goto(`${daybind.url}${settings}`);
  await hydrated(page);
  await page.getByLabel('Domain', { exact: true }).fill('demo.daybind.test');
  await page.getByRole('button', { name: 'Claim domain' }).click();
  await expect(page.getByRole('heading', { name: 'demo.daybind.test' })).toBeVisible();
  const host = '_daybind-challenge.demo.daybind.test';
  await expect(page.getByText(host, { exact: true })).toBeVisible();
  const value = await page.getByText(/^daybind-verification=[0-9a-f]{48}$/).innerText();
  await page.getByRole('button', { name: 'Check demo.daybind.test now' }).click();
  await expect(page.getByText('The name has no TXT record yet.')).toBeVisible();
  records.set(host, 'v=spf1 -all');
  await page.getByRole('button', { name: 'Check demo.daybind.test now' }).click();
  await expect(page.getByText('v=spf1 -all')).toBeVisible();
  await accessible(page);
  records.set(host, value);
  await page.getByRole('button', { name: 'Check demo.daybind.test now' }).click();
  await expect(page.getByText('Working')).toBeVisible();
  await page.goto(`${daybind.url}${settings}&address=${encodeURIComponent(technician)}`);
  await hydrated(page);
  await expect(page.getByText('demo.daybind.test is verified as yours.')).toBeVisible();
  await accessible(page);
  await page.getByText('Revoke demo.daybind.test').first().click();
  await expect(page.getByText('3 people of yours have an address there').first()).toBeVisible();
  await page.getByLabel('I have read whom this concerns').check();
  await page.getByRole('button', { name: 'Revoke demo.daybind.test' }).click();
  await expect(page.getByRole('button', { name: 'Verify demo.daybind.test' })).toBeVisible();
  dns.stop();
});

test('a person ends their session on another device (M-26)', async ({ start, page, browser }) => {
  const daybind = await start('ce');
  await signIn(page, daybind.url, technician);
  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await signIn(other, daybind.url, technician);
  await page.goto(`${daybind.url}${security}`);
  await hydrated(page);
  await accessible(page);
  await expect(page.getByText('This is the session you are using')).toHaveCount(1);
  await page.getByRole('button', { name: /^End the session on/ }).click();
  await expect(page.getByRole('button', { name: /^End the session on/ })).toHaveCount(0);
  await other.goto(`${daybind.url}/msp/schedule`);
  await expect(other).toHaveURL(/\/auth\/msp\/signin/);
  await elsewhere.close();
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  for (const edition of ['ce', 'ee'] as const) {
    test(`login domains and sessions are plain forms in ${edition}`, async ({ start, page, browser }) => {
      const daybind = await start(edition);
      const elsewhere = await browser.newContext();
      await signIn(await elsewhere.newPage(), daybind.url, admin);
      await signIn(page, daybind.url, admin);
      await page.goto(`${daybind.url}${settings}`);
      await page.getByLabel('Domain', { exact: true }).fill('co.uk');
      await page.getByRole('button', { name: edition === 'ce' ? 'Add login domain' : 'Claim domain' }).click();
      await expect(page.getByText('co.uk is shared by many organisations').first()).toBeVisible();
      await page.getByLabel('Domain', { exact: true }).fill('contoso.com');
      await page.getByRole('button', { name: edition === 'ce' ? 'Add login domain' : 'Claim domain' }).click();
      await expect(page.getByText('contoso.com', { exact: true }).first()).toBeVisible();
      await page.getByLabel('Work email', { exact: true }).fill('ada@contoso.com');
      await page.getByRole('button', { name: 'Test this address' }).click();
      await expect(page.getByText('Nobody of your MSP has this address')).toBeVisible();
      await page.goto(`${daybind.url}${security}`);
      await page.getByRole('button', { name: 'End all other sessions' }).click();
      await expect(page.getByText('All other sessions have ended.')).toBeVisible();
      await page.getByLabel('Current password').fill('daybind-demo');
      await page.getByLabel('New password', { exact: true }).fill('correct horse battery');
      await page.getByLabel('New password again').fill('correct horse battery');
      await page.getByRole('button', { name: 'Change password' }).click();
      await expect(page.getByText('Your password is changed')).toBeVisible();
      await elsewhere.close();
    });
  }
});
