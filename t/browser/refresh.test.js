'use strict';

// The page refreshes itself in nobody's way, and says when it can't.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { pause, askNow, frames, text, lines } = require('./browser.js');
const { setUp, onPage, withNginx } = require('./harness.js');
const { moment } = require('./shown.js');
const { calls, send } = require('./traffic.js');

setUp();


describe('a refresh', () => {
  it('keeps the place, the focus, the filter and what is open', () => withNginx(async (own) => {
    let total = 0;

    while (total < 128) {
      await send(own, calls);
      total += calls.length;
    }

    await own.counted(total);
    await onPage(async (page) => {
      await page.getByLabel('also those that never came').check();
      await page.getByText('The chart as a table').click();
      await page.getByRole('searchbox', { name: 'Filter' }).fill('hooks');
      await page.getByRole('button', { name: /^Show all \d+ deliveries/ }).click();
      await page.evaluate(() => {
        const filter = document.querySelector('#filter');
        const row = document.querySelectorAll('#deliveries-table tbody')[60];

        row.querySelector('button').click();
        filter.focus({ preventScroll: true });
        filter.setSelectionRange(1, 3);
        row.scrollIntoView({ behavior: 'instant' });
        window.mark = row;
        window.top60 = row.getBoundingClientRect().top;
      });

      await frames(page);

      const before = await text(page, 'figures');

      await send(own, calls.slice(0, 3));
      await page.waitForFunction((was) => document.querySelector('#figures').innerText !== was,
        before);
      await frames(page);

      assert.deepEqual(await page.evaluate(() => {
        const filter = document.activeElement;

        return {
          focus: filter.id,
          selection: [filter.selectionStart, filter.selectionEnd],
          filter: filter.value,
          sameRow: document.querySelectorAll('#deliveries-table tbody')[63] === window.mark,
          moved: Math.abs(window.mark.getBoundingClientRect().top - window.top60) > 1,
          row: window.mark.querySelector('.open').hidden,
          all: document.querySelector('#all-events').checked,
          open: document.querySelector('details').open,
        };
      }), {
        focus: 'filter', selection: [1, 3], filter: 'hooks', sameRow: true, moved: false,
        row: false, all: true, open: true,
      });
    }, { url: own.url });
  }));

  it('comes every five seconds, and speaks to nobody', () => onPage(async (page) => {
    await page.waitForSelector('main:not([hidden])');
    await page.evaluate(() => {
      window.spoken = [];

      for (const region of document.querySelectorAll('[role="alert"], [role="status"]')) {
        new MutationObserver(() => window.spoken.push(region.textContent))
          .observe(region, { subtree: true, childList: true, characterData: true });
      }
    });

    const asked = () => page.replies.filter((reply) => reply.url().endsWith('.json')).length;
    const before = asked();

    while (asked() < before + 2) {
      await page.waitForResponse(/\.json$/);
    }

    assert.deepEqual(await page.evaluate(() => window.spoken), []);
    assert.equal(await page.evaluate(() =>
      document.querySelectorAll('[role="alert"], [role="status"]').length), 2);
  }));

  it('waits for the one before, and while the page is hidden', () => onPage(async (page) => {
    await page.waitForSelector('body[data-state="live"]');

    let asked = 0;
    let release;
    const held = new Promise((resolve) => { release = resolve; });

    await page.route(/\.json$/, async (route) => {
      asked++;
      await held;
      await route.continue();
    });

    // a page can't be hidden without a window: it is told so
    const turn = (hidden) => page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);

    await turn(true);
    await page.waitForTimeout(6000);
    assert.equal(asked, 0, 'hidden');

    for (const hidden of [false, true, false, true, false]) {
      await turn(hidden);
    }

    await page.waitForTimeout(6000);
    assert.equal(asked, 1, 'shown again, without an answer');

    release();

    while (asked < 2) {
      await page.waitForRequest(/\.json$/);
    }
  }));

  it('stops at Pause and goes on at Resume', () => onPage(async (page) => {
    await page.waitForSelector('body[data-state="live"]');

    // also when it comes while the page waits for an answer
    let release;
    const held = new Promise((resolve) => { release = resolve; });

    await page.route(/\.json$/, async (route) => {
      await held;
      await route.continue();
    });
    await askNow(page);
    await page.getByRole('button', { name: 'Pause' }).click();
    release();
    await page.waitForResponse(/\.json$/);

    const before = page.replies.length;

    assert.match(await text(page, 'fresh'), /^Paused \d\d:\d\d:\d\d$/);
    await page.waitForTimeout(6000);
    assert.equal(page.replies.length, before);

    await page.getByRole('button', { name: 'Resume' }).click();
    await page.waitForSelector('body[data-state="live"]');
    assert.match(await text(page, 'fresh'), /^Updated \d\d:\d\d:\d\d$/);
    await page.waitForResponse(/\.json$/);
  }));
});


describe('when the figures cannot be had', () => {
  const expected = /^Failed to load resource/;

  async function isStale(page, reason) {
    await page.waitForSelector('body[data-state="stale"]');
    assert.match(await page.getByRole('alert').innerText(), reason);
  }

  it('the last ones stay, with their time, and are current again later', () =>
    withNginx(async (own) => {
      await send(own, calls);
      await own.counted(calls.length);

      await onPage(async (page) => {
        const figures = await pause(page);
        const due = await lines(page);
        const time = moment(figures.timestamp, figures);

        await own.halt();
        await page.getByRole('button', { name: 'Resume' }).click();
        await isStale(page, new RegExp(`^No new figures since ${time}:\\s+nginx does not answer`));
        assert.equal(await text(page, 'fresh'), `Stale since ${time}`);
        assert.match(await page.title(), /^! no figures – /);
        assert.deepEqual(await lines(page), due);

        // spoken once, however long it lasts
        await page.evaluate(() => {
          window.spoken = 0;
          new MutationObserver(() => window.spoken++)
            .observe(document.querySelector('#trouble'), { subtree: true, childList: true });
        });
        await page.waitForEvent('requestfailed');
        await page.waitForEvent('requestfailed');
        assert.equal(await page.evaluate(() => window.spoken), 0);

        await own.spawn();
        await page.waitForSelector('body[data-state="live"]');
        assert.equal(await page.locator('#trouble').isVisible(), false);
        assert.equal(await text(page, 'news'), 'The figures are current again.');
        assert.match(await text(page, 'verdict-title'), /^Ready: /);
      }, { url: own.url, expected });
    }));

  const troubles = [
    ['deny all;', /nginx answers 403 .*does not let you in/],
    ['return 404;', /nginx answers 404 .*no location with clockodo_status/],
    ['return 500;', /nginx answers 500/],
    ['return 200 "<html>";', /is not JSON/],
    ['return 200 "{\\"version\\":1}";', /reads version 2 .*nginx has another/],
    ['return 200 "{\\"version\\":2}";', /is not what this page knows/],
    ['return 200 null;', /reads version 2/],
  ];

  it('says why', () => withNginx((own) => onPage(async (page) => {
    await page.waitForSelector('body[data-state="live"]');

    for (const [status, reason] of troubles) {
      await own.reload({ status });
      await askNow(page);
      await isStale(page, reason);

      await own.reload({ status: undefined });
      await askNow(page);
      await page.waitForSelector('body[data-state="live"]');
    }
  }, { url: own.url, expected })));

  it('from the start', () => withNginx((own) => onPage(async (page) => {
    await isStale(page, /^No figures yet:\s+nginx answers 403/);
    assert.equal(await text(page, 'fresh'), 'No figures');
    assert.equal(await page.locator('main').isVisible(), false);
    assert.match(await page.title(), /^! no figures – /);
  }, { url: own.url, expected }), { status: 'deny all;' }));

  it('as nginx takes too long', () => withNginx((own) => onPage(async (page) => {
    await page.waitForSelector('body[data-state="live"]');
    own.signalWorkers('SIGSTOP');

    try {
      await isStale(page, /nginx does not answer/);
    } finally {
      own.signalWorkers('SIGCONT');
    }

    await page.waitForSelector('body[data-state="live"]');
  }, { url: own.url, expected })));
});
