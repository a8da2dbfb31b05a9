import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where Chromium is on this machine; undefined: nowhere, and what it would show is not shown here. */
export const CHROMIUM: string | undefined = CANDIDATES.find((path) => existsSync(path));

if (CHROMIUM === undefined) {
  console.info(
    `no Chromium at ${CANDIDATES.join(', ')}: the pages are tested by a user agent of our own alone`,
  );
}

/** Starts the system's Chromium without a window. Its sandbox needs a user that is not root. */
export function launchChromium(): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath: CHROMIUM ?? '', args: isRoot ? ['--no-sandbox'] : [] });
}
