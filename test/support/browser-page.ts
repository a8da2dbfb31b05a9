import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

/** A page of a browser that nobody has used before, until its test is over. */
export type BrowserPage = {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What its console complained of. */
  readonly complaints: string[];
};

/** Opens one. Fonts that the providers' pages want are not fetched. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserPage> {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  await context.route(/^https:/, (route) => route.abort());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
      complaints.push(message.text());
  });
  return { context, page, complaints };
}

/** Goes through the pages of a certified provider: who one is, and whether one agrees. */
export async function agreeAtProvider(page: Page, user: string): Promise<void> {
  await page.locator('[name=login]').fill(user);
  await page.locator('[name=password]').fill('x');
  await page.getByRole('button', { name: /sign-in/i }).click();
  await page.getByRole('button', { name: /continue/i }).click();
}
