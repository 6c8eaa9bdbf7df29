// The six steps through Entra to a new profile: left and come back to, with every pasted value checked.
import { type Page } from '@playwright/test';
import { accessible, admin, type Edition, expect, hydrated, signIn, test } from './daybind.js';
import { application, directory, fits, heading, providers, row, secret } from './profiles.js';

const step = (number: number | 'next') => `${providers}&profile=new&panel=${number}`;
const names = ['What it is for', 'Register the app', 'Redirect URIs', 'IDs', 'Client secret', 'Permissions and verify'];
const objectId = '8f0f6b1c-0000-4000-8000-00000000000b';

/** The step has its name, its number and its own address. */
async function at(page: Page, number: number, look: () => Promise<void>): Promise<void> {
  await heading(page, `New profile: ${names[number - 1]}`);
  await expect(page).toHaveURL(new RegExp(`profile=new&panel=${number}$`));
  await expect(page.getByText(`Step ${number} of 6.`, { exact: false })).toBeVisible();
  await look();
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}

/** Whoever goes away and comes back another day is where they were. */
async function comeBack(page: Page, url: string, number: number): Promise<void> {
  await page.goto(`${url}/msp/schedule`);
  await page.goto(`${url}${providers}&profile=new`);
  await page.getByRole('link', { name: 'New to Entra? Go step by step.' }).click();
  await heading(page, `New profile: ${names[number - 1]}`);
}

async function walk(page: Page, url: string, edition: Edition, look: () => Promise<void>): Promise<void> {
  const enterprise = edition === 'ee';
  // Where there is one use only, it is chosen, and one begins behind that question.
  const first = names[enterprise ? 0 : 1]!;
  await page.goto(`${url}${providers}&profile=new`);
  await look();
  await page.getByRole('link', { name: 'New to Entra? Go step by step.' }).click();
  await heading(page, `New profile: ${first}`);
  // No step that the answers do not lead to.
  await page.goto(`${url}${step(6)}`);
  await heading(page, `New profile: ${first}`);
  await look();
  const use = (label: string) => page.getByLabel(label, { exact: true });
  if (enterprise) {
    for (const label of ['MSP SSO', 'Email', 'Calendar', 'Teams']) await expect(use(label)).not.toBeChecked();
  } else {
    await page.goto(`${url}${step(1)}`);
    await look();
    await use('MSP SSO').uncheck();
  }
  await press(page, 'Save and continue');
  await expect(page.getByRole('alert')).toContainText('Choose at least one use.');
  await look();
  await use('MSP SSO').check();
  if (enterprise) await use('Calendar').check();
  await press(page, 'Save and continue');

  await at(page, 2, look);
  await page.getByLabel('Display name').fill('Fabrikam');
  const cloud = page.getByLabel('Microsoft cloud');
  await expect(cloud).toHaveValue('global');
  await expect(cloud.getByRole('option')).toHaveText(['Global (also GCC)', 'US Government GCC High', 'US Government DoD', 'China (21Vianet)']);
  // The portal of each, for whoever is in another one.
  await expect(page.getByRole('link', { name: 'for the US Government' })).toHaveAttribute('href', /^https:\/\/portal\.azure\.us\//);
  await press(page, 'Save and continue');

  await at(page, 3, look);
  const uris = [`${url}/api/auth/callback/azure-ad`, ...(enterprise ? [`${url}/api/auth/microsoft/calendar/callback`] : [])];
  for (const uri of uris) await expect(page.getByText(uri, { exact: true })).toBeVisible();
  // Only what was chosen.
  await expect(page.getByText('/api/teams/', { exact: false })).toHaveCount(0);
  const entered = (label: string) => page.getByLabel(`Entered in Entra, for ${label}`);
  if (enterprise) await entered('MSP SSO').check();
  await press(page, 'Save and continue');
  await expect(page.getByRole('alert')).toContainText('What you have ticked is saved.');
  await comeBack(page, url, 3);
  if (enterprise) await expect(entered('MSP SSO')).toBeChecked();
  await entered(enterprise ? 'Calendar' : 'MSP SSO').check();
  await press(page, 'Save and continue');

  await at(page, 4, look);
  const ids = async (client: string, tenant: string) => {
    await page.getByLabel('Application (client) ID').fill(client);
    await page.getByLabel('Directory (tenant) ID').fill(tenant);
    await press(page, 'Check and continue');
  };
  await ids(application, application);
  await expect(page.getByRole('alert')).toContainText('Both fields hold the same id.');
  await look();
  await ids(application, '99999999-9999-4999-8999-999999999999');
  await expect(page.getByRole('alert')).toContainText('There is no directory with this Directory (tenant) ID or domain.');
  // What was typed stays, and counts more than the block.
  for (const label of ['Application (client) ID', 'Directory (tenant) ID']) await page.getByLabel(label).clear();
  await page.getByLabel('The block from Overview').fill([
    'Display name', 'Fabrikam', 'Application (client) ID', application, 'Object ID', objectId, 'Directory (tenant) ID', directory,
  ].join('\n'));
  await press(page, 'Check and continue');

  await at(page, 5, look);
  await expect(page.getByText(`Microsoft knows the directory ${directory}.`)).toBeVisible();
  await comeBack(page, url, 5);
  // An earlier step is there to be read again, and nothing is lost by it.
  await page.getByRole('navigation', { name: 'Steps' }).getByRole('link', { name: 'IDs (done)' }).click();
  await at(page, 4, look);
  await expect(page.getByLabel('Application (client) ID')).toHaveValue(application);
  await page.getByRole('navigation', { name: 'Steps' }).getByRole('link', { name: 'Client secret' }).click();
  await at(page, 5, look);
  await page.getByLabel('Client secret value').fill(objectId);
  await press(page, 'Save the profile');
  await expect(page.getByRole('alert')).toContainText('This looks like the Secret ID. Paste the Value column of the client secret instead.');
  await expect(page.getByLabel('Client secret value')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Client secret value')).toHaveValue('');
  await look();
  await page.getByLabel('Client secret value').fill(secret);
  await page.getByLabel('Expires on').fill('2030-01-31');
  await press(page, 'Save the profile');

  await at(page, 6, look);
  expect(await page.content()).not.toContain(secret);
  await expect(page.getByRole('table', { name: 'Delegated permissions for MSP SSO' })).toContainText('openid');
  if (enterprise) await expect(page.getByRole('table', { name: 'Delegated permissions for Calendar' })).toContainText('Calendars.ReadWrite');
  await comeBack(page, url, 6);
  await press(page, 'Verify now');
  await expect(page.getByText('Microsoft issued a token', { exact: false })).toBeVisible();
  await comeBack(page, url, 6);
  // Nothing is bound by itself; the review is where the walkthrough leads.
  await page.getByRole('link', { name: 'Review and use it for MSP SSO' }).click();
  await press(page, 'Use Fabrikam for MSP SSO');
  await expect(row(page, /^MSP SSO/)).toContainText('Fabrikam');
  if (enterprise) await expect(row(page, /^Calendar/)).toContainText('Not connected');
  await look();
  await page.goto(`${url}${step('next')}`);
  await expect(page.getByRole('link', { name: 'Review and use it for MSP SSO' })).toHaveCount(0);
  await press(page, 'Finish');
  await expect(page).toHaveURL(new RegExp('category=providers$'));
  await page.goto(`${url}${step('next')}`);
  await heading(page, `New profile: ${first}`);
}

for (const edition of ['ce', 'ee'] as const) {
  test(`six steps lead through Entra to a profile, and can be left and come back to in ${edition}`, async ({ fakes, start, page }) => {
    const daybind = await start(edition, { env: fakes.env });
    await signIn(page, daybind.url, admin);
    await walk(page, daybind.url, edition, async () => {
      await hydrated(page);
      await accessible(page);
    });
  });
}

test('the six steps and the profile they make fit a window of 320 pixels', async ({ fakes, start, page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  const daybind = await start('ee', { env: fakes.env });
  await signIn(page, daybind.url, admin);
  await walk(page, daybind.url, 'ee', async () => fits(page));
  // And so does the profile it made.
  await page.goto(`${daybind.url}${providers}`);
  await fits(page);
  await row(page, /^Fabrikam$/).getByRole('link', { name: 'Fabrikam' }).click();
  await heading(page, 'Fabrikam');
  const profile = page.url();
  await fits(page);
  for (const panel of ['verify', 'rotate']) {
    await page.goto(`${profile}&panel=${panel}`);
    await hydrated(page);
    await fits(page);
  }
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  for (const edition of ['ce', 'ee'] as const) {
    test(`the six steps are plain forms in ${edition}`, async ({ fakes, start, page }) => {
      const daybind = await start(edition, { env: fakes.env });
      await signIn(page, daybind.url, admin);
      await walk(page, daybind.url, edition, async () => {});
    });
  }
});
