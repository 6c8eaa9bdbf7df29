// Disagreements for journeys: both sides change the same, and the technician is asked.
import { type Page } from '@playwright/test';
import { connect } from './connections.js';
import { type Daybind, expect, type Fakes } from './daybind.js';

interface RemoteEvent { id: string; subject: string; location?: { displayName?: string } }

export interface Disputed {
  /** The address of its page. */
  address: string;
  /** What the event says now. */
  event(): Promise<RemoteEvent>;
  /** Changes the event as its owner would in Outlook. */
  change(patch: object): Promise<void>;
}

/** Connects Outlook, and has an entry changed on both sides: see {@link disagree}. */
export async function disputed(page: Page, daybind: Daybind, fakes: Fakes, ours = 'Ours', theirs = 'Theirs'): Promise<Disputed> {
  return disagree(page, daybind.url, fakes.url, await connect(page, daybind.url), ours, theirs);
}

/**
 * Has title and place of an entry changed on both sides of an Outlook connection: to `ours` and `theirs`, Cellar and Roof. The page
 * must be its owner's, and is at the calendars then.
 */
export async function disagree(
  page: Page, url: string, providers: string, connection: string, ours = 'Ours', theirs = 'Theirs',
): Promise<Disputed> {
  await page.goto(`${url}/msp/schedule?entry=new`);
  await page.getByLabel('Title').fill('Visit Fabrikam');
  await page.getByLabel('Location (optional)').fill('Hall 3');
  await page.getByRole('button', { name: 'Save entry' }).click();
  await expect(page.getByRole('link', { name: /^Edit.*Visit Fabrikam/ }).first()).toBeVisible();
  const control = `${providers}/_control/microsoft`;
  const calendars: { id: string }[] = await (await page.request.get(`${control}/calendars`)).json();
  const events = async (calendar: string): Promise<RemoteEvent[]> => (
    await page.request.get(`${control}/events?calendar=${encodeURIComponent(calendar)}`)
  ).json();
  let [calendar, id] = ['', ''];
  await expect.poll(async () => {
    for (const one of calendars) {
      const event = (await events(one.id)).find(({ subject }) => subject === 'Visit Fabrikam');
      if (event) [calendar, id] = [one.id, event.id];
    }
    return id;
  }).not.toBe('');
  const address = `${control}/events/${encodeURIComponent(id)}?calendar=${encodeURIComponent(calendar)}`;
  const change = async (patch: object) => expect((await page.request.patch(address, { data: patch })).ok()).toBe(true);

  // Nothing travels until both sides are changed.
  const rest = async (action: string) => {
    const answer = await page.request.post(`${url}/_fn/pause_calendar_provider`, { form: { connection_id: connection, action } });
    expect(answer.ok(), await answer.text()).toBe(true);
  };
  await rest('pause');
  await page.goto(`${url}/msp/schedule`);
  const entry = await page.getByRole('link', { name: /^Edit.*Visit Fabrikam/ }).first().getAttribute('href') ?? '';
  expect(entry).not.toBe('');
  await page.goto(`${url}${entry}`);
  await page.getByLabel('Title').fill(ours);
  await page.getByLabel('Location (optional)').fill('Cellar');
  await page.getByRole('button', { name: 'Save entry' }).click();
  await expect(page.getByRole('link', { name: new RegExp(`^Edit.*${ours}`) }).first()).toBeVisible();
  await change({ subject: theirs, location: { displayName: 'Roof' } });
  await rest('resume');
  const compare = page.getByRole('link', { name: new RegExp(`^Compare and choose.*${ours}$`) });
  await expect.poll(async () => {
    await page.goto(`${url}/msp/profile?tab=calendar`);
    return compare.count();
  }).toBe(1);
  return {
    address: `${url}${await compare.getAttribute('href')}`,
    event: async () => (await events(calendar)).find((one) => one.id === id)!,
    change,
  };
}
