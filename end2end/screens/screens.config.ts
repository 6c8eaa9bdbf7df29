import { defineConfig } from '@playwright/test';
import tests from '../playwright.config';

// Not part of the tests: takes the pictures that docs/screens keeps. `cargo xtask screens` runs it.
export default defineConfig({ ...tests, testDir: '.', testMatch: 'screens.ts', use: { ...tests.use, trace: 'off' } });
