// Community never speaks of what it does not offer: on no page, in no source, in no payload and in no program.
import { type Page, type Response } from '@playwright/test';
import { accessible, admin, expect, hydrated, leave, signIn, technician, test } from './daybind.js';
import { application, directory, heading, providers, row, secret } from './profiles.js';
import { inPayload, inProgram, inSource, inText, words } from './words.js';

const integrations = '/msp/settings?tab=integrations';

/** Reads whatever the browser is sent. */
class Reader {
  /** Signing in is a page that is left at once; it is looked at by itself. */
  paused = false;
  readonly calls = new Set<string>();
  readonly files = new Set<string>();
  pages = 0;
  private readonly found: string[] = [];
  private readonly pending: Promise<void>[] = [];

  constructor(private readonly page: Page) {
    page.on('response', (response) => {
      if (!this.paused) this.pending.push(this.read(response));
    });
  }

  private async read(response: Response): Promise<void> {
    const { pathname } = new URL(response.url());
    // A redirection has no body.
    if (response.status() >= 300 && response.status() < 400) return;
    if (pathname.startsWith('/_fn/')) {
      this.note(pathname, inPayload(await response.text()));
      this.calls.add(pathname.slice('/_fn/'.length));
    } else if (/\.(js|wasm)$/.test(pathname)) {
      // The same file every time.
      if (this.files.has(pathname)) return;
      this.files.add(pathname);
      this.note(pathname, inProgram(await response.body()));
    } else if (response.request().resourceType() === 'document') {
      this.note(pathname, inSource(await response.text()));
      this.pages += 1;
    }
  }

  private note(place: string, found: string[]): void {
    this.found.push(...found.map((hit) => `${place}: ${hit}`));
  }

  /** The page as it is seen now. */
  async look(): Promise<void> {
    await hydrated(this.page);
    await Promise.all(this.pending);
    this.note(this.page.url(), inText(await this.page.locator('body').innerText()));
  }

  heard(): string[] {
    return [...new Set(this.found)];
  }
}

async function everybodysPages(page: Page, url: string, reader: Reader): Promise<void> {
  const visit = async (path: string) => {
    await page.goto(`${url}${path}`);
    await reader.look();
  };
  for (const path of [
    '/msp/schedule', '/msp/schedule?as=agenda', '/msp/schedule?saved=entry', '/msp/schedule?saved=deleted', '/msp/schedule?entry=new',
    '/msp/profile?tab=profile', '/msp/profile?tab=security', '/msp/profile?tab=security&saved=password',
    // The tab that Community does not have leads to one it has.
    '/msp/profile?tab=calendar',
  ]) await visit(path);
  await page.goto(`${url}/msp/schedule`);
  await page.getByRole('link', { name: /^Edit / }).first().click();
  await expect(page.getByLabel('Title')).toBeVisible();
  await reader.look();
  // The same places without a page load.
  const { calls } = reader;
  const follow = async (link: string, call: string) => {
    calls.delete(call);
    await page.getByRole('link', { name: link, exact: true }).click();
    await expect.poll(() => calls.has(call), { message: `${link} calls ${call}` }).toBe(true);
    await reader.look();
  };
  const rail = page.getByRole('navigation', { name: 'Main' });
  await rail.getByRole('link', { name: 'Profile' }).click();
  await expect.poll(() => calls.has('sign_in_methods')).toBe(true);
  await reader.look();
  await follow('Security', 'list_sessions');
  await follow('Schedule', 'list_schedule');
}

/** A profile by the walkthrough, each of its steps, and all its panels. */
async function profilePages(page: Page, url: string, reader: Reader): Promise<void> {
  const visit = async (rest: string) => {
    await page.goto(`${url}${providers}${rest}`);
    await reader.look();
  };
  const send = async (form: Record<string, string>) => {
    const answer = await page.request.post(`${url}/_fn/build_microsoft_profile`, { form });
    expect(answer.ok(), await answer.text()).toBe(true);
  };
  for (const rest of ['', '&profile=new', '&rebind=msp_sso', '&profile=new&panel=1']) await visit(rest);
  await send({ act: 'choose', 'consumers[]': 'msp_sso' });
  await visit('&profile=new&panel=2');
  await send({ act: 'name', display_name: 'Contoso' });
  await visit('&profile=new&panel=3');
  await send({ act: 'uris', 'entered[]': `${url}/api/auth/callback/azure-ad` });
  await visit('&profile=new&panel=4');
  await send({ act: 'ids', client_id: application, directory_id: directory });
  await visit('&profile=new&panel=5');
  await send({ act: 'secret', client_secret: secret });
  await visit('&profile=new&panel=6');
  await page.getByRole('button', { name: 'Verify now' }).click();
  await expect(page.getByText('Microsoft issued a token', { exact: false })).toBeVisible();
  await reader.look();
  await visit('&profile=new&panel=6');
  await page.getByRole('link', { name: 'Review and use it for MSP SSO' }).click();
  await expect(page.getByRole('heading', { name: 'Review the change of MSP SSO' })).toBeVisible();
  await reader.look();
  await page.getByRole('button', { name: 'Use Contoso for MSP SSO' }).click();
  await expect(row(page, /^MSP SSO/)).toContainText('Contoso');
  await reader.look();
  await row(page, /^Contoso$/).getByRole('link', { name: 'Contoso' }).click();
  await heading(page, 'Contoso');
  await reader.look();
  const profile = new URL(page.url()).searchParams.get('profile');
  for (const rest of [
    `&profile=${profile}`, `&profile=${profile}&panel=rotate`, `&profile=${profile}&panel=verify`,
    `&profile=${profile}&panel=verify&number=AADSTS50011`, `&profile=${profile}&saved=archived`, '&rebind=msp_sso',
    '&rebind=msp_sso&to=none', '&saved=profile', '&saved=undone', '&saved=oauth_client', '&notice=enterprise',
  ]) await visit(rest);
  const refused = await page.request.get(`${url}${providers}&rebind=calendar`);
  expect(inSource(await refused.text())).toEqual([]);
}

test('no page, payload or program of Community speaks of what it does not offer', async ({ fakes, start, page }) => {
  test.setTimeout(180_000);
  const daybind = await start('ce', { env: fakes.env });
  const { url } = daybind;
  const reader = new Reader(page);
  for (const rest of ['', '?step=password', '?error=credentials', '?error=email', '?error=limited', '?error=microsoft']) {
    await page.goto(`${url}/auth/msp/signin${rest}`);
    await reader.look();
  }
  const enter = async (who: string) => {
    reader.paused = true;
    await leave(page);
    await signIn(page, url, who);
    await hydrated(page);
    reader.paused = false;
  };
  await enter(technician);
  await everybodysPages(page, url, reader);
  await expect(page.getByRole('link', { name: 'Settings' })).toHaveCount(0);
  for (const path of [providers, `${integrations}&category=login-domains`, '/msp/operations?view=audit']) {
    const refused = await page.request.get(`${url}${path}`);
    expect(inSource(await refused.text()), path).toEqual([]);
  }
  await enter(admin);
  await everybodysPages(page, url, reader);
  await profilePages(page, url, reader);
  for (const path of [
    // The category that Community does not have leads to one it has.
    `${integrations}&category=calendar`, `${integrations}&category=login-domains`, `${integrations}&category=sign-in`,
    `${integrations}&category=login-domains&address=ada%40contoso.com`, '/msp/operations?view=audit',
  ]) {
    await page.goto(`${url}${path}`);
    await reader.look();
    await accessible(page);
  }
  // The settings and their categories without a page load.
  await page.goto(`${url}/msp/schedule`);
  await hydrated(page);
  for (const [link, call] of [
    ['Settings', 'list_microsoft_profiles'], ['Login domains', 'list_login_domains'], ['Sign-in requests', 'list_sign_in_requests'],
    ['Providers', 'list_microsoft_consumer_bindings'], ['Contoso', 'microsoft_profile_page'], ['Operations', 'list_audit'],
  ] as const) {
    reader.calls.delete(call);
    await page.getByRole('link', { name: link, exact: true }).first().click();
    await expect.poll(() => reader.calls.has(call), { message: `${link} calls ${call}` }).toBe(true);
    await reader.look();
  }
  expect(reader.heard()).toEqual([]);
  expect([...new Set([...reader.files].map((file) => file.split('.').pop()))].sort()).toEqual(['js', 'wasm']);
  expect(reader.pages).toBeGreaterThan(50);
});

test('the same reading hears Enterprise', async ({ start, page }) => {
  const daybind = await start('ee', { providers: true });
  await signIn(page, daybind.url, admin);
  await page.goto(`${daybind.url}${providers}`);
  const html = await page.content();
  const pages = await page.request.get(`${daybind.url}/pkg/__wasm_split_manifest.json`);
  const parts = new Set(Object.values((await pages.json()) as Record<string, string[]>).flat());
  const programs: Buffer[] = [];
  for (const part of ['daybind', ...parts]) programs.push(await (await page.request.get(`${daybind.url}/pkg/${part}.wasm`)).body());
  const payload = await page.request.post(`${daybind.url}/_fn/list_microsoft_consumer_bindings`, { form: {} });
  const heard = (found: string[]) => [...new Set(found.map((hit) => hit.split(':')[0]!))];
  expect(heard(inSource(html)).sort()).toEqual([...words].sort());
  expect(heard(inText(await page.locator('body').innerText())).sort()).toEqual([...words].sort());
  expect(heard(inPayload(await payload.text()))).toContain('calendar');
  expect(heard(programs.flatMap((program) => inProgram(program)))).toContain('outlook');
});
