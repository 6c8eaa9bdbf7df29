// Starts Daybind and the provider fakes for one test, and fails the test on anything in the browser's console.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { type Page, test as base, expect } from '@playwright/test';
import { type Alternate, alternate } from './alternate.js';
import { Postgres } from './postgres.js';

const root = resolve(import.meta.dirname, '../..');
const binary = (name: string, variable: string) => process.env[variable] ?? join(root, 'target/debug', name);

export const programs = {
  ee: binary('daybind-ee', 'DAYBIND_BIN_EE'),
  ce: binary('daybind', 'DAYBIND_BIN_CE'),
  fakes: binary('daybind-fakes', 'DAYBIND_FAKES_BIN'),
};
const sites = {
  ee: process.env.DAYBIND_SITE_EE ?? join(root, 'target/site-ee'),
  ce: process.env.DAYBIND_SITE_CE ?? join(root, 'target/site-ce'),
};

export const password = 'daybind-demo';
export const admin = 'admin@demo.daybind.test';
export const technician = 'tess@demo.daybind.test';
export const client = 'client@demo.daybind.test';

export async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? done(address.port) : fail(new Error('no port'))));
    });
  });
}

export async function answers(url: string, child: ChildProcess, log: () => string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (child.exitCode !== null) throw new Error(`ended before it served:\n${log()}`);
    const ok = await fetch(url).then((answer) => answer.ok, () => false);
    if (ok) return;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error(`nothing answers at ${url}:\n${log()}`);
}

export class Program {
  log = '';
  child: ChildProcess;

  constructor(file: string, args: string[], env: Record<string, string>) {
    this.child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const note = (chunk: Buffer) => { this.log += chunk.toString(); };
    this.child.stdout?.on('data', note);
    this.child.stderr?.on('data', note);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.kill('SIGTERM');
    await ended;
  }
}

export interface Daybind { url: string; env: Record<string, string>; log(): string; restart(edition: Edition, more?: Record<string, string>): Promise<void> }
export type Edition = 'ee' | 'ce';

/** Where an installation keeps its data. */
export const databases = ['sqlite', 'postgres'] as const;
export type Database = (typeof databases)[number];

/**
 * How many servers answer a journey on PostgreSQL, in turn: two, unless `DAYBIND_E2E_SERVERS` says otherwise. Where it says more
 * than one, all journeys are on PostgreSQL.
 */
const wished = Number(process.env.DAYBIND_E2E_SERVERS ?? 0);

export interface Fakes { url: string; env: Record<string, string> }

interface Fixtures {
  /** Whether the browser gets the WebAssembly. `javaScriptEnabled: false` goes without any script. */
  program: boolean;
  fakes: Fakes;
  start(edition: Edition, options?: Options): Promise<Daybind>;
}

interface Options { providers?: boolean; env?: Record<string, string>; database?: Database }

export const test = base.extend<Fixtures, { postgres: () => Promise<Postgres> }>({
  // Started by the first journey that wants it.
  postgres: [async ({}, use) => {
    let cluster: Promise<Postgres> | undefined;
    await use(() => (cluster ??= Postgres.start()));
    await (await cluster)?.stop();
  }, { scope: 'worker' }],

  fakes: async ({}, use) => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const program = new Program(programs.fakes, ['--listen', url.slice('http://'.length)], {});
    await answers(`${url}/`, program.child, () => program.log);
    await use({
      url,
      env: {
        DAYBIND_MICROSOFT_LOGIN_URL: `${url}/ms/login`,
        DAYBIND_MICROSOFT_GRAPH_URL: `${url}/ms/graph`,
        DAYBIND_GOOGLE_AUTH_URL: `${url}/google/o/oauth2/v2/auth`,
        DAYBIND_GOOGLE_TOKEN_URL: `${url}/google/token`,
        DAYBIND_GOOGLE_API_URL: `${url}/google/api`,
        DAYBIND_GOOGLE_REVOKE_URL: `${url}/google/revoke`,
      },
    });
    await program.stop();
  },

  start: async ({ postgres }, use, info) => {
    const running: Program[] = [];
    const folders: string[] = [];
    const fronts: Alternate[] = [];
    await use(async (edition, options = {}) => {
      const shared = options.database === 'postgres' || wished > 1;
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const ports = [port];
      if (shared && wished !== 1) {
        ports.length = 0;
        for (let n = 0; n < (wished || 2); n += 1) ports.push(await freePort());
        fronts.push(await alternate(port, ports));
      }
      // Nothing but the database is common to servers.
      const places = ports.map(() => mkdtempSync(join(tmpdir(), 'daybind-')));
      folders.push(...places);
      let serving: Program[] = [];
      const database = shared ? (await postgres()).database() : { DATABASE_URL: '' };
      const environment = (which: Edition, more: Record<string, string>, n = 0) => ({
        DAYBIND_DATA_DIR: places[n]!,
        DAYBIND_LISTEN: `127.0.0.1:${ports[n]}`,
        DAYBIND_PUBLIC_URL: url,
        LEPTOS_SITE_ROOT: sites[which],
        DAYBIND_LOG: 'info',
        ...database,
        ...options.env,
        ...more,
      });
      const launch = async (which: Edition, more: Record<string, string>) => {
        serving = ports.map((_, n) => new Program(programs[which], ['serve'], environment(which, more, n)));
        running.push(...serving);
        await Promise.all(serving.map((one, n) => answers(`http://127.0.0.1:${ports[n]}/readyz`, one.child, () => one.log)));
      };
      if (shared) {
        const migrated = spawnSync(programs[edition], ['migrate'], {
          env: { ...process.env, ...environment(edition, {}) }, encoding: 'utf8',
        });
        expect(migrated.status, migrated.stderr).toBe(0);
      }
      const seeded = spawnSync(programs[edition], ['demo', ...(options.providers ? ['--providers'] : [])], {
        env: { ...process.env, ...environment(edition, {}) }, encoding: 'utf8',
      });
      expect(seeded.status, seeded.stderr).toBe(0);
      await launch(edition, {});
      return {
        url,
        env: environment(edition, {}),
        log: () => running.map((one) => one.log).join('\n'),
        restart: async (which, more = {}) => {
          await Promise.all(serving.map((one) => one.stop()));
          await launch(which, more);
        },
      };
    });
    for (const front of fronts) await front.stop();
    await Promise.all(running.map((program) => program.stop()));
    if (info.status !== info.expectedStatus) {
      await info.attach('server log', { body: running.map((one) => one.log).join('\n') });
    }
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    // A journey of more than a page went to all of them.
    for (const { served } of fronts) expect(Math.min(...served), `requests by server: ${served.join(', ')}`).toBeGreaterThan(0);
  },

  program: [true, { option: true }],

  page: async ({ page, javaScriptEnabled, program }, use) => {
    const heard = listen(page, javaScriptEnabled !== false && program);
    if (!program) await page.route('**/*.wasm', (route) => route.abort());
    await use(page);
    // What the browser and the program's own glue say about a fetch that failed.
    const lost = (line: string) => !program && (/\.wasm\)$/.test(line) || line === 'page error: Failed to fetch');
    expect(heard.filter((line) => !lost(line)), 'the browser console must stay empty').toEqual([]);
  },
});

export { expect };

/** What the page's console will have said. The test's own page is listened to already. */
export function listen(page: Page, scripts = true): string[] {
  const heard: string[] = [];
  page.on('console', (message) => {
    // The browser itself notes a form that was refused with wrong fields (422) or overtaken by another change (409); the page shows why.
    const refused = /status of 4(09|22)/.test(message.text()) && message.location().url.includes('/_fn/');
    // The OpenID provider's own log-in pages are not ours (oidc/entra.mjs).
    const theirs = message.location().url.includes('/v2.0/interaction/');
    // Without scripts nobody uses the program that the page announces; a slow machine has time to notice that.
    const unused = !scripts && message.text().includes('was preloaded using link preload but not used');
    // A journey may be quicker than the browser's own focus; it then notes that it left the field alone.
    const outrun = message.type() === 'info' && message.text().startsWith('Autofocus processing was blocked');
    if (!refused && !theirs && !unused && !outrun) heard.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => heard.push(`page error: ${error.message}`));
  return heard;
}

export async function signIn(page: Page, url: string, email: string): Promise<void> {
  await page.goto(`${url}/auth/msp/signin?step=password`);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(/\/msp\/schedule/);
}

/** Signs out without a word: first the page goes, so that nothing it still reads is refused. */
export async function leave(page: Page): Promise<void> {
  await page.goto('about:blank');
  await page.context().clearCookies();
}

/** Waits until the page is interactive, then asks axe about it. */
export async function accessible(page: Page): Promise<void> {
  const result = await new AxeBuilder({ page }).analyze();
  expect(result.violations.map((v) => `${v.id}: ${v.help} ${v.nodes.map((n) => n.target).join(' | ')}`)).toEqual([]);
}

export async function hydrated(page: Page): Promise<void> {
  await page.waitForSelector('body[data-hydrated="true"]', { timeout: 60_000 });
}
