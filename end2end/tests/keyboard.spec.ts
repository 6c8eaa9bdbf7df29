// Settings, security and the audit log without a mouse, in both editions. Profiles: profiles-keyboard.spec.ts.
import { readFileSync } from 'node:fs';
import { accessible, admin, expect, hydrated, leave, password, signIn, technician, test } from './daybind.js';
import { nameServer } from './dns.js';
import { connect } from './connections.js';
import { done, hands, noTrap, refused, sized, sizes, whole } from './keyboard.js';
import { application, directory, row } from './profiles.js';

// Every key is a step, and each is looked at.
test.describe.configure({ timeout: 180_000 });

const editions = ['ce', 'ee'] as const;
const domain = 'demo.daybind.test';

for (const edition of editions) {
  test(`K6 add, check and revoke a login domain in ${edition}`, async ({ start, page }) => {
    const records = new Map<string, string>();
    const dns = await nameServer(records);
    const daybind = await start(edition, { env: edition === 'ee' ? { DAYBIND_DNS_SERVER: dns.address } : {} });
    const { press, type, signIn: enter } = hands(page, `K6 ${edition}`);
    const button = (name: string) => page.getByRole('button', { name, exact: true });
    await enter(daybind.url, admin);
    await press(page.getByRole('link', { name: 'Settings' }));
    await press(page.getByRole('link', { name: 'Login domains' }));
    await expect(page.getByRole('heading', { level: 1, name: 'Login domains and passwords' })).toBeVisible();
    await type('Domain', 'co.uk');
    await page.keyboard.press('Enter');
    const summary = await refused(page, 'co.uk is shared by many organisations');
    await accessible(page);
    await press(summary.getByRole('link'));
    await expect(page.getByLabel('Domain', { exact: true })).toBeFocused();
    await page.keyboard.press('Control+A');
    await page.keyboard.type(domain);
    await page.keyboard.press('Enter');

    if (edition === 'ce') {
      await done(page, 'The login domain is listed.');
    } else {
      await done(page, 'The domain is claimed.');
      const value = await page.getByText(/^daybind-verification=[0-9a-f]{48}$/).innerText();
      await press(button(`Check ${domain} now`));
      await done(page, 'The name has no TXT record yet.');
      records.set(`_daybind-challenge.${domain}`, value);
      await press(button(`Check ${domain} now`), 'Space');
      await done(page, 'Working');
    }
    await type('Work email', technician);
    await page.keyboard.press('Enter');
    await done(page, edition === 'ce' ? `${domain} is in your list of login domains.` : `${domain} is verified as yours.`);
    await hydrated(page);
    await accessible(page);

    if (edition === 'ce') {
      await press(button(`Remove ${domain}`));
      await done(page, 'There is no login domain yet');
    } else {
      await press(page.locator('summary', { hasText: `Revoke ${domain}` }));
      await press(page.getByLabel('I have read whom this concerns'), 'Space');
      await press(button(`Revoke ${domain}`));
      await done(page, 'The domain is revoked.');
      await expect(button(`Verify ${domain}`)).toBeVisible();
    }
    await noTrap(page);
    dns.stop();
  });

  test(`sessions and a new password by keyboard in ${edition}`, async ({ start, page, browser }) => {
    const daybind = await start(edition);
    const elsewhere = await Promise.all([browser.newContext(), browser.newContext()]);
    const others = await Promise.all(elsewhere.map((context) => context.newPage()));
    for (const other of others) await signIn(other, daybind.url, technician);
    const { press, type, signIn: enter } = hands(page);
    await enter(daybind.url, technician);
    await press(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Profile' }));
    await press(page.getByRole('link', { name: 'Security' }));
    // The second time neither address nor message change.
    const end = page.getByRole('button', { name: /^End the session on/ });
    for (const left of [1, 0]) {
      await press(end.first());
      await expect(end).toHaveCount(left);
      await done(page, 'The session has ended.');
    }
    for (const other of others) {
      await other.goto(`${daybind.url}/msp/schedule`);
      await expect(other).toHaveURL(/\/auth\/msp\/signin/);
    }

    const change = async (current: string) => {
      await type('Current password', current);
      await type('New password', 'correct horse battery');
      await type('New password again', 'correct horse battery');
      await page.keyboard.press('Enter');
    };
    await change('not my password');
    const wrong = page.getByRole('alert');
    await expect(wrong).toBeFocused();
    await accessible(page);
    await press(wrong.getByRole('link').first());
    await expect(page.getByLabel('Current password')).toBeFocused();
    await page.keyboard.press('Shift+Tab');
    await change(password);
    await done(page, 'Your password is changed');
    await accessible(page);
    for (const context of elsewhere) await context.close();
  });

  test(`K11 export CSV: the audit log is filtered and taken away in ${edition} (M-44)`, async ({ start, page }) => {
    const daybind = await start(edition);
    const { press, choose, signIn: enter } = hands(page, `K11 ${edition}`);
    await enter(daybind.url, admin);
    const made = await page.request.post(`${daybind.url}/_fn/create_microsoft_profile`, {
      form: {
        display_name: 'Contoso', client_id: '33333333-3333-4333-8333-333333333333', directory_id: directory,
        client_secret: 'q8Q~a-real-looking-secret-wxyz',
      },
    });
    expect(made.ok()).toBe(true);
    await press(page.getByRole('link', { name: 'Operations' }));
    await expect(page.getByRole('heading', { level: 1, name: 'Audit log' })).toBeVisible();
    await choose('What', 'Profile created');
    await press(page.getByRole('button', { name: 'Filter' }));
    await expect(page).toHaveURL(/action=profile\.created/);
    await expect(page.locator('tbody tr')).toHaveCount(1);
    await hydrated(page);
    await accessible(page);
    const download = page.waitForEvent('download');
    await press(page.getByRole('button', { name: 'Download as CSV' }), 'Space');
    const lines = readFileSync(await (await download).path(), 'utf8').trim().split('\r\n');
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('profile.created');
    await press(page.getByRole('link', { name: 'Clear filters' }));
    await expect.poll(() => page.locator('tbody tr').count()).toBeGreaterThan(1);
    await noTrap(page);
  });

  for (const size of edition === 'ee' ? sizes : [sizes[0]]) {
    sized(size, () => {
      test(`K4 rebind ${edition === 'ee' ? 'Calendar' : 'MSP SSO'} with its impact, confirm and undo in ${edition}${size} (W68)`, async ({ fakes, start, page }) => {
        const daybind = await start(edition, { providers: edition === 'ee', env: fakes.env });
        const service = edition === 'ce' ? 'MSP SSO' : 'Calendar';
        if (edition === 'ee') {
          await connect(page, daybind.url);
          await leave(page);
        }
        const { press, type, choose, signIn: enter } = hands(page, `K4 ${edition}${size}`);
        await enter(daybind.url, admin);
        for (const [display_name, client_id] of [['Contoso main', application], ['Contoso spare', '33333333-3333-4333-8333-333333333333']]) {
          const made = await page.request.post(`${daybind.url}/_fn/create_microsoft_profile`, {
            form: { display_name: display_name!, client_id: client_id!, directory_id: directory, client_secret: 'q8Q~a-real-looking-secret-wxyz' },
          });
          expect(made.ok()).toBe(true);
        }
        await press(page.getByRole('link', { name: 'Settings' }));
        const board = row(page, new RegExp(`^${service}`));
        const change = async (profile: string, impact?: string) => {
          await press(board.getByRole('link', { name: new RegExp(`^(Change|Choose a profile) for ${service}$`) }));
          await expect(page.getByRole('heading', { name: `Choose a profile for ${service}` })).toBeFocused();
          await choose('Profile', profile);
          await press(page.getByRole('button', { name: 'Review the change' }));
          await expect(page.getByRole('heading', { name: `Review the change of ${service}` })).toBeFocused();
          await hydrated(page);
          if (impact) await expect(page.getByText(impact, { exact: false }).first()).toBeVisible();
          await whole(page);
          await type('Note for the audit log (optional)', 'ticket 4711');
          await press(page.getByRole('button', { name: `Use ${profile} for ${service}` }));
          await done(page, 'The service now uses the profile you chose.');
          await expect(board).toContainText(profile);
        };
        // The same application as before, and then another one.
        await change('Contoso main', edition === 'ee' ? 'Same application: nobody needs to reconnect.' : undefined);
        if (size === '') await accessible(page);
        await change('Contoso spare', edition === 'ee' ? '1 person must connect Outlook again.' : undefined);
        await press(page.getByRole('button', { name: `Undo: use Contoso main for ${service} again` }), 'Space');
        await done(page, 'The change is taken back.');
        await expect(board).toContainText('Contoso main');
        await noTrap(page);
        if (size !== '') return;
        await press(board.getByRole('link', { name: `Unbind ${service}` }));
        await expect(page.getByRole('heading', { name: `Review unbinding ${service}` })).toBeFocused();
        await accessible(page);
        await press(page.getByRole('button', { name: `Unbind ${service}` }));
        await done(page, 'The service now uses no profile.');
        await expect(board).toContainText('Not connected');
      });
    });
  }
}
