// Lighthouse on settings, profile and schedule as somebody at a desk sees them, signed in, everything loaded anew.
import { createServer } from 'node:http';
import { type BrowserContext, chromium, type LaunchOptions } from '@playwright/test';
import lighthouse, { type Result } from 'lighthouse';
import desktop from 'lighthouse/core/config/desktop-config.js';
import { connect } from './connections.js';
import { admin, type Edition, expect, freePort, signIn, technician, test } from './daybind.js';

/** The least score of each category, of 100. */
const least = { performance: 95, accessibility: 100, 'best-practices': 100 } as const;
/** A machine that is busy with something else may spoil a run, never improve one: the best of so many counts. */
const tries = 3;

const providers = '/msp/settings?tab=integrations&category=providers';
const pages: Record<Edition, { who: string; paths: string[] }[]> = {
  ce: [{ who: admin, paths: [providers, '/msp/profile?tab=profile', '/msp/schedule'] }],
  ee: [
    { who: technician, paths: ['/msp/profile?tab=profile', '/msp/profile?tab=calendar', '/msp/schedule'] },
    { who: admin, paths: [providers, '/msp/settings?tab=integrations&category=calendar'] },
  ],
};

type Scores = Record<keyof typeof least, number>;

/** The scores of one run, and what cost points in it. */
async function measure(port: number, url: string): Promise<{ scores: Scores; lost: string[] }> {
  const run = await lighthouse(url, {
    port, logLevel: 'error', output: 'json', onlyCategories: Object.keys(least), disableFullPageScreenshot: true,
  }, desktop);
  const report = run!.lhr;
  expect(report.runtimeError, url).toBeUndefined();
  expect(report.finalDisplayedUrl, 'the page itself, not where somebody unknown is sent').toBe(url);
  const names = Object.keys(least) as (keyof typeof least)[];
  const scores = Object.fromEntries(names.map((name) => [name, Math.round((report.categories[name]?.score ?? 0) * 100)]));
  return { scores: scores as Scores, lost: names.flatMap((name) => losses(report, name)) };
}

/** The audits of a category that count and were not passed. */
function losses(report: Result, name: keyof typeof least): string[] {
  const counted = report.categories[name]?.auditRefs.filter(({ weight }) => weight > 0) ?? [];
  return counted.map(({ id }) => report.audits[id]!)
    .filter(({ score }) => score !== null && score < 0.99)
    .map(({ id, title, displayValue }) => `${id}: ${title} ${displayValue ?? ''}`.trim());
}

const enough = (scores: Scores) => Object.entries(least).every(([name, limit]) => scores[name as keyof Scores] >= limit);

/** Calls back with a browser that Lighthouse can open pages of its own in; they hold what its other pages signed in to. */
async function browsing(options: LaunchOptions | undefined, body: (browser: BrowserContext, port: number) => Promise<void>): Promise<void> {
  const port = await freePort();
  const browser = await chromium.launchPersistentContext('', {
    ...options, args: [...options?.args ?? [], `--remote-debugging-port=${port}`],
  });
  try {
    await body(browser, port);
  } finally {
    await browser.close();
  }
}

for (const edition of ['ce', 'ee'] as const satisfies readonly Edition[]) {
  test(`Lighthouse is content with settings, profile and schedule of ${edition}`, async ({ fakes, start }, info) => {
    test.setTimeout(600_000);
    const daybind = await start(edition, { env: fakes.env, providers: edition === 'ee' });
    await browsing(info.project.use.launchOptions, async (browser, port) => {
      const page = await browser.newPage();
      if (edition === 'ee') await connect(page, daybind.url);
      for (const { who, paths } of pages[edition]) {
        await browser.clearCookies();
        await signIn(page, daybind.url, who);
        await page.goto('about:blank');
        for (const path of paths) {
          const said: string[] = [];
          let content = false;
          for (let run = 0; run < tries && !content; run += 1) {
            const { scores, lost } = await measure(port, `${daybind.url}${path}`);
            content = enough(scores);
            said.push(`${JSON.stringify(scores)} ${lost.join('; ')}`);
          }
          console.log(`${edition} ${path}\n  ${said.join('\n  ')}`);
          expect(content, `${path}\n${said.join('\n')}`).toBe(true);
        }
      }
    });
  });
}

test('what the browser runs is sent compressed to those who take it', async ({ start }) => {
  const daybind = await start('ce');
  const program = async (encodings: string) => fetch(`${daybind.url}/pkg/daybind.wasm`, { headers: { 'accept-encoding': encodings } });
  const plain = await (await program('identity')).arrayBuffer();
  for (const encoding of ['br', 'gzip']) {
    const answer = await program(encoding);
    expect(answer.headers.get('content-encoding')).toBe(encoding);
    expect(answer.headers.get('vary')).toContain('accept-encoding');
    expect(answer.headers.get('content-type')).toBe('application/wasm');
    expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(plain)), 'the same program').toBe(true);
  }
});

test('Lighthouse is not content with a page of faults', async ({}, info) => {
  const html = `<!doctype html><title>Faults</title><img src="/nothing.png"><p style="color:#bbb">Pale</p>
    <script>for (const end = Date.now() + 1500; Date.now() < end;);</script><h1>Late</h1>`;
  const server = createServer((asked, answer) => {
    answer.writeHead(asked.url === '/' ? 200 : 404, { 'content-type': 'text/html' }).end(asked.url === '/' ? html : '');
  });
  const port = await freePort();
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  try {
    await browsing(info.project.use.launchOptions, async (_, debugging) => {
      const { scores, lost } = await measure(debugging, `http://127.0.0.1:${port}/`);
      expect(enough(scores)).toBe(false);
      for (const [name, limit] of Object.entries(least)) expect(scores[name as keyof Scores], name).toBeLessThan(limit);
      expect(lost.join('\n')).toContain('image-alt');
    });
  } finally {
    server.close();
  }
});
