'use strict';

// The page is for every window, by eye, by keyboard and by ear.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const axe = require('axe-core');

const { pause, tbodies } = require('./browser.js');
const { setUp, onPage, onFigures, withNginx } = require('./harness.js');
const { OUTCOMES } = require('./shown.js');

const SCHEMES = ['light', 'dark'];
const WIDTHS = [320, 390, 768, 1280];

setUp();


describe('for everybody', () => {
  // What sticks out to the right of the window.

  function overflow() {
    const { scrollWidth, clientWidth } = document.documentElement;
    const out = [...document.body.querySelectorAll('*')].filter((node) =>
      !node.closest('.unseen, svg, .stack thead')
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

  async function looksRight(page, least = 30) {
    assert.deepEqual(await page.evaluate(overflow), []);

    const texts = await page.evaluate(faint);

    assert.ok(texts.looked > least);
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

  // All that can be opened is open.

  async function openAll(page) {
    await page.getByLabel('also those that never came').check();
    await page.getByText('The chart as a table').click();
    await page.getByRole('button', { name: /^Show all \d+ deliveries/ }).click();
    await tbodies(page).locator('.line').evaluateAll((lines) =>
      lines.filter((_, i) => i % 5 === 0).forEach((line) => line.click()));
  }

  // Nothing is wrong, and there are notices of both kinds.

  function calm(figures) {
    for (const outcome of ['not_taken', 'stored']) {
      figures.hours[outcome].fill(0);
    }

    figures.deliveries = figures.deliveries.filter((d) => d.verdict !== 'rejected');
    figures.locations.forEach((l) => { l.not_taken.consecutive = 0; });
    figures.locations[0].secret_file.bytes = 65530;
  }

  for (const colorScheme of SCHEMES) {
    for (const width of WIDTHS) {
      const options = { colorScheme, viewport: { width, height: 800 } };

      it(`an outage, ${colorScheme}, ${width} wide`, () => onPage(async (page) => {
        await pause(page);
        await openAll(page);
        assert.equal(await page.locator('#verdict.bad').count(), 1);
        await looksRight(page);
      }, options));
    }

    for (const width of [320, 1280]) {
      const options = { colorScheme, viewport: { width, height: 800 } };

      it(`all is well, ${colorScheme}, ${width} wide`, () => onFigures(calm, async (page) => {
        assert.equal(await page.locator('#verdict.well').count(), 1);
        assert.equal(await page.locator('.notice').count(), 2);
        await looksRight(page);
      }, options));

      it(`a doubt, ${colorScheme}, ${width} wide`, () => onFigures((figures) => {
        calm(figures);
        figures.last_accepted.time -= 4 * 86400;
      }, async (page) => {
        assert.equal(await page.locator('#verdict.warn').count(), 1);
        await looksRight(page);
      }, options));

      it(`the first set-up, ${colorScheme}, ${width} wide`, () => withNginx((own) =>
        onPage(async (page) => {
          await pause(page);
          assert.equal(await page.locator('#verdict.plain').count(), 1);
          await looksRight(page, 10);
        }, { ...options, url: own.url })));

      it(`without figures, ${colorScheme}, ${width} wide`, () => withNginx((own) =>
        onPage(async (page) => {
          await pause(page);
          await own.halt();
          await page.getByRole('button', { name: 'Resume' }).click();
          await page.waitForSelector('body[data-state="stale"]');
          await looksRight(page, 10);
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
      l.tokens = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [n + 1, 1]));
      l.not_taken = { consecutive: large, since: 1, last: 1, status: 502 };

      for (const counters of [l.requests, l.rejected, l.events, l.outcomes, l.spool]) {
        Object.keys(counters).forEach((name) => { counters[name] = Math.floor(large / 2); });
      }
    });

    for (let i = 0; i < 256; i++) {
      figures.last_accepted.subscriptions[Number.MAX_SAFE_INTEGER - i] = i + 1;
    }

    figures.dedupe = { capacity: large, entries: large, evictions: large, unclaimed: large };
    figures.last_accepted.other_subscriptions = large;

    for (const chart of [figures.minutes, figures.hours]) {
      Object.keys(OUTCOMES).forEach((outcome) => chart[outcome].fill(4294967295));
    }

    [...figures.deliveries, ...figures.other_deliveries].forEach((d, i) => Object.assign(d, {
      client: 'abcd:abcd:abcd:abcd:abcd:abcd:255.255.255.255', location: `${long}${long}${i}`,
      event, entity_id: id, subscription_id: id, company_id: `${id}${i % 2}`, time: 1,
      upstream_time: 86400,
    }));
  }

  for (const width of [...WIDTHS, 1024]) {
    it(`long names and large figures, ${width} wide`, () => onFigures(extreme, async (page) => {
      await openAll(page);
      assert.deepEqual(await page.evaluate(overflow), []);
      assert.match(await page.locator('#verdict').innerText(), /, and 2 more locations/);

      // a figure is in one line, within its place
      const figures = await page.locator('#figures dd').evaluateAll((all) =>
        all.map((node) => [node.scrollWidth - node.clientWidth, node.clientHeight]));

      assert.equal(figures.length, 7);
      figures.forEach(([over, height]) => {
        assert.ok(over <= 0 && height < 40, `${over} ${height}`);
      });
    }, { viewport: { width, height: 800 } }));
  }

  it('a phone has all of the top in one line', () => onPage(async (page) => {
    await pause(page);

    const [title, state, button, main] = await Promise.all(['h1', '#fresh', '#pause', '#main']
      .map((selector) => page.locator(selector).boundingBox()));
    const middle = (box) => box.y + box.height / 2;

    const { right } = await page.locator('h1').evaluate((node) => {
      const range = document.createRange();

      range.selectNodeContents(node);
      return range.getBoundingClientRect();
    });

    assert.equal(title.x, main.x);
    assert.ok(right + 4 < state.x, `${right} ${state.x}`);
    assert.equal(button.x + button.width, main.x + main.width);
    assert.ok(Math.abs(middle(title) - middle(button)) < 2);
    assert.ok(Math.abs(middle(title) - middle(state)) < 2);
  }, { viewport: { width: 320, height: 740 } }));

  it('names are broken at their joints', () => onFigures((figures) => {
    Object.keys(figures.last_accepted.events).forEach((name) => {
      figures.last_accepted.events[name] = figures.timestamp - 20 * 3600;
      figures.locations[0].events[name] = 123456;
    });
    figures.locations[0].location = 'hooks.example.com/of/the_department/for_integration/clockodo';
  }, async (page) => {
    const names = await page.locator('#events-rows th, #locations-rows th').evaluateAll((nodes) =>
      nodes.map((node) => {
        const range = document.createRange();
        const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
        const found = [];

        while (texts.nextNode()) {
          [...texts.currentNode.data].forEach((c, i) => {
            range.setStart(texts.currentNode, i);
            range.setEnd(texts.currentNode, i + 1);

            const { top } = range.getBoundingClientRect();
            const line = found.at(-1);

            if (line && Math.abs(line.top - top) < 4) {
              line.text += c;
            } else {
              found.push({ text: c, top });
            }
          });
        }

        return found.map(({ text: line }) => line);
      }));
    const broken = names.filter((found) => found.length > 1);

    assert.ok(broken.length > 10);

    for (const found of broken) {
      found.slice(0, -1).forEach((line) => assert.match(line, /[._/]$/));
    }
  }, { viewport: { width: 360, height: 740 } }));

  for (const [width, period] of [[320, '1 hour'], [320, '24 hours'], [320, '7 days'],
    [1280, '7 days']]) {
    it(`the times below the chart are whole and apart, ${width} wide, ${period}`, () =>
      onFigures((figures) => {
        figures.minutes.first = 1800 * 1000000 - 60 * 59;
        figures.hours.first = 86400 * 20000 - 3600 * 168;
      }, async (page) => {
        await page.locator('#periods').getByText(period).click();

        const [edge, times] = await page.locator('#chart').evaluate((chart) => [
          chart.getBoundingClientRect().right,
          [...chart.querySelectorAll('text')].filter((node) => /:|\w \d/.test(node.textContent))
            .map((node) => node.getBoundingClientRect()).map(({ left, right }) => [left, right]),
        ]);

        assert.ok(times.length >= 3, `${times.length}`);
        times.forEach(([left, right], i) => {
          assert.ok(right <= edge + 0.5, `${right} of ${edge}`);
          assert.ok(i === 0 || left > times[i - 1][1] + 3, `${left} behind ${times[i - 1]}`);
        });
      }, { viewport: { width, height: 740 } }));
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
    await page.evaluate(() => document.querySelector('#pause').click());

    const stops = [];

    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');

      const stop = await page.evaluate(() => {
        const node = document.activeElement;
        const drawn = node.type === 'radio' ? node.nextElementSibling : node;
        const { outlineStyle, outlineWidth } = getComputedStyle(drawn);

        return node === document.body ? null : {
          name: node.className === 'opener' ? 'delivery' : node.id || node.value
            || node.textContent.trim() || node.title,
          outlined: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
        };
      });

      if (!stop) {
        break;
      }

      stops.push(stop);
    }

    assert.deepEqual(stops.map(({ name }) => name), ['pause', 'verdict-rows', 'Put away', '24h',
      'The chart as a table', 'all', 'filter', ...Array(20).fill('delivery'), 'deliveries-rest',
      'all-events']);
    assert.deepEqual(stops.filter(({ outlined }) => !outlined), []);

    await page.locator('#periods :checked').focus();
    await page.keyboard.press('ArrowRight');
    assert.equal(new URL(page.url()).searchParams.get('period'), '7d');
    await page.locator('#chips :checked').focus();
    await page.keyboard.press('ArrowRight');
    assert.equal(new URL(page.url()).searchParams.get('show'), 'failed');
    await tbodies(page).getByRole('button').first().focus();
    await page.keyboard.press('Space');
    assert.equal(await tbodies(page).locator('.open:visible').count(), 1);

    // what is put away leaves the focus where there is one
    await page.getByRole('button', { name: /^Put away/ }).focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.getByRole('button', { name: /^Put away/ }).count(), 0);
  }));

  it('by name', () => onPage(async (page) => {
    await pause(page);

    const due = [
      ['banner'], ['main'], ['contentinfo'], ['search'],
      ['complementary', 'Notices'],
      ['region', /^The last event was not taken/],
      ['heading', 'Clockodo webhooks'], ['heading', 'Deliveries'],
      ['button', 'Resume'],
      ['group', 'Period'], ['radio', '24 hours'], ['group', 'Show'], ['radio', /^Rejected \d+/],
      ['searchbox', 'Filter'],
      ['checkbox', 'also those that never came'],
      ['img', 'The last 24 hours'],
      ['table', /^The last deliveries, the newest first/],
      ['table', /^What became of requests, by location/],
      ['table', /^Accepted events by name/],
      ['table', /^Rejected requests by reason/],
      ['table', /^Subscriptions with the time/],
    ];

    for (const [role, name] of due) {
      assert.equal(await page.getByRole(role, { name }).count(), 1, `${role} ${name}`);
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

    assert.ok(names('columnheader').includes('Verdict'));
    assert.ok(names('rowheader').includes('/staging'));
    assert.ok(names('rowheader').includes('project.budget_notification'));
    assert.ok(names('cell').some((name) => name.endsWith('malformed_json')));
    assert.equal(await page.locator('.stack :is(thead, tbody, tr, th, td):not([role])').count(),
      0);
  }, { viewport: { width: 360, height: 740 } }));
});
