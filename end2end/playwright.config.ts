import { defineConfig } from '@playwright/test';

// Every test starts servers of its own (see tests/daybind.ts), so nothing is shared and order does not matter.
export default defineConfig({
  testDir: './tests',
  timeout: 90_000,
  // Pictures are kept by their names alone: which browser drew them is noted beside them (tests/gallery.spec.ts).
  snapshotPathTemplate: '{testDir}/gallery/{arg}{ext}',
  expect: { timeout: 20_000 },
  fullyParallel: false,
  workers: 1,
  forbidOnly: true,
  retries: 0,
  reporter: [['list']],
  use: {
    launchOptions: {
      executablePath: process.env.DAYBIND_CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync',
      ],
    },
    trace: 'retain-on-failure',
  },
});
