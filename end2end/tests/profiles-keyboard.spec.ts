// Profiles without a mouse: Tab, Enter, Space and letters only. `tabTo` fails where the focus cannot be seen.
import { type Page } from '@playwright/test';
import { accessible, admin, expect, hydrated, password, test } from './daybind.js';
import { done, hands, noTrap, refused } from './keyboard.js';
import { application, directory, heading, row, section, secret, tabTo, wrong } from './profiles.js';

/** A profile, made the way any program may. */
async function make(page: Page, url: string, display_name: string, client_secret: string): Promise<void> {
  const made = await page.request.post(`${url}/_fn/create_microsoft_profile`, {
    form: { display_name, client_id: application, directory_id: directory, client_secret },
  });
  expect(made.ok(), await made.text()).toBe(true);
}

for (const edition of ['ce', 'ee'] as const) {
  test(`a profile is created, verified and bound with the keyboard alone in ${edition}`, async ({ fakes, start, page }) => {
    const daybind = await start(edition, { env: fakes.env });
    const { keyboard } = page;
    const button = (name: string) => page.getByRole('button', { name, exact: true });
    const go = async (target: Parameters<typeof tabTo>[1], key = 'Enter') => {
      await tabTo(page, target);
      await keyboard.press(key);
    };
    const type = async (label: string, text: string) => {
      await tabTo(page, page.getByLabel(label));
      // A field that Tab leads into is marked as a whole: typing takes the place of what it holds.
      await keyboard.type(text);
    };

    await page.goto(`${daybind.url}/auth/msp/signin?step=password`);
    await hydrated(page);
    await type('Work email', admin);
    await type('Password', password);
    await keyboard.press('Enter');
    await page.waitForURL(/\/msp\/schedule/);
    await hydrated(page);
    await go(page.getByRole('link', { name: 'Settings' }));
    await expect(page.getByRole('heading', { level: 1, name: 'Providers' })).toBeVisible();
    // One goes on in the page, not at its top.
    await expect(page.getByRole('main')).toBeFocused();

    await go(page.getByRole('link', { name: 'New profile' }));
    await expect(page.getByRole('heading', { name: 'New profile' })).toBeFocused();
    await type('Display name', 'Contoso');
    await type('Application (client) ID', 'not a guid');
    await type('Directory (tenant) ID', directory);
    await type('Client secret value', secret);
    await keyboard.press('Enter');
    // What is wrong is read first, and leads to the field.
    const summary = page.getByRole('alert').filter({ hasText: 'has the form 00000000-0000' });
    await expect(summary).toBeFocused();
    await accessible(page);
    await go(summary.getByRole('link', { name: /has the form/ }));
    const client = page.getByLabel('Application (client) ID');
    await expect(client).toBeFocused();
    await expect(client).toHaveAttribute('aria-invalid', 'true');
    await keyboard.press('Control+A');
    await keyboard.type(application);
    await go(button('Save profile'), 'Space');
    await expect(page.getByText('The profile is saved.', { exact: false })).toBeVisible();
    await expect(page.getByRole('main')).toBeFocused();

    await go(row(page, /^Contoso$/).getByRole('link', { name: 'Contoso' }));
    await expect(page.getByRole('heading', { level: 1, name: 'Contoso' })).toBeFocused();
    await go(button('Verify now'));
    await expect(page.getByText('Microsoft was asked.', { exact: false })).toBeVisible();
    await hydrated(page);
    await expect(page.getByRole('heading', { level: 1, name: 'Contoso' })).toBeFocused();
    await go(page.getByRole('link', { name: 'Dismiss' }));
    await expect(page.getByText('Microsoft was asked.', { exact: false })).toHaveCount(0);
    await expect(page.getByRole('heading', { level: 1, name: 'Contoso' })).toBeFocused();
    await heading(page, 'Contoso');
    await expect(section(page, 'Verify')).toContainText('Microsoft issued a token');
    await keyboard.press('Shift+Tab');
    await expect(page.getByRole('link', { name: 'Back to Contoso' })).toBeFocused();
    await keyboard.press('Enter');
    await expect(page.getByRole('link', { name: 'All profiles' })).toBeVisible();
    await expect(page.getByRole('heading', { level: 1, name: 'Contoso' })).toBeFocused();
    await keyboard.press('Shift+Tab');
    await keyboard.press('Enter');
    await expect(page.getByRole('heading', { level: 1, name: 'Providers' })).toBeVisible();
    await expect(page.getByRole('main')).toBeFocused();

    await go(row(page, /^MSP SSO/).getByRole('link', { name: 'Choose a profile for MSP SSO' }));
    await expect(page.getByRole('heading', { name: 'Choose a profile for MSP SSO' })).toBeFocused();
    await tabTo(page, page.getByLabel('Profile', { exact: true }));
    await keyboard.type('Contoso');
    await go(button('Review the change'));
    const review = page.getByRole('heading', { name: 'Review the change of MSP SSO' });
    await expect(review).toBeFocused();
    await hydrated(page);
    await expect(review).toBeFocused();
    await accessible(page);
    await type('Note for the audit log (optional)', 'ticket 4711');
    await go(button('Use Contoso for MSP SSO'), 'Space');
    await expect(row(page, /^MSP SSO/)).toContainText('Changed by you at');
    await expect(page.getByRole('main')).toBeFocused();
    await accessible(page);

    // Whoever wants to archive it is led to what uses it.
    await go(row(page, /^Contoso$/).getByRole('link', { name: 'Contoso' }));
    await expect(page.getByRole('heading', { level: 1, name: 'Contoso' })).toBeFocused();
    await go(section(page, 'Used by').getByRole('link', { name: 'MSP SSO' }));
    await expect(row(page, /^MSP SSO/)).toBeVisible();
  });

  test(`K2 create a profile through the wizard in ${edition}`, async ({ fakes, start, page }) => {
    const daybind = await start(edition, { env: fakes.env });
    const { press, type, signIn: enter } = hands(page, `K2 ${edition}`);
    const enterprise = edition === 'ee';
    const button = (name: string) => page.getByRole('button', { name, exact: true });
    const at = async (step: string) => {
      await expect(page.getByRole('heading', { level: 1, name: `New profile: ${step}` })).toBeFocused();
    };
    await enter(daybind.url, admin);
    await press(page.getByRole('link', { name: 'Settings' }));
    await press(page.getByRole('link', { name: 'New profile' }));
    await press(page.getByRole('link', { name: 'New to Entra? Go step by step.' }));
    if (enterprise) {
      await at('What it is for');
      await press(page.getByLabel('MSP SSO', { exact: true }), 'Space');
      await press(button('Save and continue'));
    }
    await at('Register the app');
    await type('Display name', 'Fabrikam');
    await press(button('Save and continue'));
    await at('Redirect URIs');
    await press(page.getByLabel('Entered in Entra, for MSP SSO'), 'Space');
    await press(button('Save and continue'), 'Space');
    await at('IDs');
    await type('Application (client) ID', application);
    await type('Directory (tenant) ID', application);
    await page.keyboard.press('Enter');
    await refused(page, 'Both fields hold the same id.');
    await type('Directory (tenant) ID', directory);
    await press(button('Check and continue'));
    await at('Client secret');
    await type('Client secret value', secret);
    await press(button('Save the profile'));
    await at('Permissions and verify');
    await press(button('Verify now'));
    await expect(page.getByText('Microsoft issued a token', { exact: false })).toBeVisible();
    await press(page.getByRole('link', { name: 'Back to Fabrikam' }));
    await press(page.getByRole('link', { name: 'All profiles' }));
    await expect(row(page, /^Fabrikam$/)).toBeVisible();
    await noTrap(page);
  });

  test(`K3 verify, read the failure, fix it and verify in ${edition}`, async ({ fakes, start, page }) => {
    const daybind = await start(edition, { env: fakes.env });
    const { press, type, signIn: enter } = hands(page, `K3 ${edition}`);
    const button = (name: string) => page.getByRole('button', { name, exact: true });
    await enter(daybind.url, admin);
    await make(page, daybind.url, 'Contoso', wrong);
    await press(page.getByRole('link', { name: 'Settings' }));
    await press(row(page, /^Contoso$/).getByRole('link', { name: 'Contoso' }));
    await expect(page.getByRole('heading', { level: 1, name: 'Contoso' })).toBeFocused();
    await press(button('Verify now'));
    await done(page, 'Microsoft was asked. The results are below.');
    const failed = page.getByRole('row').filter({ hasText: 'The client secret is wrong.' });
    await expect(failed).toContainText('Often the Secret ID was pasted instead of the Value.');
    await noTrap(page);
    await press(page.getByRole('link', { name: 'Back to Contoso' }));
    await press(page.getByRole('link', { name: 'Rotate secret' }));
    await expect(page.getByRole('heading', { name: 'Bring in a new secret' })).toBeVisible();
    await type('Client secret value', secret);
    await press(button('Verify and keep beside the current one'));
    await done(page, 'The new secret is kept beside the one in use.');
    await press(button('Switch to the new secret now'), 'Space');
    await done(page, 'The new secret is in use.');
    await noTrap(page);
    await press(page.getByRole('link', { name: 'Back to Contoso' }));
    await press(button('Verify now'));
    await done(page, 'Microsoft was asked. The results are below.');
    await expect(page.getByRole('row').filter({ hasText: 'Microsoft issued a token' })).toContainText('Working');
    await expect(failed).toHaveCount(0);
  });

  test(`K5 try to archive a bound profile, follow the link, rebind and archive in ${edition}`, async ({ fakes, start, page }) => {
    const daybind = await start(edition, { env: fakes.env });
    const { press, choose, signIn: enter } = hands(page, `K5 ${edition}`);
    const button = (name: string) => page.getByRole('button', { name, exact: true });
    await enter(daybind.url, admin);
    await make(page, daybind.url, 'Contoso main', secret);
    await make(page, daybind.url, 'Contoso spare', secret);
    const id = await page.request.post(`${daybind.url}/_fn/list_microsoft_profiles`, { form: {} })
      .then(async (answer) => (await answer.json() as { profiles: { profile_id: string; display_name: string }[] }).profiles)
      .then((all) => all.find(({ display_name }) => display_name === 'Contoso main')!.profile_id);
    // Its page is read while nothing uses it; then a colleague binds it.
    await press(page.getByRole('link', { name: 'Settings' }));
    await press(row(page, /^Contoso main$/).getByRole('link', { name: 'Contoso main' }));
    await expect(page.getByRole('heading', { level: 1, name: 'Contoso main' })).toBeFocused();
    const bound = await page.request.post(`${daybind.url}/_fn/set_microsoft_consumer_binding`, {
      form: { consumer: 'msp_sso', profile_id: id },
    });
    expect(bound.ok()).toBe(true);
    await press(button('Archive profile'));
    await expect(page.getByRole('main').getByText('Contoso main cannot be archived. It is in use by MSP SSO.').first()).toBeVisible();
    await noTrap(page);
    await press(section(page, 'Used by').getByRole('link', { name: 'MSP SSO' }));
    const board = row(page, /^MSP SSO/);
    await press(board.getByRole('link', { name: 'Change for MSP SSO' }));
    await expect(page.getByRole('heading', { name: 'Choose a profile for MSP SSO' })).toBeFocused();
    await choose('Profile', 'Contoso spare');
    await press(button('Review the change'));
    await expect(page.getByRole('heading', { name: 'Review the change of MSP SSO' })).toBeFocused();
    await hydrated(page);
    await press(button('Use Contoso spare for MSP SSO'));
    await expect(board).toContainText('Contoso spare');
    await press(row(page, /^Contoso main$/).getByRole('link', { name: 'Contoso main' }));
    await press(button('Archive profile'));
    await done(page, 'The profile is archived.');
    await noTrap(page);
  });
}
