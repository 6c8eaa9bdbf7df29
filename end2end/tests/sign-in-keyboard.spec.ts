// In and out with the keyboard alone: the address leads to Microsoft, Microsoft back to where one wanted to go.
import { type Page } from '@playwright/test';
import { accessible, admin, type Daybind, type Edition, expect, hydrated, leave, signIn, technician, test } from './daybind.js';
import { nameServer } from './dns.js';
import { consent, hands, noTrap, sized, sizes, whole } from './keyboard.js';
import { application, directory, secret } from './profiles.js';

const domain = technician.split('@')[1]!;

async function call<T>(page: Page, url: string, name: string, form: Record<string, string> = {}): Promise<T> {
  const answer = await page.request.post(`${url}/_fn/${name}`, { form });
  expect(answer.status(), `${name}: ${await answer.text()}`).toBe(200);
  return await answer.json() as T;
}

/** MSP SSO is bound, the domain counts, and the technician's Microsoft account is approved. */
async function known(page: Page, { url }: Daybind, edition: Edition, records: Map<string, string>): Promise<void> {
  await signIn(page, url, admin);
  await call(page, url, 'create_microsoft_profile', {
    display_name: 'Sign-in', client_id: application, directory_id: directory, client_secret: secret,
  });
  const { profiles } = await call<{ profiles: { profile_id: string; display_name: string }[] }>(page, url, 'list_microsoft_profiles');
  const { profile_id } = profiles.find(({ display_name }) => display_name === 'Sign-in')!;
  await call(page, url, 'set_microsoft_consumer_binding', { consumer: 'msp_sso', profile_id });
  if (edition === 'ce') {
    await call(page, url, 'add_login_domain', { domain });
  } else {
    await call(page, url, 'request_domain_claim', { domain });
    const { claims } = await call<{ claims: { domain: { domain_id: string }; challenge: { host: string; value: string } }[] }>(
      page, url, 'list_domain_claims',
    );
    const { domain: { domain_id }, challenge } = claims[0]!;
    records.set(challenge.host, challenge.value);
    await call(page, url, 'check_domain_claim', { domain_id });
  }
  await leave(page);
  await page.goto(`${url}/auth/msp/signin`);
  await page.getByLabel('Work email').fill(technician);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Sign in with Microsoft' }).click();
  await page.locator('#allow').click();
  await expect(page.getByRole('heading', { name: 'Your administrator has to approve this account' })).toBeVisible();
  await leave(page);
  await signIn(page, url, admin);
  await page.goto(`${url}/msp/settings?tab=integrations&category=sign-in`);
  await hydrated(page);
  const approved = page.waitForResponse(/approve_sign_in_request/);
  const whose = page.getByLabel('Whose account is it?');
  await whose.selectOption(await whose.locator('option', { hasText: technician }).getAttribute('value'));
  await page.getByRole('button', { name: /^Connect / }).click();
  await approved;
  await expect(page.getByText('The account is connected.', { exact: false }).first()).toBeVisible();
  await leave(page);
}

for (const edition of ['ce', 'ee'] as const) {
  for (const size of edition === 'ee' ? sizes : [sizes[0]]) {
    sized(size, () => {
      test(`K1 sign in by discovery in ${edition}${size}`, async ({ fakes, start, page }) => {
        const records = new Map<string, string>();
        const dns = await nameServer(records);
        const daybind = await start(edition, { env: { ...fakes.env, DAYBIND_DNS_SERVER: dns.address } });
        await known(page, daybind, edition, records);
        const { press, type } = hands(page, `K1 ${edition}${size}`);
        const wanted = `${daybind.url}/msp/profile?tab=security`;
        await page.goto(wanted);
        await expect(page).toHaveURL(/\/auth\/msp\/signin\?next=/);
        await hydrated(page);
        await whole(page);
        await type('Work email', technician);
        await press(page.getByRole('button', { name: 'Continue' }), 'Space');
        await expect(page.getByText(technician)).toBeVisible();
        await hydrated(page);
        await accessible(page);
        await noTrap(page);
        await press(page.getByRole('button', { name: 'Sign in with Microsoft' }));
        await consent(page);
        // In, and where one wanted to go.
        await page.waitForURL(wanted);
        await hydrated(page);
        await whole(page);
        await noTrap(page);
        await press(page.getByRole('button', { name: 'Sign out' }));
        await expect(page).toHaveURL(/\/auth\/msp\/signin/);
        await page.goto(wanted);
        await expect(page).toHaveURL(/\/auth\/msp\/signin\?next=/);
        dns.stop();
      });
    });
  }
}
