'use strict';

// The page shows what was sent, and what the JSON says.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { pause, text, rows, tbodies, lines } = require('./browser.js');
const { event } = require('./nginx.js');
const { shared, setUp, onPage, onFigures, withNginx } = require('./harness.js');
const {
  OUTCOMES, sum, number, minuteOf, moment, minute, ago, totals, everything, outcomeOf,
} = require('./shown.js');
const { calls, hostile, count } = require('./traffic.js');

setUp();

const PERIODS = {
  '1 hour': ['hour', (figures) => series(figures.minutes)],
  '24 hours': ['24 hours', (figures) => series(figures.hours).slice(-24)],
  '7 days': ['7 days', (figures) => series(figures.hours)],
};

// The columns of a chart, each with its time.

function series({ first, seconds, ...all }) {
  return all.taken.map((_, i) => ({
    time: first + i * seconds,
    seconds,
    ...Object.fromEntries(Object.keys(OUTCOMES).map((outcome) => [outcome, all[outcome][i]])),
  }));
}

const choose = (page, name) => page.locator('#periods').getByText(name).click();

// What is not zero, by outcome.

const figuresOf = (columns) => Object.fromEntries(Object.keys(OUTCOMES)
  .map((outcome) => [outcome, sum(columns.map((c) => c[outcome]))])
  .filter(([outcome, n]) => n > 0 || outcome === 'taken'));

const shownFigures = (page) => page.locator('#figures').evaluate((list) =>
  Object.fromEntries([...list.children].map((node) => [node.className, node.innerText])));


describe('figures', () => {
  it('are of the period that is chosen, what is zero left out', () => onPage(async (page) => {
    const figures = await pause(page);
    const sent = [...calls, ...hostile];
    const due = {
      taken: count(sent, (call) => call[0] === 'accepted' && call[2] === 200),
      not_taken: count(sent, (call) => call[0] === 'accepted' && call[2] !== 200),
      ...Object.fromEntries(['filtered', 'duplicate', 'handshake', 'rejected']
        .map((verdict) => [verdict, count(sent, (call) => call[0] === verdict)])),
    };

    assert.equal(await text(page, 'period-title'), 'The last 24 hours');

    for (const [choice, [name, columns]] of Object.entries(PERIODS)) {
      await choose(page, choice);
      assert.equal(await text(page, 'period-title'), `The last ${name}`);
      assert.deepEqual(figuresOf(columns(figures)), due);
      assert.deepEqual(await shownFigures(page), Object.fromEntries(Object.entries(due)
        .map(([outcome, n]) => [outcome, `${OUTCOMES[outcome][0]}\n${n}`])));
      assert.match(await text(page, 'period-since'), /^counting began .*, at \d\d:\d\d$/);
    }
  }));

  it('the period stays in the address', () => onPage(async (page) => {
    await pause(page);

    for (const [choice, query] of [['7 days', '?period=7d'], ['1 hour', '?period=1h'],
      ['24 hours', '']]) {
      await choose(page, choice);
      assert.equal(new URL(page.url()).search, query);
      await page.reload();
      await pause(page);
      assert.equal(await page.getByRole('radio', { name: choice }).isChecked(), true);
    }
  }));

  it('figures are of different periods', () => onFigures((figures) => {
    for (const outcome of Object.keys(OUTCOMES)) {
      figures.minutes[outcome].fill(0);
      figures.hours[outcome].fill(0);
    }

    figures.since = figures.hours.first - 1;
    figures.minutes.taken[0] = 1;
    figures.hours.taken[168 - 24] = 20;
    figures.hours.taken[168 - 25] = 300;
    figures.hours.stored[0] = 4000;
  }, async (page) => {
    const due = [['1 hour', { taken: 'Taken\n1' }], ['24 hours', { taken: 'Taken\n20' }],
      ['7 days', { taken: 'Taken\n320', stored: 'Stored\n4,000' }]];

    for (const [choice, shown] of due) {
      await choose(page, choice);
      assert.deepEqual(await shownFigures(page), shown);
      assert.equal(await text(page, 'period-since'), '');
    }
  }));

  it('as a chart and as a table', () => onPage(async (page) => {
    const figures = await pause(page);

    await page.getByText('The chart as a table').click();

    for (const [choice, [, columnsOf]] of Object.entries(PERIODS)) {
      const columns = columnsOf(figures);

      await choose(page, choice);

      const bars = await page.locator('#bars').evaluate((node) => [...node.children]
        .map((bar) => [...bar.children].map((part) => [part.getAttribute('class'),
          Number(part.getAttribute('height'))])));

      assert.equal(bars.length, columns.length);

      // one height per request in all of them
      const heights = columns.flatMap((column, i) => bars[i].map(([outcome, height]) => {
        assert.equal(height > 0, column[outcome] > 0);
        return height / column[outcome];
      })).filter((height) => height > 0);

      assert.ok(heights.length > 5);
      heights.forEach((height) => assert.ok(Math.abs(height - heights[0]) < 0.01));

      const there = Object.keys(figuresOf(columns));

      assert.deepEqual(await rows(page, 'periods-rows'), columns
        .filter((column) => there.some((outcome) => column[outcome])).reverse()
        .map((column) => [minute(column.time, figures),
          ...there.map((outcome) => String(column[outcome] || ''))]));
      assert.match(await text(page, 'readout'), new RegExp(`^${shared.sent} requests; `));
      assert.equal(await page.locator('#period-sum').textContent(), await text(page, 'readout'));
    }
  }));

  it('what is not taken is red, what is rejected is not', () => onPage(async (page) => {
    await pause(page);

    const colors = await page.locator('#bars').evaluate((node) => Object.fromEntries(
      [...node.lastChild.children].map((part) => [part.getAttribute('class'),
        getComputedStyle(part).fill.match(/\d+/g).map(Number)])));
    const isRed = ([r, g, b]) => r > 180 && g < 60 && b < 60;

    assert.equal(new Set(Object.values(colors).map(String)).size, 7);
    assert.deepEqual(Object.keys(colors).filter((outcome) => isRed(colors[outcome])),
      ['not_taken']);
  }));

  it('a column that is pointed at', () => onPage(async (page) => {
    const figures = await pause(page);
    const box = await page.locator('#chart').boundingBox();
    const column = series(figures.hours).at(-1);
    const parts = Object.keys(OUTCOMES).filter((outcome) => column[outcome])
      .map((outcome) => `${column[outcome]} ${OUTCOMES[outcome][1]}`);

    await page.mouse.move(box.x + box.width - 3, box.y + 20);
    assert.equal(await text(page, 'readout'), `${minute(column.time, figures)} to `
      + `${minuteOf(column.time + 3600)}: ${parts.join(', ') || 'nothing'}`);
    await page.mouse.move(box.x, box.y - 20);
    assert.match(await text(page, 'readout'), / requests; /);
  }));

  it('reasons', () => onPage(async (page) => {
    const figures = await pause(page);
    const due = {};

    for (const [verdict, reason] of [...calls, ...hostile]) {
      if (verdict === 'rejected') {
        due[reason] = (due[reason] || 0) + 1;
      }
    }

    const shown = await rows(page, 'reasons-rows');
    const numbers = shown.map(([, n]) => number(n));

    assert.deepEqual(Object.fromEntries(shown.map(([name, n]) => [name.split(' ')[0], number(n)])),
      due);
    assert.deepEqual(Object.entries(totals(figures, 'rejected')).filter(([, n]) => n).sort(),
      Object.entries(due).sort());
    assert.deepEqual(numbers, [...numbers].sort((a, b) => b - a));
    assert.equal(await text(page, 'reasons-since'), `since ${minute(figures.since, figures)}`);

    // each with a word about what it means
    assert.ok(shown.every(([name]) => name.includes(' ')));
  }));

  it('locations: columns of zeros and what their names share are left out', () =>
    onPage(async (page) => {
      const figures = await pause(page);
      const since = minute(figures.since, figures);
      const used = (l) => Object.entries(l.tokens).map(([i, time]) =>
        (Object.keys(l.tokens).length > 1 ? `${i}: ` : '')
        + (time === null ? `not since ${since}` : ago(time, figures))).join(' ');
      const shown = await rows(page, 'locations-rows');
      const due = [...figures.locations]
        .sort((a, b) => b.not_taken.consecutive - a.not_taken.consecutive)
        .map((l) => [
          l.location.replace('hooks.example.com', ''),
          ...[l.outcomes.taken, l.outcomes.not_taken, l.requests.filtered, l.requests.duplicate,
            l.requests.handshake, l.requests.rejected].map((n) => String(n || '')),
          used(l),
        ]);

      assert.equal(await text(page, 'locations-since'),
        `since ${since}, all at hooks.example.com`);
      assert.deepEqual(await page.locator('#locations thead th').allInnerTexts(), ['Location',
        'Taken', 'Not taken', 'Filtered', 'Duplicates', 'Handshakes', 'Rejected', 'Answered',
        'Token last used']);
      assert.equal(due[0][0], '/staging');
      shown.forEach((row) => assert.match(row.splice(7, 1)[0],
        /^(half in [\d.]+ m?s, )?99% in [\d.]+ m?s$/));
      shown[0][2] = shown[0][2].replace(' the last 1', '');
      assert.deepEqual(shown, due);
    }));

  it('of a location: stored, spool, tokens that were not used, slow answers', () =>
    onFigures((figures) => {
      const [l] = figures.locations;

      figures.locations = [l];
      l.outcomes.stored = 1234;
      l.spool = { stored: 1234, duplicates: 0, failures: 5 };
      l.tokens = { 1: null };
      l.upstream_seconds.buckets = { 0.005: 0, 0.25: 50, 1: 50, 5: 50, '+Inf': 100 };
    }, async (page) => {
      const [row] = await rows(page, 'locations-rows');

      assert.equal(row[0], 'hooks.example.com/clockodo');
      assert.doesNotMatch(await page.locator('#locations thead').innerText(), /Duplicates/);
      assert.ok(row.includes('1,234 5 failed'));
      assert.ok(row.includes('half in 250 ms, 99% in over 60 s'));
      assert.match(row.at(-1), /^not since \d/);
    }));

  it('events: those that came, and all of them', () => onPage(async (page) => {
    const figures = await pause(page);
    const accepted = totals(figures, 'events');
    const due = Object.entries(figures.last_accepted.events)
      .map(([name, time]) => [name, String(accepted[name] || ''),
        time === null ? '' : ago(time, figures)])
      .sort((a, b) => b[1] - a[1]);

    assert.equal(due.length, 48);
    assert.deepEqual(await rows(page, 'events-rows'), due.filter(([, n]) => n !== ''));
    await page.getByLabel('also those that never came').check();
    assert.deepEqual(await rows(page, 'events-rows'), due);
  }));

  it('subscriptions', () => onPage(async (page) => {
    const figures = await pause(page);
    const due = Object.entries(figures.last_accepted.subscriptions)
      .map(([id, time]) => [id, ago(time, figures)]);

    assert.deepEqual(due.map(([id]) => id), ['42', '43', '1005']);
    assert.deepEqual((await rows(page, 'subscriptions-rows')).sort(), due.sort());
    assert.equal(await text(page, 'subscriptions-more'), '');
  }));

  it('subscriptions that there was no room for', () => onFigures((figures) => {
    for (let i = 0; i < 253; i++) {
      figures.last_accepted.subscriptions[i + 2000] = figures.timestamp - 7200;
    }

    figures.last_accepted.subscriptions.other = figures.timestamp - 3 * 86400;
    figures.last_accepted.other_subscriptions = 4711;
  }, async (page) => {
    assert.equal(await text(page, 'subscriptions-more'),
      'and 4,711 events of others, the last 3 days ago');
    assert.deepEqual((await rows(page, 'subscriptions-rows'))[0], ['2000', '2 hours ago']);
    assert.equal((await rows(page, 'subscriptions-rows')).length, 20);
    await page.getByRole('button', { name: 'Show all 256 subscriptions' }).click();
    assert.equal((await rows(page, 'subscriptions-rows')).length, 256);
  }));
});


describe('deliveries', () => {
  // The line of a delivery, where no column is left out.

  const lineOf = (d, figures) => [
    moment(d.time, figures),
    `${d.status} ${OUTCOMES[outcomeOf(d)][1]}${d.reason ? `: ${d.reason}` : ''}`,
    `${d.event} ${d.entity_id}`.trim(), d.subscription_id, d.company_id, d.client,
    d.location.replace('hooks.example.com', ''),
    d.upstream_time === null ? '' : `${Math.round(d.upstream_time * 1000) || '< 1'} ms`,
  ];

  const more = (page) => page.getByRole('button', { name: /^Show all \d+ deliveries/ });

  it('of both lists, a line each, the newest first', () => onPage(async (page) => {
    const figures = await pause(page);
    const due = everything(figures).map((d) => lineOf(d, figures));

    assert.equal(due.length, shared.sent);
    assert.deepEqual(await lines(page), due.slice(0, 20));
    await more(page).click();
    assert.deepEqual(await lines(page), due);
    assert.equal(await more(page).count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement.closest('tbody')
      === document.querySelectorAll('#deliveries-table > tbody')[20]), true);
  }));

  it('a line opens, and tells what is known', () => onPage(async (page) => {
    const figures = await pause(page);
    const d = figures.deliveries.find(({ event: name }) => name === 'entry.deleted');

    await page.getByRole('searchbox', { name: 'Filter' }).fill('entry.deleted');

    const opener = tbodies(page).getByRole('button').first();
    const open = tbodies(page).locator('.open');

    assert.equal(await opener.getAttribute('aria-expanded'), 'false');
    assert.equal(await open.isVisible(), false);
    await opener.press('Enter');
    assert.equal(await opener.getAttribute('aria-expanded'), 'true');

    const words = (await open.innerText()).replace(/\s+/g, ' ');

    for (const part of [
      'Its token and its form are right, but the application did not take it. The application’s '
        + 'status was 500 after ',
      '; the sender got 500.',
      `Received ${moment(d.time, figures)}.`,
      `Occurred 10 May, ${minuteOf(Date.parse(d.occurred_at) / 1000)}:00, `,
      `From ${d.client} `, `At ${d.location} `, 'Event entry.deleted 9001 ', 'Subscription 42 ',
      'Company 1337 ', `Idempotency key ${d.idempotency_key} Copy`,
      'Send again clockodo-send-event entry.deleted --id 9001 --company 1337 --subscription 42 '
        + '--occurred-at 1986-05-10T17:02:00Z https://hooks.example.com/clockodo Copy',
    ]) {
      assert.ok(words.includes(part), `${part}\n${words}`);
    }

    // a click anywhere in the line closes it
    await tbodies(page).locator('.line td').nth(1).click();
    assert.equal(await open.isVisible(), false);
  }));

  it('the key and the line to send it again can be copied', () => onPage(async (page) => {
    const figures = await pause(page);
    const d = figures.deliveries.find(({ event: name }) => name === 'team.created');

    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('searchbox', { name: 'Filter' }).fill('team.created');
    await tbodies(page).getByRole('button').first().click();

    for (const [name, due] of [['Copy: Idempotency key', d.idempotency_key],
      ['Copy: Send again', /^clockodo-send-event team\.created --id 7 .*\/clockodo$/]]) {
      await page.getByRole('button', { name }).click();
      assert.match(await page.evaluate(() => navigator.clipboard.readText()), new RegExp(due));
      assert.equal(await page.getByRole('button', { name }).innerText(), 'Copied');
    }
  }));

  it('what is the same in all of them has no column', () => onFigures((figures) => {
    figures.other_deliveries = [];
    figures.deliveries.forEach((d) => Object.assign(d, {
      client: '203.0.113.7', location: 'hooks.example.com/clockodo', company_id: '1337',
    }));
  }, async (page) => {
    assert.deepEqual(await page.locator('#deliveries-table thead th').allInnerTexts(),
      ['Time', 'Verdict', 'Event', 'Subscription', 'Answer']);
    assert.equal(await text(page, 'shown'),
      'all at hooks.example.com/clockodo, from 203.0.113.7, of company 1337');
  }));

  // each column, several words, case, and what there is none of
  const filters = [
    ['REJECTED', (d) => d.verdict === 'rejected'],
    ['rejected token', (d) => d.reason === 'token'],
    ['taken 500', (d) => d.status === 500],
    ['  budget_notification ', (d) => d.event === 'project.budget_notification'],
    ['1005', (d) => d.subscription_id === '1005'],
    ['203.0.113.7', (d) => d.client === '203.0.113.7'],
    ['staging accepted', (d) => d.location.endsWith('staging') && d.verdict === 'accepted'],
    ['413', (d) => d.status === 413],
    ['nowhere', () => false],
    ['', () => true],
  ];
  const chips = {
    Failed: (d) => d.outcome === 'not_taken',
    Rejected: (d) => d.verdict === 'rejected',
    All: () => true,
  };

  it('the filter and the chips show what they say, and stay in the address', () =>
    onPage(async (page) => {
      const figures = await pause(page);
      const all = everything(figures);
      const filter = page.getByRole('searchbox', { name: 'Filter' });
      const shows = async (wanted, name) => {
        const due = all.filter(wanted);

        assert.deepEqual(await lines(page), due.map((d) => lineOf(d, figures)), name);
        assert.equal(await text(page, 'shown'),
          due.length < all.length ? `${due.length} of the last ${all.length}` : '');
        assert.equal(await page.getByText('No delivery is like that').isVisible(),
          due.length === 0);
      };

      const key = figures.deliveries[0].idempotency_key;

      await more(page).click();

      for (const [words, wanted] of [...filters,
        [key.slice(0, 8), (d) => d.idempotency_key === key], ['', () => true]]) {
        await filter.fill(words);
        await shows(wanted, words);
        assert.equal(new URL(page.url()).searchParams.get('filter') ?? '', words);
        assert.match(await text(page, 'news'),
          new RegExp(`^${all.filter(wanted).length} deliver(y|ies) found$`));
      }

      for (const [name, wanted] of Object.entries(chips)) {
        await page.locator('#chips').getByText(name).click();
        await shows(wanted, name);
        assert.equal(await page.locator('#chips').getByText(name).innerText(),
          `${name} ${all.filter(wanted).length}`);
      }

      await page.goto(`${shared.nginx.url}?show=failed&filter=staging`);
      await pause(page);
      assert.equal(await filter.inputValue(), 'staging');
      assert.equal(await page.getByRole('radio', { name: /^Failed/ }).isChecked(), true);
      await shows((d) => chips.Failed(d) && d.location.endsWith('staging'), 'address');
    }));

  // What the shared nginx has not.

  const others = {
    'rejected: payload, forwarded': ['Rejected: its payload is not that of its event. It was '
      + 'forwarded all the same. The application’s status was 200 after 12 ms; the sender got '
      + '200.',
    { verdict: 'rejected', reason: 'payload', outcome: '', event: 'team.updated',
      upstream_status: 200, upstream_time: 0.012 }],
    stored: ['Its token and its form are right, and it is stored for later. The sender got 200.',
      { verdict: 'accepted', reason: '', outcome: 'stored', upstream_status: null,
        upstream_time: null }],
    handshake: ['A handshake, which was handed on to the application. The application’s status '
      + 'was 200 after 1.5 s; the sender got 200.',
    { verdict: 'handshake', reason: '', outcome: '', event: '', upstream_status: 200,
      upstream_time: 1.5 }],
    'not taken': ['Its token and its form are right, but the application did not take it. The '
      + 'sender had hung up.',
    { verdict: 'accepted', reason: '', outcome: 'not_taken', status: 499, upstream_status: null,
      upstream_time: null }],
  };

  for (const [word, [words, change]] of Object.entries(others)) {
    it(`in words: ${word}`, () => onFigures((figures) => {
      figures.deliveries = [Object.assign(figures.deliveries[0], { status: 200 }, change)];
      figures.other_deliveries = [];
    }, async (page) => {
      assert.equal((await lines(page))[0][1], `${change.status ?? 200} ${word}`);
      await tbodies(page).getByRole('button').first().click();
      assert.equal(await tbodies(page).locator('.open p').innerText(), words);
    }));
  }
});


describe('the memory for duplicates', () => {
  const billed = (id) => event('project.completed', { payload: { project: { id } } });

  const bill = async (nginx, from, to) => {
    for (let id = from; id <= to; id++) {
      assert.equal(await nginx.send(billed(id), { path: '/billing' }), 200);
    }

    await nginx.counted(to);
  };

  const NOTICE = 'The memory for duplicates was too small: repeats can pass as new events';

  async function shows(page, { full, figures: [remembered, early, unchecked], room }) {
    assert.equal(await text(page, 'dedupe-full'), full);
    assert.deepEqual(await rows(page, 'dedupe-rows'), [
      [`remembered of ${room} that there is room for`, remembered],
      ['forgotten early for want of memory, the oldest first', early],
      ['not checked all of the memory had events in flight', unchecked],
    ].filter(([, n]) => n !== ''));

    assert.equal(await page.getByText(NOTICE).isVisible(), `${early}${unchecked}` !== '');
  }

  it('is as full as the JSON says', () => onPage(async (page) => {
    const { dedupe } = await pause(page);

    assert.equal(dedupe.entries, 1);
    await shows(page, {
      full: 'less than 1% full', figures: ['1', '', ''],
      room: dedupe.capacity.toLocaleString('en'),
    });
  }));

  it('half full, full, too small', () => withNginx(async (own) => {
    const room = (await own.status()).dedupe.capacity;
    let sent = 0;

    assert.ok(room > 50 && room < 1000, `room for ${room}`);

    for (const [total, full] of [[Math.ceil(room / 2), '50% full'], [room, 'full'],
      [room + 10, 'full']]) {
      await bill(own, sent + 1, total);
      sent = total;

      await onPage(async (page) => {
        await pause(page);
        await shows(page, {
          full, room, figures: [String(Math.min(total, room)), String(Math.max(0, total - room)
            || ''), ''],
        });
      }, { url: own.url });
    }

    // what the page says is so: the oldest is not known any more
    assert.equal(await own.send(billed(1), { path: '/billing' }), 200);
    assert.equal((await own.counted(sent + 1)).deliveries[0].verdict, 'accepted');
  }, { http: 'clockodo_zone 200k;' }));

  it('was too small once', () => onFigures((figures) => {
    figures.dedupe = { capacity: 20000, entries: 5999, evictions: 0, unclaimed: 1234 };
  }, (page) => shows(page, { full: '29% full', figures: ['5,999', '', '1,234'], room: '20,000' })));

  it('is not shown where nothing looks for duplicates', () => withNginx(async (own) => {
    assert.equal(await own.send(event()), 200);
    await own.counted(1);
    await onPage(async (page) => {
      await pause(page);
      assert.equal(await page.locator('#dedupe').isVisible(), false);
    }, { url: own.url });
  }, { dedupe: 'off' }));
});
