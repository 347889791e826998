'use strict';

// The page is for every window, by eye, by keyboard and by ear.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const axe = require('axe-core');

const { pause } = require('./browser.js');
const { setUp, onPage, onFigures, withNginx } = require('./harness.js');
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

    figures.deliveries.filter((d) => d.verdict === 'accepted').forEach((d, i) => {
      Object.assign(d, { location: figures.locations[i % 2].location, status: 502 });
    });
  }

  // The lines that texts have, and where these end.

  const lines = (page, selector) => page.locator(selector).evaluateAll((nodes) =>
    nodes.map((node) => {
      const range = document.createRange();
      const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
      const found = [];

      while (texts.nextNode()) {
        [...texts.currentNode.data].forEach((c, i) => {
          range.setStart(texts.currentNode, i);
          range.setEnd(texts.currentNode, i + 1);

          const { top, right } = range.getBoundingClientRect();
          const line = found.at(-1);

          if (line && Math.abs(line.top - top) < 4) {
            Object.assign(line, { text: line.text + c, right });
          } else {
            found.push({ text: c, top, right });
          }
        });
      }

      return { found, edge: node.parentElement.getBoundingClientRect().right };
    }));

  for (const width of [...WIDTHS, 1152]) {
    it(`long names and large figures, ${width} wide`, () => onFigures(extreme, async (page) => {
      assert.deepEqual(await page.evaluate(overflow), []);
      assert.match(await page.locator('#outage').innerText(), /and 1 more location/);

      const figures = await lines(page, '.tile:not(.wide) .figure');

      assert.equal(figures.length, 6);

      for (const { found, edge } of figures) {
        assert.equal(found.length, 1, found.map(({ text }) => text).join('|'));
        assert.ok(found[0].right < edge, found[0].text);
      }

      // as tall as what is beside it, where there is room beside it
      const { height } = await page.locator('#minutes').boundingBox();

      assert.ok(height < 700, `${height}`);
    }, { viewport: { width, height: 800 } }));
  }

  // tiles are all as tall as the tallest

  it('what is below a figure is one line, 1280 wide', () => onFigures((figures) => {
    figures.locations.forEach(({ upstream_responses: answers }, i) => {
      answers['2xx'] = i ? 0 : 27364;
    });
  }, async (page) => {
    const details = await lines(page, '.tile .detail');

    assert.equal(details.length, 7);
    details.forEach(({ found }) => assert.equal(found.length, 1, found[0].text));
  }));

  it('a phone has the state to the left, the button to the right', () => onPage(async (page) => {
    await pause(page);

    const [title, state, button, main] = await Promise.all(['h1', '#fresh', '#pause', '#main']
      .map((selector) => page.locator(selector).boundingBox()));

    assert.equal(state.x, title.x);
    assert.equal(button.x + button.width, main.x + main.width);
  }, { viewport: { width: 360, height: 740 } }));

  it('names are broken at their joints', () => onFigures((figures) => {
    const time = figures.timestamp - 20 * 3600 - 59 * 60;

    Object.keys(figures.last_accepted.events).forEach((name) => {
      figures.last_accepted.events[name] = time;
      figures.locations[0].events[name] = 123456;
    });
    figures.locations[0].location = 'hooks.example.com/of/the_department/for_integration/clockodo';
  }, async (page) => {
    const names = await lines(page, '#events-rows th, #locations-rows th');
    const broken = names.filter(({ found }) => found.length > 1);

    assert.ok(broken.length > 10);

    for (const { found } of broken) {
      found.slice(0, -1).forEach(({ text }) => assert.match(text, /[._/]$/));
    }
  }, { viewport: { width: 360, height: 740 } }));

  it('the last time below the chart is whole', () => onFigures((figures) => {
    figures.minutes.forEach((minute, i) => { minute.time = 1800 * 1000000 - 60 * (59 - i); });
  }, async (page) => {
    const [edge, times] = await page.locator('#chart').evaluate((chart) => [
      chart.getBoundingClientRect().right,
      [...chart.querySelectorAll('text')].filter(({ textContent }) => textContent.includes(':'))
        .map((node) => node.getBoundingClientRect().right),
    ]);

    assert.equal(times.length, 4);
    times.forEach((right) => assert.ok(right <= edge + 0.5, `${right} of ${edge}`));
  }, { viewport: { width: 360, height: 740 } }));

  for (const width of [360, 1280]) {
    it(`200 locations are a region that scrolls, ${width} wide`, () => onFigures((figures) => {
      const [first] = figures.locations;

      figures.locations = Array.from({ length: 200 }, (_, i) => ({ ...first, location: `${i}/a` }));
    }, async (page) => {
      const region = page.getByRole('region', { name: /^Requests, rejections/ });
      const { height } = await region.boundingBox();

      assert.equal(await page.locator('#locations-rows > tr').count(), 200);
      assert.ok(height < 800, `${height}`);
      await region.focus();
      await page.keyboard.press('End');
      await page.waitForFunction(() => document.querySelector('.across').scrollTop > 1000);
      assert.deepEqual(await page.evaluate(overflow), []);
    }, { viewport: { width, height: 800 } }));
  }

  // The lowest lines of pixels of a region, at its left edge, by a canvas.

  async function lowest(page, selector) {
    const { x, y, height } = await page.locator(selector).boundingBox();
    const picture = await page.screenshot({ clip: { x, y: y + height - 8, width: 1, height: 8 } });
    const other = await page.context().newPage();

    try {
      return await other.evaluate(async (data) => {
        const image = new Image();

        image.src = `data:image/png;base64,${data}`;
        await image.decode();

        const context = document.createElement('canvas').getContext('2d');

        context.drawImage(image, 0, 0);
        return [0, 7].map((row) => context.getImageData(0, row, 1, 1).data.join());
      }, picture.toString('base64'));
    } finally {
      await other.close();
    }
  }

  it('a region that goes on below has a shade, to its end', () => onPage(async (page) => {
    await page.getByLabel('also those that never came').check();
    await pause(page);

    const shaded = async () => {
      const [above, below] = await lowest(page, '#events .scroll');

      return above !== below;
    };

    // nothing but the background is looked at
    await page.locator('#events table').evaluate((node) => { node.style.opacity = 0; });
    await page.locator('#events .scroll').scrollIntoViewIfNeeded();
    assert.equal(await shaded(), true);
    await page.locator('#events .scroll').evaluate((node) => { node.scrollTop = 1e6; });
    assert.equal(await shaded(), false);
  }));

  it('what stands side by side is level and apart', () => onFigures((figures) => {
    figures.deliveries.forEach((d) => {
      d.location = `hooks.example.com/${'a'.repeat(200)}`;
      d.client = '203.0.113.255';
    });
  }, async (page) => {
    const top = async (id) => (await page.locator(id).boundingBox()).y;

    assert.ok(Math.abs(await top('#events-title') - await top('#subscriptions-title')) < 1);
    assert.ok(Math.abs(await top('#deliveries-title')
      - (await page.getByText('Filter', { exact: true }).boundingBox()).y) < 2);

    for (const { found } of await lines(page, '#deliveries-rows .client')) {
      assert.equal(found.length, 1);
    }

    const [rejected, reasons, subscription, client] = await page.locator('.stack thead th')
      .evaluateAll((nodes) => ['Rejected', 'Reasons', 'Subscription', 'Client'].map((name) => {
        const range = document.createRange();

        range.selectNodeContents(nodes.find(({ textContent }) => textContent === name));
        return range.getBoundingClientRect();
      }));

    assert.ok(reasons.left - rejected.right > 20);
    assert.ok(client.left - subscription.right > 20);
  }));

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
    assert.ok(names('rowheader').includes('project.budget_notification'));
    assert.ok(names('cell').some((name) => name.endsWith('malformed_json')));
    assert.equal(await page.locator('.stack :is(thead, tbody, tr, th, td):not([role])').count(),
      0);
  }, { viewport: { width: 360, height: 740 } }));
});
