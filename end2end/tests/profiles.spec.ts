// A Microsoft profile from its creation to its end, in both editions, with scripts and without.
import { type Page } from '@playwright/test';
import { accessible, admin, type Daybind, expect, hydrated, listen, signIn, test } from './daybind.js';
import { application, directory, enter, heading, providers, row, secret, section, wrong } from './profiles.js';

/** What is looked at on every page. */
type Look = (page: Page) => Promise<void>;

const said = async (page: Page, text: string | RegExp) => {
  await expect(page.getByRole('main').getByText(text).first()).toBeVisible();
};

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}

async function open(page: Page, url: string, profile: string): Promise<void> {
  await page.goto(`${url}${providers}`);
  await row(page, new RegExp(`^${profile}$`)).getByRole('link', { name: profile }).click();
  await heading(page, profile);
}

/** Binds MSP SSO by way of its review. */
async function bind(page: Page, url: string, profile: string, look: Look): Promise<void> {
  await page.goto(`${url}${providers}&rebind=msp_sso`);
  await page.getByLabel('Profile', { exact: true }).selectOption({ label: profile });
  await press(page, 'Review the change');
  await expect(page.getByRole('heading', { name: 'Review the change of MSP SSO' })).toBeVisible();
  await look(page);
  await press(page, `Use ${profile} for MSP SSO`);
  await expect(row(page, /^MSP SSO/)).toContainText(profile);
}

/** Created after a mistake, edited, and what two people saved at once. */
async function createdAndEdited(page: Page, url: string, look: Look, scripts: boolean): Promise<void> {
  await page.goto(`${url}${providers}`);
  await look(page);
  await page.getByRole('link', { name: 'New profile' }).click();
  await enter(page, 'Contoso', 'not a guid', wrong);
  await said(page, 'has the form 00000000-0000');
  await look(page);
  await expect(page.getByLabel('Client secret value')).not.toHaveAttribute('value', /./);
  await expect(page.getByLabel('Display name')).toHaveValue('Contoso');
  await expect(page.getByLabel('Application (client) ID')).toHaveValue('not a guid');
  await expect(page.getByLabel('Directory (tenant) ID')).toHaveValue(directory);
  await enter(page, 'Contoso', application, wrong);
  await said(page, 'The profile is saved. Choose below which service uses it.');
  await expect(row(page, /^Contoso$/)).toContainText('Nothing');
  await look(page);

  await row(page, /^Contoso$/).getByRole('link', { name: 'Contoso' }).click();
  await heading(page, 'Contoso');
  await look(page);
  await section(page, 'Identity').getByLabel('Directory (tenant) ID').fill('common');
  await press(page, 'Save changes');
  await said(page, 'name no single directory');
  await look(page);
  const other = await page.context().newPage();
  const heard = listen(other, scripts);
  await other.goto(page.url());
  await section(page, 'Identity').getByLabel('Display name').fill('Contoso main');
  await section(page, 'Identity').getByLabel('Directory (tenant) ID').fill(directory);
  await section(page, 'Identity').getByLabel('Microsoft cloud').selectOption('US Government DoD');
  await press(page, 'Save changes');
  await said(page, 'The changes are saved.');
  await heading(page, 'Contoso main');
  await expect(section(page, 'Identity').getByLabel('Microsoft cloud')).toHaveValue('us_gov_dod');
  await section(page, 'Identity').getByLabel('Microsoft cloud').selectOption('Global (also GCC)');
  await press(page, 'Save changes');
  await expect(section(page, 'Identity').getByLabel('Microsoft cloud')).toHaveValue('global');
  await look(page);
  // The other page still shows how it was.
  await section(other, 'Identity').getByLabel('Display name').fill('Contoso mine');
  await press(other, 'Save changes');
  await said(other, /^Ada Admin changed this profile on .*, while you were editing it\.$/);
  await said(other, 'Now stored: Contoso main. You typed: Contoso mine.');
  await heading(other, 'Contoso main');
  await expect(section(other, 'Identity').getByLabel('Display name')).toHaveValue('Contoso main');
  await look(other);
  await other.close();
  expect(heard).toEqual([]);
}

/** A wrong secret, what Microsoft says about it, and the right one beside it: switched to, back, and to again. */
async function verifiedAndRotated(page: Page, url: string, look: Look): Promise<void> {
  await open(page, url, 'Contoso main');
  await press(page, 'Verify now');
  await said(page, 'Microsoft was asked. The results are below.');
  const failed = page.getByRole('row').filter({ hasText: 'The client secret is wrong.' });
  await expect(failed).toContainText('Failed');
  await expect(failed).toContainText('Often the Secret ID was pasted instead of the Value.');
  await expect(failed).toContainText('App registrations > your app > Certificates & secrets');
  await expect(failed.getByRole('link', { name: 'Entra', exact: true })).toHaveAttribute('href', /^https:\/\/entra\.microsoft\.com\//);
  await expect(failed).toContainText('AADSTS7000215');
  await expect(page.getByRole('row').filter({ hasText: 'Microsoft knows this directory' })).toContainText('Working');
  await look(page);

  await page.getByRole('link', { name: 'Back to Contoso main' }).click();
  await page.getByRole('link', { name: 'Rotate secret' }).click();
  await expect(page.getByRole('heading', { name: 'Bring in a new secret' })).toBeVisible();
  await look(page);
  const stage = async (value: string) => {
    await page.getByLabel('Client secret value').fill(value);
    await press(page, 'Verify and keep beside the current one');
  };
  await stage(application);
  await said(page, 'This looks like the Secret ID.');
  await look(page);
  await stage('Another~wrong.value_1234567890');
  await said(page, 'Often the Secret ID was pasted instead of the Value.');
  // What was wrong before is not said again.
  await expect(page.getByText('This looks like the Secret ID.', { exact: false })).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'New secret, not in use yet' })).toHaveCount(0);
  await page.getByLabel('Expires on').fill('2030-01-31');
  await stage(secret);
  await said(page, 'The new secret is kept beside the one in use.');
  await said(page, /^Microsoft accepted it on /);
  await look(page);
  const switchOver = async () => {
    await press(page, 'Switch to the new secret now');
    await said(page, 'The new secret is in use.');
  };
  await switchOver();
  await said(page, /^It is destroyed on /);
  await look(page);
  await press(page, 'Go back to the previous secret');
  await said(page, 'The previous secret is in use again.');
  await look(page);
  await switchOver();
  await page.getByRole('link', { name: 'Back to Contoso main' }).click();
  await press(page, 'Verify now');
  await expect(page.getByRole('row').filter({ hasText: 'Microsoft issued a token' })).toContainText('Working');
  await look(page);

  // A real round trip: declined first, then approved; whoever tests stays who they are.
  const test = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'Test sign-in for MSP SSO' }) });
  await expect(test).toContainText('Not tested');
  await press(page, 'Test sign-in for MSP SSO');
  await page.locator('#deny').first().click();
  await said(page, 'The test sign-in came back. Its result is below.');
  await expect(test).toContainText('The person declined the request.');
  await look(page);
  await press(page, 'Test sign-in for MSP SSO');
  await page.locator('#allow').first().click();
  await expect(test).toContainText('Working');
  await expect(test).toContainText('A real sign-in came back to this redirect URI');
  await look(page);
}

/** Not archived while something uses it, whatever an older page offers. */
async function boundAndArchived(page: Page, url: string, look: Look, scripts: boolean): Promise<void> {
  const older = await page.context().newPage();
  const heard = listen(older, scripts);
  await open(older, url, 'Contoso main');
  await bind(page, url, 'Contoso main', look);
  await press(older, 'Archive profile');
  await said(older, 'Contoso main cannot be archived. It is in use by MSP SSO.');
  await look(older);
  await older.close();
  expect(heard).toEqual([]);
  await open(page, url, 'Contoso main');
  await said(page, 'This profile can be neither archived nor deleted. It is in use by MSP SSO.');
  await expect(page.getByRole('button', { name: /^(Archive|Delete)/ })).toHaveCount(0);
  await expect(section(page, 'Used by').getByRole('link', { name: 'MSP SSO' })).toBeVisible();
  await look(page);
  await page.getByRole('link', { name: 'Choose another profile for it' }).click();

  await page.getByRole('link', { name: 'New profile' }).click();
  await enter(page, 'Contoso spare', application, secret);
  await said(page, 'The profile is saved.');
  await bind(page, url, 'Contoso spare', look);
  await open(page, url, 'Contoso main');
  await said(page, 'Another profile has the same Application (client) ID and Directory (tenant) ID: Contoso spare.');
  await press(page, 'Archive profile');
  await said(page, 'The profile is archived.');
  await expect(page.getByRole('button', { name: 'Save changes' })).toHaveCount(0);
  await look(page);
  // What is archived is folded away and cannot be chosen.
  await page.goto(`${url}${providers}&rebind=msp_sso`);
  await expect(page.getByText('There is no profile to choose').or(page.getByLabel('Profile', { exact: true }))).toBeVisible();
  await expect(page.locator('option', { hasText: 'Contoso main' })).toHaveCount(0);
  await look(page);
  await page.getByText('Archived profiles (1)').click();
  await row(page, /^Contoso main$/).getByRole('link', { name: 'Contoso main' }).click();
  await press(page, 'Restore profile');
  await said(page, 'The profile is active again.');
  await look(page);

  const leave = section(page, 'Archive and delete');
  await leave.getByLabel('Type Contoso main to confirm').fill('contoso main');
  await press(page, 'Delete profile');
  await said(page, 'Type the profile\'s name exactly');
  await look(page);
  await leave.getByLabel('Type Contoso main to confirm').fill('Contoso main');
  await press(page, 'Delete profile');
  await said(page, 'The profile is deleted.');
  await expect(row(page, /^Contoso main$/)).toHaveCount(0);
  await expect(row(page, /^MSP SSO/)).toContainText('Contoso spare');
  await row(page, /^MSP SSO/).getByRole('link', { name: 'Unbind MSP SSO' }).click();
  await expect(page.getByRole('heading', { name: 'Review unbinding MSP SSO' })).toBeVisible();
  await press(page, 'Unbind MSP SSO');
  await expect(row(page, /^MSP SSO/)).toContainText('Not connected');
  await look(page);
}

async function life(page: Page, daybind: Daybind, look: Look, scripts: boolean): Promise<void> {
  await signIn(page, daybind.url, admin);
  const closely: Look = async (shown) => {
    await look(shown);
    const html = await shown.content();
    for (const value of [secret, wrong]) expect(html).not.toContain(value);
  };
  await createdAndEdited(page, daybind.url, closely, scripts);
  await verifiedAndRotated(page, daybind.url, closely);
  await boundAndArchived(page, daybind.url, closely, scripts);
  for (const value of [secret, wrong]) expect(daybind.log()).not.toContain(value);
}

for (const edition of ['ce', 'ee'] as const) {
  test(`a profile is created, edited, verified, rotated, bound, archived, restored and deleted in ${edition} (W67, M-08)`, async ({ fakes, start, page }) => {
    test.setTimeout(180_000);
    await life(page, await start(edition, { env: fakes.env }), async (shown) => {
      await hydrated(shown);
      await accessible(shown);
    }, true);
  });
}

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  for (const edition of ['ce', 'ee'] as const) {
    test(`a profile lives its whole life by plain forms in ${edition} (W67, M-08)`, async ({ fakes, start, page }) => {
      await life(page, await start(edition, { env: fakes.env }), async () => {}, false);
    });
  }
});
