'use strict';

// Chromium, and pages in it that tell what went wrong in them.

const { chromium } = require('playwright-core');

const VIOLATION = 'policy violation';

function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

// Opens a page.  page.problems has all that the console and the policy
// complained of, page.replies what nginx answered to the page's own requests.

async function open(browser, url, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    timezoneId: 'Europe/Berlin',
    ...options,
  });

  await context.addInitScript((violation) => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`${violation}: ${event.violatedDirective} ${event.blockedURI}`);
    });
  }, VIOLATION);

  const page = await context.newPage();

  page.problems = [];
  page.replies = [];

  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) {
      page.problems.push(message.text());
    }
  });
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('response', (reply) => page.replies.push(reply));

  await page.goto(url);
  return page;
}

// Waits until the page has figures, and stops it there; the figures.

async function pause(page) {
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.waitForSelector('body[data-state="paused"] main:not([hidden])');

  const replies = page.replies.filter((reply) => reply.url().endsWith('.json'));

  return replies.at(-1).json();
}

// Makes the page ask at once.

async function askNow(page) {
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).click();
}

function text(page, id) {
  return page.locator(`#${id}`).evaluate((node) => node.innerText);
}

// The texts of a table's cells that are to be seen, row by row.

function rows(page, id) {
  return page.locator(`#${id}`).evaluate((tbody) => [...tbody.rows]
    .filter((row) => !row.hidden)
    .map((row) => [...row.cells].map((cell) => cell.innerText.trim().replace(/\s+/g, ' '))));
}

// Those of the deliveries' lines; "tbodies" are these that are to be seen.

const tbodies = (page) => page.locator('#deliveries-table > tbody:not([hidden])');

function lines(page) {
  return tbodies(page).evaluateAll((all) => all.map((tbody) =>
    [...tbody.rows[0].cells].map((cell) => cell.innerText.trim().replace(/\s+/g, ' '))));
}

// What has changed is drawn, and the place kept, by the end of the next frame.

function frames(page) {
  return page.evaluate(() => new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(resolve));
  }));
}

module.exports = {
  VIOLATION, launch, open, pause, askNow, frames, text, rows, tbodies, lines,
};
