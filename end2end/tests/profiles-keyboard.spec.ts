// Profiles without a mouse: Tab, Enter, Space and letters only. `tabTo` fails where the focus cannot be seen.
import { accessible, admin, expect, hydrated, password, test } from './daybind.js';
import { application, directory, heading, row, section, secret, tabTo } from './profiles.js';

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
}
