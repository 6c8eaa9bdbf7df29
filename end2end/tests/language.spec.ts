// The languages: what a page says comes out of the catalogue, fits in German, and follows the reader's choice.
import { type Page } from '@playwright/test';
import { type Edition, accessible, expect, hydrated, password, technician, test } from './daybind.js';
import { everyPage, long } from './pages.js';

/**
 * What is no text of ours: what people typed and the record holds, names of products, settings and permissions, dates,
 * identifiers.
 */
const data = [
  new RegExp(`${long}( spare| third| here| there)?,?|Replace switch at Contoso|Onboard two laptops|Firewall review|Contoso, server room|Fabrikam, 2nd floor|Remote`, 'g'),
  // What Microsoft was found to know, as the draft of a profile keeps it.
  /knows the directory/g,
  /\b(Session|Profile|Binding|Login domain|Calendar|Password|Google client|Master key|User|Account)( [a-z]+)+\b/g,
  /\b(Ada Admin|Tess Technician|Tom Technician|Clara Client|Demo MSP|Work|Home|Contoso|Fabrikam|here|there|third|Visit|Roof|Cellar|Hall 3|global)\b|•+\w*/g,
  /\b(Daybind|MSP SSO|MSP|Microsoft( 365)?|Entra|Outlook|Google( Calendar)?|Email|Calendar|Teams|CSV|URI|GUID|Deutsch|English)\b/g,
  /\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(day|sday|nesday|rsday|urday)?\b|\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b|\d+ ms\b/g,
  /\b[\w.+-]+@[\w.-]+\b|\b[0-9a-f-]{36}\b|\bhttps?:\S+|\bapi:\S+|\b[\w-]+(\.[\w-]+)+\b|\bAADSTS\d+|\b[A-Z]\w+\/[A-Z]\w+\b|\b[a-z]+(_[a-z]+)+\b/g,
];

/** What the page shows, or tells assistive technology, that the catalogue does not hold: what stands outside the brackets. */
async function outside(page: Page): Promise<string[]> {
  const said = await page.evaluate(() => {
    const texts: string[] = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (!node.parentElement?.closest('[data-record], script, style, template, code, time, textarea, [translate="no"]')) texts.push(node.textContent ?? '');
    }
    for (const element of document.querySelectorAll('[aria-label], [title], [placeholder], [alt], [data-label]')) {
      for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'data-label']) texts.push(element.getAttribute(name) ?? '');
    }
    return texts;
  });
  const bare = said.map((text) => {
    let left = text;
    for (let before = ''; before !== left;) [before, left] = [left, left.replace(/⟦[^⟦⟧]*⟧/g, ' ')];
    return data.reduce((rest, known) => rest.replace(known, ' '), left).trim();
  });
  return [...new Set(bare.filter((text) => /[A-Za-z]{2}/.test(text)))];
}

for (const edition of ['ce', 'ee'] as const satisfies readonly Edition[]) {
  test(`every text of ${edition} is in the catalogue, and fits 320 pixels in German`, async ({ browser, fakes, start, page }) => {
    test.setTimeout(600_000);
    const daybind = await start(edition, { env: fakes.env });
    const found: string[] = [];
    let pages = 0;
    const reader = async (language: string) => {
      const context = await browser.newContext({ viewport: { width: 320, height: 640 } });
      return { language, context, page: await context.newPage() };
    };
    const [none, german] = [await reader('xx'), await reader('de')];
    await everyPage(page, daybind, edition, fakes, async (shown, path) => {
      pages += 1;
      for (const { language, context, page: aside } of [none, german]) {
        await context.clearCookies();
        await context.addCookies([...await shown.context().cookies(), { name: 'daybind_language', value: language, url: daybind.url }]);
        await aside.goto(`${daybind.url}${path}`, { waitUntil: 'domcontentloaded' });
        expect(await aside.locator('html').getAttribute('lang'), path).toBe(language);
        const wide = await aside.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 0) found.push(`${path}: ${wide} pixels too wide in ${language}`);
      }
      found.push(...(await outside(none.page)).map((text) => `${path}: ${text}`));
    });
    await none.context.close();
    await german.context.close();
    expect([...new Set(found)]).toEqual([]);
    expect(pages).toBeGreaterThan(40);
  });

  test.describe(`a German browser in ${edition}`, () => {
    test.use({ locale: 'de-AT' });

    test('is answered in German, and in English once that is chosen', async ({ start, page }) => {
      const daybind = await start(edition);
      await page.goto(`${daybind.url}/auth/msp/signin?step=password`);
      await hydrated(page);
      await expect(page.getByRole('heading', { name: 'Bei Daybind anmelden' })).toBeVisible();
      await page.getByLabel('Geschäftliche E-Mail-Adresse').fill(technician);
      await page.getByLabel('Passwort').fill(password);
      await page.getByRole('button', { name: 'Anmelden' }).click();
      await page.waitForURL(/\/msp\/schedule/);
      await hydrated(page);
      await page.getByRole('link', { name: 'Neuer Eintrag' }).first().click();
      await page.getByLabel('Titel').fill('Eine Stunde zu früh');
      await page.getByLabel('Ende', { exact: true }).fill('2026-11-29T08:00');
      await page.getByLabel('Beginn', { exact: true }).fill('2026-11-29T09:00');
      await page.getByRole('button', { name: 'Eintrag speichern' }).click();
      // What the server refuses is said in the page's language, too.
      await expect(page.getByText('Das Ende muss nach dem Beginn liegen.').first()).toBeVisible();
      await page.getByRole('link', { name: 'Profil' }).first().click();
      await accessible(page);
      await page.getByLabel('Sprache in diesem Browser').selectOption('English');
      await page.getByRole('button', { name: 'Diese Sprache verwenden' }).click();
      await expect(page.getByRole('heading', { name: 'Language' })).toBeVisible();
      await expect(page.locator('html')).toHaveAttribute('lang', 'en');
      await hydrated(page);
      await page.getByRole('link', { name: 'Schedule' }).first().click();
      await expect(page.getByRole('link', { name: 'Next week' })).toBeVisible();
      await page.goto(`${daybind.url}/msp/profile?tab=profile`);
      await page.getByLabel('Language of this browser').selectOption('');
      await page.getByRole('button', { name: 'Use this language' }).click();
      await expect(page.getByRole('heading', { name: 'Sprache' })).toBeVisible();
    });
  });
}
