// Sign-in against an OpenID provider by others (oidc-provider), through the servers as shipped, in a real browser.
import { join } from 'node:path';
import { type Page } from '@playwright/test';
import {
  type Daybind, type Edition, Program, accessible, admin, answers, expect, freePort, hydrated, leave, signIn, technician, test,
} from './daybind.js';
import { nameServer } from './dns.js';

const directory = '11111111-1111-4111-8111-111111111111';
const application = '8f0f6b1c-0000-4000-8000-00000000000a';
const secret = 'oidc-provider-secret-Zk3q';
const requests = '/msp/settings?tab=integrations&category=sign-in';

interface Site { daybind: Daybind; stop(): Promise<void> }
type Start = (edition: Edition, options: { env: Record<string, string> }) => Promise<Daybind>;

async function call(page: Page, url: string, name: string, form: Record<string, string> = {}): Promise<unknown> {
  const answer = await page.request.post(`${url}/_fn/${name}`, { form });
  expect(answer.status(), `${name}: ${await answer.text()}`).toBe(200);
  return answer.json();
}

/** An installation whose MSP SSO is bound to a profile of that directory, and whose login domain counts. */
async function ready(start: Start, edition: Edition, page: Page): Promise<Site> {
  const port = await freePort();
  const login = `http://127.0.0.1:${port}`;
  const records = new Map<string, string>();
  const dns = await nameServer(records);
  const daybind = await start(edition, {
    database: edition === 'ee' ? 'postgres' : 'sqlite',
    env: { DAYBIND_MICROSOFT_LOGIN_URL: login, DAYBIND_DNS_SERVER: dns.address },
  });
  const provider = new Program(process.execPath, [join(import.meta.dirname, '../oidc/entra.mjs')], {
    ENTRA_PORT: String(port), ENTRA_DIRECTORY: directory, ENTRA_CLIENT: application, ENTRA_SECRET: secret,
    ENTRA_REDIRECT: `${daybind.url}/api/auth/callback/azure-ad`,
  });
  const described = `${login}/${directory}/v2.0/.well-known/openid-configuration`;
  await answers(described, provider.child, () => provider.log);
  // Its page wants a font from elsewhere.
  await page.context().route('https://fonts.googleapis.com/**', (route) => route.fulfill({ contentType: 'text/css', body: '' }));

  await signIn(page, daybind.url, admin);
  await call(page, daybind.url, 'create_microsoft_profile', {
    display_name: 'Sign-in', client_id: application, directory_id: directory, client_secret: secret,
  });
  const { profiles } = await call(page, daybind.url, 'list_microsoft_profiles') as { profiles: { profile_id: string }[] };
  await call(page, daybind.url, 'set_microsoft_consumer_binding', {
    consumer: 'msp_sso', profile_id: profiles[0]!.profile_id,
  });
  if (edition === 'ce') {
    await call(page, daybind.url, 'add_login_domain', { domain: 'demo.daybind.test' });
  } else {
    await call(page, daybind.url, 'request_domain_claim', { domain: 'demo.daybind.test' });
    const { claims } = await call(page, daybind.url, 'list_domain_claims') as {
      claims: { domain: { domain_id: string }; challenge: { host: string; value: string } }[];
    };
    const claim = claims[0]!;
    records.set(claim.challenge.host, claim.challenge.value);
    await call(page, daybind.url, 'check_domain_claim', { domain_id: claim.domain.domain_id });
  }
  await leave(page);
  return { daybind, stop: async () => { dns.stop(); await provider.stop(); } };
}

/** From the sign-in page to Microsoft's. */
async function setOut(page: Page, url: string, email: string): Promise<void> {
  await page.goto(`${url}/auth/msp/signin`);
  await page.getByLabel('Work email').fill(email);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText(email)).toBeVisible();
  await page.getByRole('button', { name: 'Sign in with Microsoft' }).click();
}

/** On the provider's own pages: who it is, and yes. */
async function agree(page: Page, account: string): Promise<void> {
  await page.locator('input[name="login"]').fill(account);
  await page.locator('input[name="password"]').fill('anything');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

async function journey(start: Start, edition: Edition, page: Page, look: (page: Page) => Promise<void>): Promise<void> {
  const { daybind, stop } = await ready(start, edition, page);
  // Nobody has the account yet: an administrator decides whose it is.
  await setOut(page, daybind.url, technician);
  await agree(page, technician);
  await expect(page.getByRole('heading', { name: 'Your administrator has to approve this account' })).toBeVisible();
  await look(page);
  await leave(page);
  await signIn(page, daybind.url, admin);
  await page.goto(`${daybind.url}${requests}`);
  await look(page);
  await expect(page.getByText('Microsoft confirms that this directory owns the domain')).toBeVisible();
  await expect(page.getByLabel('Whose account is it?').locator('option:checked')).toContainText(technician);
  await page.getByRole('button', { name: `Connect ${technician}` }).click();
  await expect(page.getByText('The account is connected. Its owner can sign in with it now.')).toBeVisible();
  await leave(page);
  // Now it lets its owner in, and leads to where they wanted to go.
  await page.goto(`${daybind.url}/msp/profile?tab=profile`);
  await expect(page).toHaveURL(/\/auth\/msp\/signin\?next=/);
  await page.getByLabel('Work email').fill(technician);
  await page.getByRole('button', { name: 'Continue' }).click();
  await look(page);
  await page.getByRole('button', { name: 'Sign in with Microsoft' }).click();
  await agree(page, technician);
  await page.waitForURL(`${daybind.url}/msp/profile?tab=profile`);
  await expect(page.getByRole('rowheader', { name: technician })).toBeVisible();
  await look(page);
  // Nothing of the round trip stays behind in the browser, and nothing secret in the log.
  const names = (await page.context().cookies(daybind.url)).map((cookie) => cookie.name);
  expect(names.filter((name) => name.includes('flow'))).toEqual([]);
  expect(daybind.log()).not.toContain(secret);
  expect(daybind.log()).not.toMatch(/eyJ|state=|code=[\w-]{20}/);
  await leave(page);
  // Accounts that are not of the directory.
  for (const [account, heading] of [
    ['guest.tess@demo.daybind.test', 'This account is of another directory'],
    ['personal.tess@demo.daybind.test', 'Personal Microsoft accounts cannot sign in'],
    ['nobody.tess@demo.daybind.test', 'The sign-in could not be trusted'],
  ] as const) {
    await setOut(page, daybind.url, account);
    await agree(page, account);
    await expect(page.getByRole('heading', { name: heading })).toBeVisible();
    await leave(page);
  }
  // No at the provider.
  await setOut(page, daybind.url, technician);
  await page.getByRole('link', { name: 'Cancel' }).click();
  await expect(page.getByRole('heading', { name: 'You stopped the sign-in' })).toBeVisible();
  await page.getByRole('link', { name: 'Try again' }).click();
  await expect(page.getByLabel('Work email')).toHaveValue(technician);
  await stop();
}

for (const edition of ['ce', 'ee'] as const) {
  test(`people of ${edition} sign in through an OpenID provider by others (M-11, M-13, U12)`, async ({ start, page }) => {
    await journey(start, edition, page, async (shown) => {
      await hydrated(shown);
      await accessible(shown);
    });
  });
}

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('people sign in through an OpenID provider by others', async ({ start, page }) => {
    await journey(start, 'ce', page, async () => {});
  });
});

test('the sign-in page works with the keyboard alone', async ({ start, page }) => {
  const daybind = await start('ce');
  await page.goto(`${daybind.url}/auth/msp/signin`);
  await hydrated(page);
  await accessible(page);
  await page.getByLabel('Work email').focus();
  await page.keyboard.type('nobody');
  await page.getByLabel('Work email').fill('nobody@unknown.example');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Sign in with Microsoft' })).toBeVisible();
  await hydrated(page);
  await accessible(page);
  await page.getByRole('button', { name: 'Sign in with Microsoft' }).focus();
  await page.keyboard.press('Enter');
  const heading = page.getByRole('heading', { name: 'Sign-in with Microsoft is not ready for this organisation' });
  await expect(heading).toBeFocused();
  await hydrated(page);
  await accessible(page);
  // The way in that needs no Microsoft.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Work email')).toHaveValue('nobody@unknown.example');
  await page.getByLabel('Work email').fill(admin);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Work email')).toHaveValue(admin);
  await page.getByLabel('Password').fill('wrong');
  await page.keyboard.press('Enter');
  await expect(page.getByText('That work email and password do not match.')).toBeVisible();
  await page.getByLabel('Password').fill('daybind-demo');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/msp\/schedule/);
});
