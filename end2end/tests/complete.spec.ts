// The journeys that must work with the keyboard alone (K) and without the program (N): each has a test, in each edition it exists in.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { type Edition, expect, test } from './daybind.js';

/** Journeys with the keyboard alone, and the editions that have them. */
const keyboard: Record<string, readonly Edition[]> = {
  K1: ['ce', 'ee'], K2: ['ce', 'ee'], K3: ['ce', 'ee'], K4: ['ce', 'ee'], K5: ['ce', 'ee'], K6: ['ce', 'ee'],
  K7: ['ee'], K8: ['ee'], K9: ['ee'], K10: ['ee'], K11: ['ce', 'ee'], K12: ['ce', 'ee'],
};
/** Journeys without the program. */
const plain: Record<string, readonly Edition[]> = {
  N1: ['ce', 'ee'], N2: ['ce', 'ee'], N3: ['ce', 'ee'], N4: ['ce', 'ee'], N5: ['ce', 'ee'], N6: ['ce', 'ee'],
  N7: ['ee'], N8: ['ee'], N9: ['ce', 'ee'], N10: ['ce', 'ee'],
};
/** Those that must also be gone with everything twice as large. */
const large = ['K1', 'K4', 'K7'];

/** The titles of all tests. */
function titles(): string[] {
  const folder = resolve(import.meta.dirname, '..');
  const cli = join(folder, 'node_modules/@playwright/test/cli.js');
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PLAYWRIGHT_') && name !== 'TEST_WORKER_INDEX'));
  const { stdout, stderr } = spawnSync(process.execPath, [cli, 'test', '--list', '--reporter=list'], { cwd: folder, env, encoding: 'utf8' });
  const found = stdout.split('\n').filter((line) => line.includes('.spec.ts:')).map((line) => line.split(' › ').at(-1)!.trim());
  expect(found.length, stderr).toBeGreaterThan(100);
  return found;
}

test('every journey by keyboard and without the program has its test', () => {
  const all = titles();
  const shown = (id: string, edition: Edition, more = '') => all.some((title) => (
    new RegExp(`\\b${id}\\b`).test(title) && new RegExp(`\\bin ${edition}\\b`).test(title) && title.includes(more)
  ));
  const missing = [
    ...Object.entries(keyboard).flatMap(([id, editions]) => editions.map((edition) => [id, edition, ''] as const)),
    ...large.flatMap((id) => [' at 200 % zoom', ' with text twice as large'].map((size) => [id, 'ee', size] as const)),
    ...Object.entries(plain).flatMap(([id, editions]) => editions.flatMap((edition) => (
      ['with everything', 'without JavaScript', 'without its WebAssembly'].map((way) => [id, edition, way] as const)
    ))),
  ].filter(([id, edition, more]) => !shown(id, edition, more)).map((one) => one.join(' '));
  expect(missing).toEqual([]);
  // And the check itself tells what is there from what is not.
  expect(shown('K99', 'ce')).toBe(false);
});
