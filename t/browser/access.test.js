'use strict';

// The page is for every window, by eye, by keyboard and by ear.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { describe, it } = require('node:test');
const axe = require('axe-core');

const { pause } = require('./browser.js');
const { shared, setUp, onPage, withNginx } = require('./harness.js');
const { VERDICTS } = require('./shown.js');

const SCHEMES = ['light', 'dark'];
const WIDTHS = [360, 768, 1280];

setUp();


describe('for everybody', () => {
  // What sticks out to the right of the window, and of no region that scrolls.

  function overflow() {
    const { scrollWidth, clientWidth } = document.documentElement;
    const out = [...document.body.querySelectorAll('*')].filter((node) =>
      !node.closest('.unseen, svg, .scroll *')
      && node.getBoundingClientRect().right > clientWidth + 0.5);

    return (scrollWidth > clientWidth ? [`page ${scrollWidth}`] : [])
      .concat(out.map((node) => `${node.tagName} ${node.id} ${node.className}`));
  }

  // Text whose contrast is below 4.5 (WCAG 2.2, 1.4.3).  axe leaves out what
  // is scrolled out of sight, and the chart.

  function faint() {
    const channels = (color) => color.match(/[\d.]+/g).map(Number);
    const opaque = (color) => color !== 'transparent' && channels(color)[3] !== 0;

    function luminance(color) {
      const [red, green, blue] = channels(color).map((value) => {
        const c = value / 255;

        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      });

      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    }

    function background(node) {
      const color = getComputedStyle(node).backgroundColor;

      return opaque(color) ? color : background(node.parentElement);
    }

    function contrast(node) {
      const style = getComputedStyle(node);
      const [a, b] = [node.closest('svg') ? style.fill : style.color, background(node)]
        .map(luminance).sort((x, y) => y - x);

      return (a + 0.05) / (b + 0.05);
    }

    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const nodes = [];

    while (walker.nextNode()) {
      const node = walker.currentNode.parentElement;

      if (walker.currentNode.data.trim() && node.getClientRects().length) {
        nodes.push(node);
      }
    }

    return {
      looked: nodes.length,
      faint: nodes.filter((node) => contrast(node) < 4.5)
        .map((node) => `${contrast(node).toFixed(2)} ${node.textContent}`),
    };
  }

  async function looksRight(page) {
    assert.deepEqual(await page.evaluate(overflow), []);

    const texts = await page.evaluate(faint);

    assert.ok(texts.looked > 30);
    assert.deepEqual(texts.faint, []);

    await page.evaluate(axe.source);

    const { violations, incomplete, passes } = await page.evaluate(() => window.axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }));
    const where = ({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(' | ')}`;

    assert.deepEqual(violations.map(where), []);
    assert.deepEqual(incomplete.filter(({ id }) => id !== 'color-contrast').map(where), []);
    assert.ok(passes.some(({ id }) => id === 'color-contrast'));
  }

  for (const colorScheme of SCHEMES) {
    for (const width of WIDTHS) {
      const options = { colorScheme, viewport: { width, height: 800 } };

      it(`${colorScheme}, ${width} wide`, () => onPage(async (page) => {
        await page.getByLabel('also those that never came').check();
        await page.getByText('These minutes as a table').click();
        await pause(page);
        await looksRight(page);
      }, options));

      it(`${colorScheme}, ${width} wide, without figures`, () => withNginx((own) =>
        onPage(async (page) => {
          await pause(page);
          await own.halt();
          await page.getByRole('button', { name: 'Resume' }).click();
          await page.waitForSelector('body[data-state="stale"]');
          await looksRight(page);
        }, { ...options, url: own.url, expected: /^Failed to load/ })));
    }
  }

  // Figures as large, and names as long, as they can get

  function extreme(figures) {
    const long = 'x'.repeat(200);
    const large = 9999999999;
    const id = String(Number.MAX_SAFE_INTEGER);
    const event = 'work_time_change_request_and_more_than_that_up_to_sixty_f.letters';

    figures.locations.forEach((l, i) => {
      l.location = `${i}.${long}/${long}`;
      l.tokens = Array.from({ length: 40 }, (_, n) => ({ token: n + 1, last_used: 1 }));

      for (const counters of [l.requests, l.rejected, l.events, l.upstream_responses]) {
        Object.keys(counters).forEach((name) => { counters[name] = Math.floor(large / 2); });
      }
    });

    for (let i = 0; i < 256; i++) {
      figures.last_accepted.subscriptions[Number.MAX_SAFE_INTEGER - i] = i + 1;
    }

    figures.dedupe = { capacity: large, entries: large, evictions: large, unclaimed: large };
    figures.last_accepted.other_subscriptions = { accepted: large, time: 1 };
    figures.minutes.forEach((minute) => VERDICTS.forEach((v) => { minute[v] = 4294967295; }));
    figures.deliveries.forEach((d) => Object.assign(d, {
      client: 'abcd:abcd:abcd:abcd:abcd:abcd:255.255.255.255', location: `${long}${long}`,
      event, entity_id: id, subscription_id: id, reason: 'content_encoding', upstream_time: 86400,
      time: 1,
    }));

    return figures;
  }

  for (const width of [...WIDTHS, 1152]) {
    it(`long names and large figures, ${width} wide`, () => withNginx(async (own) => {
      await own.reload({ status: `alias ${own.file('figures.json')};` });
      fs.writeFileSync(own.file('figures.json'),
        JSON.stringify(extreme(await shared.nginx.status())));

      await onPage(async (page) => {
        await pause(page);
        assert.deepEqual(await page.evaluate(overflow), []);
      }, { url: own.url, viewport: { width, height: 800 } });
    }));
  }

  it('light is light, dark is dark', async () => {
    const brightness = {};

    for (const colorScheme of SCHEMES) {
      await onPage(async (page) => {
        brightness[colorScheme] = await page.evaluate(() => getComputedStyle(document.body)
          .backgroundColor.match(/\d+/g).reduce((a, b) => a + Number(b), 0));
      }, { colorScheme });
    }

    assert.ok(brightness.light > 600 && brightness.dark < 150, JSON.stringify(brightness));
  });

  it('by keyboard', () => onPage(async (page) => {
    await page.waitForSelector('body[data-state="live"]');

    // not by mouse, from where the first Tab would go on
    await page.evaluate(() => {
      document.querySelector('#all-events').click();
      document.querySelector('#pause').click();
    });

    const stops = [];

    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');

      const stop = await page.evaluate(() => {
        const node = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(node);

        return node === document.body ? null : {
          name: node.id || node.getAttribute('aria-labelledby') || node.textContent.trim(),
          outlined: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
        };
      });

      if (!stop || stops.some(({ name }) => name === stop.name)) {
        break;
      }

      stops.push(stop);
    }

    // of the regions, the one that has more than it shows
    assert.deepEqual(stops.map(({ name }) => name), [
      'Last hour', 'Rejections', 'Duplicates', 'Locations', 'Events', 'Deliveries', 'pause',
      'These minutes as a table', 'reasons-caption', 'all-events', 'events-caption', 'filter',
    ]);
    assert.deepEqual(stops.filter(({ outlined }) => !outlined), []);

    const region = page.getByRole('region', { name: /^Accepted events by name/ });

    await region.focus();
    await page.keyboard.press('End');
    await page.waitForFunction(() => document.querySelector('#events .scroll').scrollTop > 100);
  }));

  it('by name', () => onPage(async (page) => {
    await pause(page);

    const due = [
      ['banner'], ['main'], ['contentinfo'], ['search'],
      ['navigation', 'Sections'],
      ['complementary', 'Handshakes'],
      ['heading', 'Clockodo webhooks'], ['heading', 'At a glance'], ['heading', 'Deliveries'],
      ['button', 'Resume'],
      ['searchbox', 'Filter'],
      ['checkbox', 'also those that never came'],
      ['img', 'The last 60 minutes'],
      ['table', 'The last deliveries, the newest first'],
      ['table', /^Requests, rejections, answers from upstream/],
      ['table', /^Accepted events by name/],
      ['table', /^Subscriptions with the time/],
      ['table', /^Rejected requests by reason/],
      ['table', /^Events that are remembered/],
      ['rowheader', 'hooks.example.com/staging'],
      ['columnheader', 'Upstream'],
    ];

    for (const [role, name] of due) {
      const found = page.getByRole(role, name ? { name, exact: true } : {});

      assert.ok(await found.count() > 0, `${role} ${name || ''}`);
    }
  }));

  // As Chromium tells a screen reader.  In some browsers a "display" other than
  // a table's undoes its roles: so they are written out.

  it('a phone keeps the tables tables', () => onPage(async (page) => {
    await pause(page);

    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send('Accessibility.getFullAXTree');
    const names = (role) => nodes.filter((node) => node.role?.value === role)
      .map((node) => node.name?.value);

    assert.ok(names('columnheader').includes('Reason'));
    assert.ok(names('rowheader').includes('hooks.example.com/staging'));
    assert.ok(names('cell').some((name) => name.endsWith('malformed_json')));
    assert.equal(await page.locator('.stack :is(thead, tbody, tr, th, td):not([role])').count(),
      0);
  }, { viewport: { width: 360, height: 740 } }));
});
