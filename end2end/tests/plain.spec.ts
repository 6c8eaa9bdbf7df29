// What people come for, with everything, without any script, and with a program that does not arrive: the same pages, the same end.
import { type Page } from '@playwright/test';
import { disagree } from './conflicts.js';
import { connect } from './connections.js';
import {
  admin, type Daybind, type Edition, expect, type Fakes, hydrated, leave, password, signIn, technician, test,
} from './daybind.js';
import { nameServer } from './dns.js';
import { application, directory, enter, heading, providers, row, secret, section } from './profiles.js';

const ways = [
  { way: 'with everything', scripts: true, program: true },
  { way: 'without JavaScript', scripts: false, program: true },
  { way: 'without its WebAssembly', scripts: true, program: false },
] as const;

const domain = technician.split('@')[1]!;
const main = (page: Page) => page.getByRole('main');
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** Whatever is shown and does nothing: no form behind it, no address, nothing to open. */
async function dead(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    for (const control of document.querySelectorAll<HTMLElement>('a, button, input, select, textarea, summary, [role="button"]')) {
      if (!control.checkVisibility({ checkVisibilityCSS: true }) || control.matches('input[type="hidden"]')) continue;
      const form = (control as HTMLButtonElement).form;
      const sends = form && [...form.elements].some((one) => one.matches('button:not([type="button"]):not([disabled])'));
      const works = control.matches('a[href]:not([tabindex="-1"]), a[href][aria-hidden="true"]')
        || (control.matches('button:not([type="button"]):not([disabled])') && form)
        || (control.matches('input, select, textarea') && (sends || (control as HTMLInputElement).readOnly))
        || control.matches('details > summary');
      if (!works) found.push(control.outerHTML.slice(0, 160));
    }
    return found;
  });
}

interface Site { page: Page; daybind: Daybind; fakes: Fakes; edition: Edition; records: Map<string, string>; ready(): Promise<void> }

const steps: Record<string, { title: string; enterprise?: true; go(site: Site): Promise<void> }> = {
  N1: {
    title: 'sign in',
    go: async ({ page, daybind, ready }) => {
      await page.goto(`${daybind.url}/auth/msp/signin`);
      await ready();
      await page.getByLabel('Work email').fill(admin);
      await button(page, 'Continue').click();
      await expect(button(page, 'Sign in with Microsoft')).toBeVisible();
      await ready();
      await page.getByRole('link', { name: 'Use a password' }).click();
      await expect(page.getByLabel('Work email')).toHaveValue(admin);
      await ready();
      await page.getByLabel('Password').fill(password);
      await button(page, 'Sign in').click();
      await page.waitForURL(/\/msp\/schedule/);
      await ready();
    },
  },
  N2: {
    title: 'view the board',
    go: async ({ page, edition, ready }) => {
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Settings' }).click();
      await heading(page, 'Providers');
      await ready();
      for (const service of edition === 'ee' ? ['MSP SSO', 'Email', 'Calendar', 'Teams'] : ['MSP SSO']) {
        await expect(row(page, new RegExp(`^${service}`))).toBeVisible();
      }
    },
  },
  N3: {
    title: 'create and edit a profile, with what is wrong summed up',
    go: async ({ page, ready }) => {
      await page.getByRole('link', { name: 'New profile' }).click();
      await enter(page, 'Contoso', 'not a guid', secret);
      const summary = page.locator('.db-error-summary').first();
      await expect(summary.getByRole('link', { name: /has the form 00000000-0000/ })).toBeVisible();
      await ready();
      await summary.getByRole('link', { name: /has the form/ }).click();
      await expect(page.getByLabel('Application (client) ID')).toBeFocused();
      await enter(page, 'Contoso', application, secret);
      await expect(main(page).getByText('The profile is saved.', { exact: false }).first()).toBeVisible();
      await ready();
      await row(page, /^Contoso$/).getByRole('link', { name: 'Contoso' }).click();
      await heading(page, 'Contoso');
      await ready();
      await section(page, 'Identity').getByLabel('Directory (tenant) ID').fill('common');
      await button(page, 'Save changes').click();
      await expect(page.locator('.db-error-summary')).toContainText('Some fields need another look.');
      await ready();
      await section(page, 'Identity').getByLabel('Directory (tenant) ID').fill(directory);
      await section(page, 'Identity').getByLabel('Display name').fill('Contoso main');
      await button(page, 'Save changes').click();
      await expect(main(page).getByText('The changes are saved.').first()).toBeVisible();
      await heading(page, 'Contoso main');
    },
  },
  N4: {
    title: 'rebind with a page for review',
    go: async ({ page, daybind, ready }) => {
      await page.goto(`${daybind.url}${providers}`);
      await page.getByRole('link', { name: 'New profile' }).click();
      await enter(page, 'Contoso spare', '33333333-3333-4333-8333-333333333333', secret);
      await expect(main(page).getByText('The profile is saved.', { exact: false }).first()).toBeVisible();
      const board = row(page, /^MSP SSO/);
      for (const profile of ['Contoso spare', 'Contoso main']) {
        await ready();
        await board.getByRole('link', { name: /^(Change|Choose a profile) for MSP SSO$/ }).click();
        await page.getByLabel('Profile', { exact: true }).selectOption({ label: profile });
        await button(page, 'Review the change').click();
        await expect(page.getByRole('heading', { name: 'Review the change of MSP SSO' })).toBeVisible();
        await expect(page.getByText('Whoever is signed in stays signed in.')).toBeVisible();
        await ready();
        await page.getByLabel('Note for the audit log (optional)').fill('ticket 4711');
        await button(page, `Use ${profile} for MSP SSO`).click();
        await expect(board).toContainText(profile);
        await expect(board).toContainText(/Changed by you at \d\d:\d\d/);
      }
      await ready();
      await button(page, 'Undo: use Contoso spare for MSP SSO again').click();
      await expect(main(page).getByText('The change is taken back.').first()).toBeVisible();
      await expect(board).toContainText('Contoso spare');
    },
  },
  N5: {
    title: 'what is in use is not archived',
    go: async ({ page, daybind, ready }) => {
      await page.goto(`${daybind.url}${providers}`);
      await row(page, /^Contoso spare$/).getByRole('link', { name: 'Contoso spare' }).click();
      await heading(page, 'Contoso spare');
      await ready();
      await expect(main(page).getByText('This profile can be neither archived nor deleted.', { exact: false })).toBeVisible();
      await expect(page.getByRole('button', { name: /^(Archive|Delete)/ })).toHaveCount(0);
      await page.getByRole('link', { name: 'Choose another profile for it' }).click();
      await heading(page, 'Providers');
      await row(page, /^Contoso main$/).getByRole('link', { name: 'Contoso main' }).click();
      await heading(page, 'Contoso main');
      await ready();
      await button(page, 'Archive profile').click();
      await expect(main(page).getByText('The profile is archived.', { exact: false }).first()).toBeVisible();
      await ready();
      // What is in use is set free.
      await page.goto(`${daybind.url}${providers}`);
      await row(page, /^MSP SSO/).getByRole('link', { name: 'Unbind MSP SSO' }).click();
      await expect(page.getByText('Signing in with Microsoft stops.', { exact: false })).toBeVisible();
      await ready();
      await button(page, 'Unbind MSP SSO').click();
      await expect(row(page, /^MSP SSO/)).toContainText('Not connected');
    },
  },
  N6: {
    title: 'login domains',
    go: async ({ page, daybind, edition, records, ready }) => {
      await page.goto(`${daybind.url}/msp/settings?tab=integrations&category=login-domains`);
      await ready();
      const add = edition === 'ce' ? 'Add login domain' : 'Claim domain';
      await page.getByLabel('Domain', { exact: true }).fill('co.uk');
      await button(page, add).click();
      await expect(page.getByText('co.uk is shared by many organisations').first()).toBeVisible();
      await ready();
      await page.getByLabel('Domain', { exact: true }).fill(domain);
      await button(page, add).click();
      if (edition === 'ee') {
        const value = await page.getByText(/^daybind-verification=[0-9a-f]{48}$/).innerText();
        records.set(`_daybind-challenge.${domain}`, value);
        await ready();
        await button(page, `Check ${domain} now`).click();
      }
      await expect(page.getByText(`Revoke ${domain}`).or(button(page, `Remove ${domain}`)).first()).toBeVisible();
      await ready();
      await page.getByLabel('Work email', { exact: true }).fill(technician);
      await button(page, 'Test this address').click();
      await expect(page.getByText(edition === 'ce' ? `${domain} is in your list of login domains.` : `${domain} is verified as yours.`)).toBeVisible();
      await ready();
      if (edition === 'ce') {
        await button(page, `Remove ${domain}`).click();
        await expect(page.getByText('There is no login domain yet')).toBeVisible();
      } else {
        await page.getByText(`Revoke ${domain}`).first().click();
        await page.getByLabel('I have read whom this concerns').check();
        await button(page, `Revoke ${domain}`).click();
        await expect(button(page, `Verify ${domain}`)).toBeVisible();
      }
    },
  },
  N9: {
    title: 'filter lists and turn their pages',
    go: async ({ page, daybind, edition, ready }) => {
      await page.goto(`${daybind.url}/msp/operations?view=audit`);
      await ready();
      await page.getByLabel('What').selectOption({ label: 'Profile created' });
      await button(page, 'Filter').click();
      await expect(page).toHaveURL(/action=profile\.created/);
      await expect(page.locator('tbody tr')).toHaveCount(edition === 'ee' ? 3 : 2);
      await ready();
      await page.getByRole('link', { name: 'Clear filters' }).first().click();
      await expect(page).not.toHaveURL(/action=/);
      await expect.poll(async () => page.locator('tbody tr').count()).toBeGreaterThan(5);
      // More than a page of it: a service that is bound to one profile and the other in turn.
      const post = async (name: string, form: Record<string, string>) => {
        const answer = await page.request.post(`${daybind.url}/_fn/${name}`, { form });
        expect(answer.ok(), await answer.text()).toBe(true);
        return answer;
      };
      await post('create_microsoft_profile', {
        display_name: 'Contoso third', client_id: application, directory_id: directory, client_secret: secret,
      });
      const { profiles } = await (await post('list_microsoft_profiles', {})).json() as { profiles: { profile_id: string; display_name: string }[] };
      const [spare, third] = ['Contoso spare', 'Contoso third'].map((name) => profiles.find((one) => one.display_name === name)!.profile_id);
      for (let n = 0; n < 50; n += 1) {
        await post('set_microsoft_consumer_binding', { consumer: 'msp_sso', profile_id: (n % 2 === 0 ? third : spare)! });
      }
      await page.goto(`${daybind.url}/msp/operations?view=audit`);
      await expect(page.locator('tbody tr')).toHaveCount(50);
      await page.getByRole('link', { name: 'Older' }).click();
      await expect(page.getByRole('link', { name: 'Newest' })).toBeVisible();
      await ready();
      await page.getByRole('link', { name: 'Newest' }).click();
      await expect(page.locator('tbody tr')).toHaveCount(50);
      await page.goto(`${daybind.url}/msp/schedule`);
      await page.getByLabel('Status').selectOption('cancelled');
      await button(page, 'Filter').click();
      await expect(page.getByText('No entry of this week matches these filters').first()).toBeVisible();
      await ready();
      await page.getByRole('link', { name: 'Clear filters' }).first().click();
      await expect(page).not.toHaveURL(/status=/);
      if (edition === 'ce') return;
      await page.goto(`${daybind.url}/msp/operations?view=activity`);
      await page.getByLabel('Result').selectOption('Failed');
      await button(page, 'Filter').click();
      await expect(page.getByText('No sync matches these filters')).toBeVisible();
      await ready();
    },
  },
  N7: {
    title: 'connect a calendar, and disconnect it',
    enterprise: true,
    go: async ({ page, daybind, fakes, ready }) => {
      await connect(page, daybind.url);
      await ready();
      const held = async () => {
        const all: { id: string }[] = await (await page.request.get(`${fakes.url}/_control/microsoft/calendars`)).json();
        const events = await Promise.all(all.map(async ({ id }) => (
          await page.request.get(`${fakes.url}/_control/microsoft/events?calendar=${encodeURIComponent(id)}`)
        ).json() as Promise<{ subject: string }[]>));
        return events.flat().filter(({ subject }) => subject === 'Replace switch at Contoso').length;
      };
      expect(await held()).toBe(1);
      await page.getByText('Disconnect', { exact: true }).click();
      await page.getByLabel('Remove them there').check();
      await button(page, 'Disconnect calendar').click();
      await expect(page.getByText('The calendar is disconnected.').first()).toBeVisible();
      await expect(page.getByText('No calendar is connected')).toBeVisible();
      await ready();
      await expect.poll(held).toBe(0);
    },
  },
  N8: {
    title: 'resolve a conflict',
    enterprise: true,
    go: async ({ page, daybind, fakes, ready }) => {
      const connection = await connect(page, daybind.url);
      const { address, event } = await disagree(page, daybind.url, fakes.url, connection);
      await page.goto(address);
      await ready();
      await page.getByRole('group', { name: 'Title' }).getByRole('radio', { name: /^Schedule/ }).check();
      await page.getByRole('group', { name: 'Location' }).getByRole('radio', { name: /^Outlook/ }).check();
      await button(page, 'Show the result first').click();
      const cell = (field: string) => page.getByRole('row', { name: new RegExp(`^${field}`) }).getByRole('cell');
      await expect(cell('Title').nth(2)).toHaveText('Ours');
      await expect(cell('Location').nth(2)).toHaveText('Roof');
      await ready();
      await button(page, 'Confirm').click();
      await expect(page.getByText('Your answer is taken over with the sync that starts now.').first()).toBeVisible();
      await expect.poll(async () => {
        const { subject, location } = await event();
        return [subject, location?.displayName];
      }).toEqual(['Ours', 'Roof']);
      await ready();
    },
  },
  N10: {
    title: 'sign out',
    go: async ({ page, daybind, ready }) => {
      await page.goto(`${daybind.url}/msp/profile?tab=profile`);
      await ready();
      await button(page, 'Sign out').click();
      await expect(page).toHaveURL(/\/auth\/msp\/signin/);
      await page.goto(`${daybind.url}/msp/schedule`);
      await expect(page).toHaveURL(/\/auth\/msp\/signin\?next=/);
    },
  },
};

/** What the installation holds in the end, as its record, its board and its schedule tell it. */
async function end(page: Page, url: string): Promise<{ record: string[]; profiles: string[]; entries: string[] }> {
  await signIn(page, url, admin);
  const file = await page.request.post(`${url}/msp/operations/audit.csv`, { form: { view: 'audit' } });
  expect(file.ok()).toBe(true);
  // One line for each change, but for what differs from run to run: times, ids, and in which order what happens at once is noted.
  const record = (await file.text()).trim().split('\r\n').slice(1).map((line) => line
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => (/^(\d)\1{7}-/.test(id) ? id : 'id'))
    .replaceAll(/[0-9a-f]{32,}/g, 'id')).sort();
  const listed = await (await page.request.post(`${url}/_fn/list_microsoft_profiles`, { form: {} })).json() as {
    profiles: Record<string, unknown>[];
  };
  const profiles = listed.profiles.map(({ display_name, client_id, directory_id }) => `${display_name} ${client_id} ${directory_id}`).sort();
  await page.goto(`${url}/msp/schedule?as=agenda`);
  const entries = await page.getByRole('heading', { level: 3 }).allTextContents();
  return { record, profiles, entries };
}

const ends = new Map<Edition, unknown>();

for (const edition of ['ce', 'ee'] as const) {
  const journey = Object.entries(steps).filter(([, step]) => edition === 'ee' || !step.enterprise);
  const ids = journey.map(([id]) => id).sort((one, other) => Number(one.slice(1)) - Number(other.slice(1)));
  for (const { way, scripts, program } of ways) {
    test.describe(() => {
      test.use({ javaScriptEnabled: scripts, program });

      test(`${ids.join(', ')} ${way} in ${edition}`, async ({ fakes, start, page }) => {
        test.setTimeout(300_000);
        const records = new Map<string, string>();
        const dns = await nameServer(records);
        const daybind = await start(edition, {
          providers: edition === 'ee', env: { ...fakes.env, ...(edition === 'ee' ? { DAYBIND_DNS_SERVER: dns.address } : {}) },
        });
        const note = page.getByText('This page works without scripts.', { exact: false });
        const ready = async () => {
          if (scripts && program) return hydrated(page);
          expect(await dead(page), page.url()).toEqual([]);
        };
        const site = { page, daybind, fakes, edition, records, ready };
        for (const [id, { title, go }] of journey) {
          await test.step(`${id} ${title}`, async () => go(site));
        }
        // What is left out is said where something is left out, and only there.
        await expect(note).toBeVisible({ visible: !(scripts && program) });
        const room = (await page.locator('.db-plain').boundingBox())?.height ?? 0;
        expect(room > 20).toBe(!(scripts && program));
        expect(await page.locator('body[data-hydrated]').count()).toBe(scripts && program ? 1 : 0);
        const now = await end(page, daybind.url);
        if (way === ways[0].way) ends.set(edition, now);
        else if (ends.has(edition)) expect(now).toEqual(ends.get(edition));
        await leave(page);
        dns.stop();
      });
    });
  }
}

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('a control that does nothing is found', async ({ start, page }) => {
    const { url } = await start('ce');
    await page.goto(`${url}/auth/msp/signin`);
    expect(await dead(page)).toEqual([]);
    for (const control of ['<button type="button">Copy</button>', '<a>Go</a>', '<input aria-label="Find">']) {
      await page.locator('main, body').first().evaluate((place, html) => { place.insertAdjacentHTML('beforeend', html); }, control);
    }
    expect(await dead(page)).toHaveLength(3);
  });
});
