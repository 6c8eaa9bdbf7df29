// Every page there is, in the states a person meets, filled with the longest words a person would enter.
import { type Page } from '@playwright/test';
import { disagree } from './conflicts.js';
import { admin, type Daybind, type Edition, expect, type Fakes, hydrated, leave, signIn, technician } from './daybind.js';
import { application, directory, providers, secret } from './profiles.js';

/** What is asked of each page. */
export type Look = (page: Page, path: string) => Promise<void>;

const integrations = '/msp/settings?tab=integrations';
/** One word, longer than a phone is wide. */
export const long = 'Donaudampfschifffahrtsgesellschaftskapitaenswitwenrente';

async function post(page: Page, url: string, name: string, form: Record<string, string>): Promise<void> {
  const answer = await page.request.post(`${url}/_fn/${name}`, { form });
  expect(answer.ok(), `${name}: ${await answer.text()}`).toBe(true);
}

/** Two profiles, the first bound to MSP SSO and with a second secret that waits; a login domain; a draft of a third. */
async function furnish(page: Page, url: string, edition: Edition): Promise<string> {
  const made = async (display_name: string, client_id: string) => post(page, url, 'create_microsoft_profile', {
    display_name, client_id, directory_id: directory, client_secret: secret,
  });
  await made(long, application);
  await made(`${long} spare`, '33333333-3333-4333-8333-333333333333');
  await page.goto(`${url}${providers}&rebind=msp_sso`);
  const id = await page.locator('#rebind-to option', { hasText: new RegExp(`^${long}$`) }).getAttribute('value') ?? '';
  expect(id).not.toBe('');
  await post(page, url, 'set_microsoft_consumer_binding', { consumer: 'msp_sso', profile_id: id });
  await post(page, url, 'change_microsoft_profile', { act: 'verify', profile_id: id, version: '0' });
  await post(page, url, 'change_microsoft_profile', {
    act: 'stage', profile_id: id, version: '0', client_secret: secret, secret_expires_on: '2030-01-31',
  });
  const domain = `${long.toLowerCase()}.example`;
  await post(page, url, edition === 'ce' ? 'add_login_domain' : 'request_domain_claim', { domain });
  return id;
}

/** The walkthrough, one step after the other, up to its last. */
async function walkthrough(page: Page, url: string, visit: (path: string) => Promise<void>): Promise<void> {
  const send = async (form: Record<string, string>) => post(page, url, 'build_microsoft_profile', form);
  const step = async (number: number) => visit(`${providers}&profile=new&panel=${number}`);
  await step(1);
  await send({ act: 'choose', 'consumers[]': 'msp_sso' });
  await step(2);
  await send({ act: 'name', display_name: `${long} third` });
  await step(3);
  await send({ act: 'uris', 'entered[]': `${url}/api/auth/callback/azure-ad` });
  await step(4);
  await send({ act: 'ids', client_id: application, directory_id: directory });
  await step(5);
  await send({ act: 'secret', client_secret: secret });
  await step(6);
}

/** Goes to every page of the edition and looks at each. The installation must have the demo tenant, and the stand-ins. */
export async function everyPage(page: Page, daybind: Daybind, edition: Edition, fakes: Fakes, look: Look): Promise<void> {
  const { url } = daybind;
  const visit = async (path: string) => {
    await page.goto(`${url}${path}`);
    await hydrated(page);
    await look(page, path);
  };
  // The browser itself notes in its console that a page was refused; that is meant here, so no one listens.
  const refused = async (path: string) => {
    const aside = await page.context().newPage();
    await aside.goto(`${url}${path}`);
    await hydrated(aside);
    await look(aside, path);
    await aside.close();
  };
  const enter = async (who: string) => {
    await leave(page);
    await signIn(page, url, who);
  };
  for (const path of [
    '/auth/msp/signin', '/auth/msp/signin?step=password', '/auth/msp/signin?error=credentials',
    '/auth/msp/signin?error=limited&wait=90', '/auth/msp/result?code=connected', '/auth/msp/result?code=nonsense',
  ]) await visit(path);

  await enter(admin);
  const id = await furnish(page, url, edition);
  await page.goto(`${url}/msp/schedule?entry=new`);
  await hydrated(page);
  for (const label of ['Title', 'Location (optional)', 'Notes (optional)']) await page.getByLabel(label).fill(long);
  await page.getByRole('button', { name: 'Save entry' }).click();
  const entry = await page.getByRole('link', { name: `Edit ${long}` }).getAttribute('href') ?? '';
  const profile = `${providers}&profile=${id}`;
  for (const path of [
    '/msp/schedule', '/msp/schedule?week=1999-01-01', '/msp/schedule?entry=new', entry,
    '/msp/schedule?saved=entry', '/msp/schedule?as=agenda', '/msp/schedule?status=cancelled', '/msp/schedule?week=2026-10-25',
    '/msp/schedule?entry=new&at=2026-10-25T02:00',
    providers, `${providers}&saved=profile`, `${providers}&notice=enterprise`, `${providers}&profile=new`,
    profile, `${profile}&saved=updated`, `${profile}&panel=verify`, `${profile}&panel=verify&number=AADSTS50011`,
    `${profile}&panel=rotate`,
    `${providers}&rebind=msp_sso`, `${providers}&rebind=msp_sso&to=${id}`, `${providers}&rebind=msp_sso&to=none`,
    `${integrations}&category=login-domains`,
    `${integrations}&category=login-domains&address=${encodeURIComponent(`ada@${long.toLowerCase()}.example`)}`,
    `${integrations}&category=sign-in`,
    '/msp/operations?view=audit', '/msp/operations?view=audit&action=profile.created',
    '/msp/operations?view=audit&subject=nothing-like-it',
    '/msp/profile?tab=profile', '/msp/profile?tab=security', '/msp/profile?tab=security&saved=password',
    '/msp/search', `/msp/search?q=${long}`, `/msp/search?q=${'nothing-like-it'.repeat(9)}`,
  ]) await visit(path);
  for (const path of [
    `${providers}&profile=00000000-0000-4000-8000-000000000000`, '/msp/operations?view=audit&from=nonsense',
    `${integrations}&category=login-domains&address=nonsense`, '/msp/nowhere',
  ]) await refused(path);
  await walkthrough(page, url, visit);
  if (edition === 'ce') return;

  await page.goto(`${url}${entry}`);
  await page.getByLabel('Location (optional)').fill('Hall 3');
  await page.getByRole('button', { name: 'Save entry' }).click();
  await expect(page.getByText('The entry is saved.').first()).toBeVisible();
  await page.goto(`${url}${entry}`);
  const version = await page.getByRole('link', { name: /^Restore this version/ }).getAttribute('href') ?? '';
  for (const path of [version, version.replace(/version=.*/, 'version=all'), '/msp/schedule?saved=deleted&gone=1']) await visit(path);
  await refused(version.replace(/version=.*/, 'version=00000000-0000-4000-8000-000000000000'));

  for (const path of [
    ...['email', 'calendar', 'teams'].map((consumer) => `${providers}&rebind=${consumer}&to=${id}`),
    ...['', '&show=without', '&show=attention', '&show=conflicts', '&view=conflicts', '&find=nobody'].map((asked) => `${integrations}&category=calendar${asked}`),
  ]) await visit(path);
  await post(page, url, 'set_microsoft_consumer_binding', { consumer: 'calendar', profile_id: id });
  await enter(technician);
  for (const path of ['/msp/profile?tab=calendar', '/msp/profile?tab=calendar&calendarAuth=error&calendarError=denied']) await visit(path);
  await page.goto(`${url}/msp/profile?tab=calendar`);
  await hydrated(page);
  await page.getByRole('button', { name: 'Connect Outlook' }).click();
  await page.locator('#allow').first().click();
  await page.waitForURL(/calendarAuth=success/);
  await hydrated(page);
  await look(page, '/msp/profile?tab=calendar, before a calendar is chosen');
  const picker = page.getByLabel('Calendar', { exact: true });
  await picker.selectOption(await picker.locator('option:not([disabled])[value]:not([value=""])').first().getAttribute('value') ?? '');
  await page.getByRole('button', { name: 'Show what the first sync will do' }).click();
  await expect(page.getByText('The first sync will')).toBeVisible();
  await hydrated(page);
  await page.getByText('Show the list').click();
  await look(page, '/msp/profile?tab=calendar, before the first sync');
  await page.getByRole('button', { name: 'Start syncing' }).click();
  await expect(page.getByText('Calendar and direction are saved.', { exact: false })).toBeVisible();
  for (const path of ['/msp/profile?tab=calendar', '/msp/schedule']) await visit(path);
  const connection = await page.goto(`${url}/msp/profile?tab=calendar`)
    .then(async () => page.locator('input[name="connection_id"]').first().getAttribute('value')) ?? '';
  const { address } = await disagree(page, url, fakes.url, connection, `${long} here`, `${long} there`);
  await visit(address.slice(url.length));
  for (const ours of await page.getByRole('radio', { name: /^Schedule/ }).all()) await ours.check();
  await page.getByRole('button', { name: 'Show the result first' }).click();
  await expect(page.getByRole('button', { name: 'Confirm' })).toBeVisible();
  await hydrated(page);
  await look(page, '/msp/profile?tab=calendar&conflict=…, what both sides will say');
  const own = '/msp/profile?tab=calendar&view=conflicts';
  for (const path of [own, `${own}&side=schedule&pick=all`, `${own}&side=schedule`, `${own}&done=1&left=1`]) await visit(path);
  await visit('/msp/profile?tab=calendar');
  await refused('/msp/profile?tab=calendar&conflict=00000000-0000-4000-8000-000000000000');
  await enter(admin);
  const one = `${integrations}&category=calendar&connection=${connection}`;
  for (const path of [`${integrations}&category=calendar`, `${integrations}&category=calendar&view=conflicts`, one, `/msp/search?q=${connection}`]) await visit(path);
  await post(page, url, 'manage_calendar_connections', { action: 'pause', hours: '24', 'connection_ids[]': connection });
  for (const path of [`${integrations}&category=calendar&saved=pause&done=1&left=2`, `${one}&saved=sync&done=1&left=0`]) await visit(path);
  const activity = '/msp/operations?view=activity';
  for (const path of [activity, `${activity}&result=failed`, `${activity}&connection=${connection}`]) await visit(path);
  await visit('/msp/operations?view=health');
  await page.goto(`${url}${activity}`);
  await visit(await page.locator('tbody th a').first().getAttribute('href') ?? '');
  await refused(`${activity}&run=00000000-0000-4000-8000-000000000000`);
  await refused(`${integrations}&category=calendar&connection=00000000-0000-4000-8000-000000000000`);
  await enter(technician);
  await visit('/msp/profile?tab=calendar');
}
