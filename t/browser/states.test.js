'use strict';

// What the page says first, in each state that there is: a verdict, what to do,
// the first set-up, notices.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { describe, it } = require('node:test');

const { pause, askNow, text, rows, tbodies, lines } = require('./browser.js');
const { event, HOST, TOKEN } = require('./nginx.js');
const { setUp, onPage, onFigures, withNginx } = require('./harness.js');
const { minute, ago, totals } = require('./shown.js');

setUp();

const SECRET = '{"secret":"8ee3d438-fbfc-411c-a38a-25893becd505"}';
const LOCATION = `${HOST}/clockodo`;

const COLORS = { well: '0d766e', warn: 'a35c00', bad: 'c8201a', plain: '2459c9' };

// The verdict's state, title and text, and that the tab has the same.

async function says(page, state, title, words = /^/) {
  assert.equal(await page.locator('#verdict').getAttribute('class'), `say verdict ${state}`);
  assert.equal(await text(page, 'verdict-title'), title);
  assert.match((await text(page, 'verdict-text')).replace(/\s+/g, ' '), words);

  const icon = await page.locator('#icon').getAttribute('href');
  const sign = { bad: '✕', warn: '!', plain: '·' }[state];

  assert.ok(decodeURIComponent(icon).includes(`fill='#${COLORS[state]}'`));
  assert.match(await page.title(),
    new RegExp(sign ? `^${sign} .+ – Clockodo webhooks$` : '^Clockodo webhooks$'));

  // nothing but the top is above it
  assert.ok((await page.locator('#verdict').boundingBox()).y < 120);
}

const notices = (page) => page.getByRole('complementary', { name: 'Notices' });

// Figures of an installation at work: all that came was taken.

function well(figures) {
  for (const outcome of ['not_taken', 'stored']) {
    figures.minutes[outcome].fill(0);
    figures.hours[outcome].fill(0);
  }

  figures.locations.forEach((l) => {
    l.handshakes = false;
    l.not_taken = { consecutive: 0, since: null, last: null, status: null };
  });

  figures.deliveries = figures.deliveries.filter((d) => d.outcome === 'taken');
}

const onWell = (change, test) => onFigures((figures) => {
  well(figures);
  change(figures);
}, test);


describe('nothing has come yet', () => {
  const steps = async (page) => Object.fromEntries(await page.locator('#steps').evaluate((list) =>
    [...list.children].map((li) => [li.querySelector('strong').innerText.split(',')[0].trim(),
      `${li.className}${li.getAttribute('aria-current') || ''}`])));

  const STEPS = ['A token is set', 'The webhook is validated in Clockodo',
    'Its secret is recorded', 'The first event is accepted', 'Handshakes are closed'];

  const isAt = async (page, n) => {
    assert.deepEqual(await steps(page), Object.fromEntries(STEPS.map((step, i) =>
      [step, i < n ? 'done' : i === n ? 'step' : ''])));
  };

  it('the page leads through the first set-up', () => withNginx(async (own) => {
    const hidden = ['overview', 'locations', 'events', 'reasons', 'subscriptions', 'dedupe',
      'notices'];

    await onPage(async (page) => {
      await pause(page);
      await says(page, 'plain', 'Ready: no event has come yet', /^nginx counts since \d\d:\d\d, /);
      await isAt(page, 1);
      assert.match(await text(page, 'steps'),
        /address\s+https:\/\/hooks\.example\.com\/clockodo\s+and your token/);
      assert.equal(await page.locator('#deliveries').isVisible(), false);

      for (const id of hidden) {
        assert.equal(await page.locator(`#${id}`).isVisible(), false, id);
      }

      assert.equal(await own.send(SECRET, { headers: { 'X-Test-Client': '203.0.113.7' } }), 200);
      await own.counted(1);
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.locator('#deliveries').waitFor();
      await isAt(page, 3);
      assert.match((await text(page, 'steps')).replace(/\s+/g, ' '), new RegExp('A handshake came '
        + '(just now|.* ago) from 203\\.0\\.113\\.7\\. .* clockodo-send-event team\\.updated '
        + '--token-file FILE https://hooks\\.example\\.com/clockodo'));
      assert.doesNotMatch(await page.content(), /8ee3d438/);

      assert.equal(await own.send(event()), 200);
      await own.counted(2);
      await askNow(page);
      await page.locator('#overview').waitFor();
      await isAt(page, 4);
      assert.match(await text(page, 'steps'), /clockodo_secret_file off;/);
      assert.match(await text(page, 'verdict-title'), /^All is well: /);

      await own.reload({ secrets: 'off' });
      await askNow(page);
      await page.waitForFunction(() => document.querySelectorAll('#steps .done').length === 5);
      await page.getByRole('button', { name: 'Put away' }).click();
      assert.equal(await page.locator('#guide').isVisible(), false);
    }, { url: own.url });

    // who has not seen it does not need it
    await onPage(async (page) => {
      await pause(page);
      assert.equal(await page.locator('#guide').isVisible(), false);
    }, { url: own.url });
  }));

  it('or what comes is refused', () => withNginx(async (own) => {
    await own.send(event('team.updated', { token: 'Wrong' }),
      { headers: { 'X-Test-Client': '203.0.113.7' } });
    await own.request({ path: '/clockodo' });
    await own.counted(2);
    await onPage(async (page) => {
      await pause(page);
      await says(page, 'warn', 'Requests come, but no event was accepted yet',
        /from 203\.0\.113\.7: its token is none of those that are configured\. .*compare/);
      await isAt(page, 1);
      assert.equal((await lines(page)).length, 2);
    }, { url: own.url });
  }));

  it('and handshakes are refused', () => withNginx((own) => onPage(async (page) => {
    await pause(page);
    assert.match(await text(page, 'steps'), /Handshakes are refused everywhere/);
  }, { url: own.url }), { secrets: 'off' }));

  it('nor can it', () => onFigures((figures) => {
    figures.locations = [];
  }, async (page) => {
    await says(page, 'warn', 'No location receives webhooks', /clockodo_webhook on/);
    assert.equal(await page.locator('#guide').isVisible(), false);
  }));
});


describe('all is well', () => {
  it('and the page says so', () => withNginx(async (own) => {
    assert.equal(await own.send(event()), 200);
    await own.counted(1);
    await onPage(async (page) => {
      const figures = await pause(page);

      await says(page, 'well', 'All is well: the last event came '
        + `${ago(figures.last_accepted.time, figures)} and was taken`);
      assert.equal(await notices(page).count(), 0);
      assert.equal(await page.getByRole('button', { name: 'Show them' }).count(), 0);
      assert.deepEqual(await page.locator('#chips label').allInnerTexts(),
        ['All 1', 'Failed', 'Rejected']);
    }, { url: own.url });
  }, { secrets: 'off' }));

  const ages = [[3, 'just now'], [59, '59 seconds ago'], [60, '1 minute ago'],
    [3599, '59 minutes ago'], [3600, '1 hour ago'], [23 * 3600, '23 hours ago'],
    [86400, '1 day ago'], [3 * 86400 - 1, '2 days ago']];

  for (const [seconds, words] of ages) {
    it(`for ${seconds} seconds`, () => onWell((figures) => {
      figures.last_accepted.time = figures.timestamp - seconds;
    }, (page) => says(page, 'well', `All is well: the last event came ${words} and was taken`)));
  }

  it('until a weekend is over', () => onWell((figures) => {
    figures.last_accepted.time = figures.timestamp - 3 * 86400;
  }, (page) => says(page, 'warn', 'No event came for 3 days', /look there whether yours are/)));

  it('where a spool takes all', () => onWell((figures) => {
    figures.last_accepted.time = figures.timestamp;
    figures.deliveries[0].outcome = 'stored';
  }, (page) => says(page, 'well', 'All is well: the last event came just now and was stored')));
});


describe('an outage', () => {
  const brokenBy = (own) => fs.renameSync(own.file('application.sock'), own.file('away.sock'));
  const mendedBy = (own) => fs.renameSync(own.file('away.sock'), own.file('application.sock'));

  async function send(own, n, status) {
    for (let i = 0; i < n; i++) {
      assert.equal(await own.send(event('team.updated', { payload: { team: { id: i + 1 } } })),
        status);
    }
  }

  it('is the verdict, and red, from the first event to the last', () => withNginx(async (own) => {
    await send(own, 2, 200);
    await own.counted(2);

    await onPage(async (page) => {
      await page.waitForSelector('.well');
      brokenBy(own);
      await send(own, 1, 502);

      const { not_taken: first } = (await own.counted(3)).locations[0];
      const figures = await own.status();

      await askNow(page);
      await page.waitForSelector('#verdict.bad');
      await says(page, 'bad', `The last event was not taken: ${LOCATION} answered 502 at `
        + `${minute(first.since, figures)}`, /broke off\. See whether it runs/);
      assert.match(await text(page, 'news'), /^The last event was not taken/);

      await send(own, 10, 502);
      await own.counted(13);
      await askNow(page);
      await page.waitForFunction(() => document.title.startsWith('✕ 11 not taken'));
      await says(page, 'bad', `11 events in a row were not taken: ${LOCATION} answers 502 since `
        + `${minute(first.since, figures)}`);

      // in the figures, the chart, the location and the lines
      assert.equal(await page.locator('#figures .not_taken').innerText(), 'Not taken\n11');
      assert.equal(await page.locator('#bars .not_taken').evaluateAll((parts) =>
        parts.filter((part) => Number(part.getAttribute('height')) > 0).length) > 0, true);
      assert.equal((await rows(page, 'locations-rows'))[0][2], '11 the last 11');
      assert.equal((await lines(page)).filter((line) => line[1] === '502 not taken').length, 11);

      for (const selector of ['#figures .not_taken dd', '#locations-rows .failing',
        '.not_taken .verdict-word', '#verdict-title']) {
        assert.equal(await page.locator(selector).first()
          .evaluate((node) => getComputedStyle(node).color), 'rgb(200, 32, 26)', selector);
      }

      // a button leads to them
      await page.getByRole('button', { name: 'Show them' }).click();
      assert.equal(new URL(page.url()).searchParams.get('show'), 'failed');
      assert.equal((await lines(page)).length, 11);

      mendedBy(own);
      await send(own, 1, 200);
      await own.counted(14);
      await askNow(page);
      await page.waitForSelector('#verdict.warn');
      await says(page, 'warn', '11 of 14 events in the last 24 hours were not taken, the last one '
        + `at ${minute(first.last ?? first.since, figures)}`, /Since then all were taken/);
    }, { url: own.url });
  }, { secrets: 'off' }));

  it('is not hidden by strangers', () => withNginx(async (own) => {
    brokenBy(own);
    await send(own, 3, 502);

    for (let i = 0; i < 130; i++) {
      await own.request({ path: '/clockodo', headers: { 'X-Test-Client': `198.51.100.${i}` } });
    }

    await own.counted(133);
    await onPage(async (page) => {
      await pause(page);
      assert.match(await text(page, 'verdict-title'), /^3 events in a row were not taken: /);
      assert.deepEqual(await page.locator('#chips label').allInnerTexts(),
        ['All 131', 'Failed 3', 'Rejected 128']);
      await page.getByRole('button', { name: 'Show them' }).click();
      assert.deepEqual((await lines(page)).map((line) => line[1]), Array(3).fill('502 not taken'));
    }, { url: own.url });
  }));

  const statuses = [
    [499, `${LOCATION}, where the sender hung up since`, /not wait .*proxy_ignore_client_abort/],
    [504, `${LOCATION} answers 504 since`, /does not answer in time/],
    [503, `${LOCATION} answers 503 since`, /not ready, or events cannot be stored/],
    [500, `${LOCATION} answers 500 since`, /The application fails/],
    [404, `${LOCATION} answers 404 since`, /refuses them\. See the address in proxy_pass/],
    [302, `${LOCATION} answers 302 since`, /redirects/],
  ];

  for (const [status, words, advice] of statuses) {
    it(`by ${status}`, () => onWell((figures) => {
      const since = figures.timestamp - 4000;

      figures.locations[0].not_taken = { consecutive: 1234, since, last: since + 1, status };
    }, async (page) => {
      const title = await text(page, 'verdict-title');

      assert.ok(title.startsWith(`1,234 events in a row were not taken: ${words} `), title);
      await says(page, 'bad', title, advice);
    }));
  }

  it('of several locations', () => onWell((figures) => {
    const since = figures.timestamp - 4000;

    figures.locations.forEach((l, i) => {
      l.not_taken = { consecutive: i + 2, since, last: since + 1, status: 502 };
    });
  }, async (page) => {
    assert.match(await text(page, 'verdict-title'),
      /^4 events in a row .*: hooks\.example\.com\/staging answers .*, and 2 more locations$/);
    assert.equal(await page.title(), '✕ 9 not taken – Clockodo webhooks');
  }));

  it('of events that a spool keeps', () => withNginx(async (own) => {
    assert.equal(await own.send(event('user.deleted'), { path: '/kept' }), 200);
    assert.equal(await own.send(event('team.deleted'), { path: '/kept' }), 200);
    await own.counted(2);

    await onPage(async (page) => {
      await pause(page);
      await says(page, 'warn', await text(page, 'verdict-title'),
        /They wait in the spool, where clockodo-deliver hands them over\.$/);
      assert.match(await text(page, 'verdict-title'),
        /^2 events in a row were not taken, but stored: hooks\.example\.com\/kept /);
      assert.equal(await page.locator('#figures .stored').innerText(), 'Stored\n2');
      assert.deepEqual((await lines(page)).map((line) => line[1]), ['200 stored', '200 stored']);
    }, { url: own.url });
  }, { server: `location = /kept {
    clockodo_webhook on;
    clockodo_token ${TOKEN};
    proxy_pass http://application;
    proxy_intercept_errors on;
    error_page 500 = @later;
  }

  location @later {
    clockodo_webhook on;
    clockodo_token ${TOKEN};
    clockodo_spool spool;
  }` }));

  it('of events that were stored', () => onWell((figures) => {
    const since = figures.timestamp - 60;

    figures.locations[0].not_taken = { consecutive: 2, since, last: since + 1, status: 502 };
    figures.deliveries.slice(0, 2).forEach((d) => {
      Object.assign(d, { outcome: 'stored', location: `${HOST}@later`, time: since + 1 });
    });
    figures.deliveries.splice(2);
  }, async (page) => {
    await says(page, 'warn', (await text(page, 'verdict-title')),
      /They wait in the spool, where clockodo-deliver hands them over\.$/);
    assert.match(await text(page, 'verdict-title'),
      /^2 events in a row were not taken, but stored: hooks\.example\.com\/clockodo answers 502 /);
  }));
});


describe('what has a right token', () => {
  const refuse = (change) => (figures) => {
    figures.deliveries.slice(0, 2).forEach((d) => Object.assign(d, {
      verdict: 'rejected', reason: 'company', outcome: '', status: 403, upstream_status: null,
      upstream_time: null,
    }, change));
  };

  it('and is refused', () => onWell(refuse({}), async (page) => {
    await says(page, 'warn',
      '2 events with a right token were refused in the last 24 hours: company',
      /: its company is not in clockodo_company\. Add .* Clockodo may disable a webhook/);
    await page.getByRole('button', { name: 'Show them' }).click();
    assert.equal(new URL(page.url()).searchParams.get('show'), 'rejected');
  }));

  it('and is forwarded, though it failed a check', () => onWell(
    refuse({ reason: 'payload', status: 200, upstream_status: 200, upstream_time: 0.1 }),
    (page) => says(page, 'warn',
      '2 events with a right token failed a check in the last 24 hours: payload',
      /its payload is not that of its event\. They were forwarded all the same\.$/)));

  it('and an nginx that forwards it, and handshakes', () => withNginx(async (own) => {
    assert.equal(await own.send(SECRET, { path: '/lenient' }), 200);
    await own.counted(1);

    await onPage(async (page) => {
      await page.waitForSelector('#guide:not([hidden])');
      assert.match(await text(page, 'steps'), /Its secret is handed to the application\s+, done/);
      assert.match(await text(page, 'steps'), /form: the application has it\. /);
      assert.equal((await lines(page))[0][1], '200 handshake');

      assert.equal(await own.send(event('team.updated', { payload: {} }), { path: '/lenient' }),
        200);
      await own.counted(2);
      await askNow(page);
      await page.waitForSelector('#verdict.warn');
      assert.equal((await lines(page))[0][1], '200 rejected: payload, forwarded');

      assert.equal(await own.send(event(), { path: '/lenient' }), 200);
      await own.counted(3);
      await askNow(page);
      await page.locator('#overview').waitFor();
      await says(page, 'warn',
        '1 event with a right token failed a check in the last 24 hours: payload',
        /It was forwarded all the same\.$/);
    }, { url: own.url });
  }, { server: `location = /lenient {
    clockodo_webhook authenticate;
    clockodo_token ${TOKEN};
    clockodo_secret_file off forward;
    proxy_pass http://application;
  }` }));

  it('and repeats one that is still on its way', () => onWell(
    refuse({ reason: 'in_flight', status: 409 }),
    async (page) => assert.match(await text(page, 'verdict-title'), /^All is well/)));
});


describe('notices', () => {
  it('tell where handshakes are open, until they are put away', () => withNginx(async (own) => {
    assert.equal(await own.send(event()), 200);
    await own.send(SECRET, { headers: { 'X-Test-Client': '203.0.113.7' } });
    await own.counted(2);

    await onPage(async (page) => {
      const figures = await pause(page);
      const { last_handshake: last } = figures.locations[0];

      assert.equal(await text(page, 'news'), '');
      assert.equal((await notices(page).innerText()).trim().replace(/\s+/g, ' '),
        `Handshakes are open at ${LOCATION} The last one came ${ago(last.time, figures)} from `
        + '203.0.113.7. Anybody can send one: once your webhooks are set up, say '
        + 'clockodo_secret_file off;.');
      assert.match(await text(page, 'verdict-title'), /^All is well/);

      await notices(page).getByRole('button', { name: /^Put away: Handshakes are open/ }).click();
      assert.equal(await notices(page).count(), 0);
      await page.reload();
      await pause(page);
      assert.equal(await notices(page).count(), 0);

      // a new one is news, and spoken of
      await new Promise((resolve) => { setTimeout(resolve, 1100); });
      await own.send(SECRET, { headers: { 'X-Test-Client': '203.0.113.9' } });
      await own.counted(3);
      await page.getByRole('button', { name: 'Resume' }).click();
      await notices(page).waitFor();
      assert.match(await notices(page).innerText(), /from 203\.0\.113\.9/);
      assert.match(await text(page, 'news'), /^Handshakes are open at /);
    }, { url: own.url });
  }));

  it('tell that the secret file is full', () => withNginx(async (own) => {
    fs.appendFileSync(own.file('secrets'), `${'#'.repeat(65500)}\n`);
    assert.equal(await own.send(event()), 200);
    assert.equal(await own.send(SECRET), 503);
    await own.counted(2);

    await onPage(async (page) => {
      await pause(page);
      assert.match(await notices(page).innerText(),
        /^The secret file of hooks\.example\.com\/clockodo is full: handshakes get 503/);
      assert.match(await text(page, 'verdict-title'), /^Events get through: the last event came /);
      await notices(page).getByRole('button', { name: /^Put away: The secret file/ }).click();
      assert.doesNotMatch(await notices(page).innerText(), /is full/);
    }, { url: own.url });
  }));
});


describe('41 locations with long names', () => {
  const name = (i) => `/departments/${i}/of_integration/and_whatever_else_there_is/clockodo`;
  const server = Array.from({ length: 38 }, (_, i) => `
    location = ${name(i)} {
        clockodo_webhook on;
        clockodo_token ${TOKEN};
        proxy_pass http://application;
    }`).join('');

  for (const width of [1280, 390]) {
    it(`the first are shown, those in trouble before others, ${width} wide`, () =>
      withNginx(async (own) => {
        assert.equal(await own.send(event(), { path: name(3) }), 200);
        assert.equal(await own.send(event('user.deleted'), { path: name(37) }), 500);
        await own.counted(2);

        await onPage(async (page) => {
          const figures = await pause(page);

          assert.equal(figures.locations.length, 41);
          assert.equal(totals(figures, 'requests').accepted, 2);
          assert.equal((await rows(page, 'locations-rows')).length, width < 600 ? 5 : 20);
          assert.equal((await rows(page, 'locations-rows'))[0][0], name(37));
          assert.match(await text(page, 'verdict-title'),
            new RegExp(`^The last event was not taken: ${HOST}${name(37)} answered 500`));
          await page.getByRole('button', { name: 'Show all 41 locations' }).click();
          assert.equal((await rows(page, 'locations-rows')).length, 41);
          assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
        }, { url: own.url, viewport: { width, height: 800 } });
      }, { server }));
  }
});


describe('a phone', () => {
  for (const width of [320, 390]) {
    it(`has 20 lines, and scrolls nowhere inside, ${width} wide`, () => onPage(async (page) => {
      await pause(page);
      assert.equal(await tbodies(page).count(), 20);
      await page.getByRole('button', { name: /^Show all \d+ deliveries/ }).click();
      await page.getByLabel('also those that never came').check();
      assert.ok(await tbodies(page).count() > 30);
      await tbodies(page).getByRole('button').nth(3).click();
      assert.equal(await tbodies(page).locator('.open:visible').count(), 1);
      assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('body *')]
        .filter((node) => !node.closest('.unseen')
          && /auto|scroll/.test(getComputedStyle(node).overflow))
        .map((node) => node.outerHTML.slice(0, 80))), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);

      // two lines each at most, of what matters
      const heights = await tbodies(page).locator('.line').evaluateAll((all) =>
        all.map((line) => line.getBoundingClientRect().height));

      heights.forEach((height) => assert.ok(height <= 80, `${height}`));
    }, { viewport: { width, height: 700 } }));
  }
});
