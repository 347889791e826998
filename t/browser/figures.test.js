'use strict';

// The page shows what was sent, and what the JSON says.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { describe, it } = require('node:test');

const { pause, askNow, text, rows } = require('./browser.js');
const { event, HOST } = require('./nginx.js');
const { shared, setUp, onPage, onFigures, withNginx } = require('./harness.js');
const { VERDICTS, sum, number, minuteOf, moment, ago, totals, listed } = require('./shown.js');
const { calls, hostile, count } = require('./traffic.js');

setUp();


describe('figures', () => {
  it('the tiles are what was sent and what the JSON says', () => onPage(async (page) => {
    const figures = await pause(page);
    const requests = totals(figures, 'requests');
    const everything = [...calls, ...hostile];

    for (const verdict of VERDICTS) {
      const due = count(everything, (call) => call[0] === verdict);
      const hour = sum(figures.minutes.map((minute) => minute[verdict]));

      assert.equal(number(await text(page, verdict)), due, verdict);
      assert.equal(requests[verdict], due, verdict);
      assert.equal(await text(page, `${verdict}-hour`), `${hour} in 60 min`);
    }

    const answers = totals(figures, 'upstream_responses');
    const failed = count(everything, (call) => call[0] === 'accepted' && call[2] !== 200);

    assert.equal(number(await text(page, 'failed')), failed);
    assert.equal(sum(Object.values(answers)) - answers['2xx'], failed);
    assert.equal(await text(page, 'failed-detail'), `of ${requests.accepted} answers`);
  }));

  it('the last accepted event', () => onPage(async (page) => {
    const figures = await pause(page);
    const { time } = figures.last_accepted;

    assert.equal(await text(page, 'last'), ago(time, figures));
    assert.equal(await text(page, 'last-detail'), `${moment(time, figures)}, team.updated`);
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

    // each with a word about what it means
    assert.ok(shown.every(([name]) => name.includes(' ')));
  }));

  it('locations', () => onPage(async (page) => {
    const figures = await pause(page);

    assert.deepEqual(await rows(page, 'locations-rows'), figures.locations.map((l) => [
      l.location,
      ...VERDICTS.map((verdict) => String(l.requests[verdict])),
      listed(l.rejected),
      listed(l.upstream_responses),
      l.tokens.map((t) => `${t.token}: ${ago(t.last_used, figures)}`).join(' '),
    ]));
  }));

  it('events: those that came, and all of them', () => onPage(async (page) => {
    const figures = await pause(page);
    const accepted = totals(figures, 'events');
    const due = Object.entries(figures.last_accepted.events)
      .map(([name, time]) => [name, String(accepted[name]), ago(time, figures)]);

    assert.equal(due.length, 48);
    assert.deepEqual(await rows(page, 'events-rows'), due.filter(([, n]) => n !== '0'));
    await page.getByLabel('also those that never came').check();
    assert.deepEqual(await rows(page, 'events-rows'), due);
  }));

  it('subscriptions', () => onPage(async (page) => {
    const figures = await pause(page);
    const due = Object.entries(figures.last_accepted.subscriptions)
      .map(([id, time]) => [id, ago(time, figures)]);
    const shown = await rows(page, 'subscriptions-rows');

    assert.deepEqual(due.map(([id]) => id), ['42', '43', '1005']);
    assert.deepEqual([...shown].sort(), due.sort());
  }));

  it('deliveries', () => onPage(async (page) => {
    const figures = await pause(page);

    assert.equal(figures.deliveries.length, shared.sent);
    assert.deepEqual(await rows(page, 'deliveries-rows'), figures.deliveries.map((d) => [
      moment(d.time, figures), d.verdict, d.reason, d.event, d.entity_id, d.subscription_id,
      d.client, d.location, String(d.status),
      d.upstream_time === null ? '' : `${d.upstream_time.toFixed(3)} s`,
    ]));
  }));

  it('minutes, as a chart and as a table', () => onPage(async (page) => {
    const figures = await pause(page);
    const bars = await page.locator('#bars').evaluate((node) => [...node.children]
      .map((bar) => [...bar.children].map((part) => Number(part.getAttribute('height')))));

    assert.equal(bars.length, 60);

    // one height per request in all of them
    const heights = figures.minutes.flatMap((minute, i) => VERDICTS.map((verdict, j) => {
      assert.equal(bars[i][j] > 0, minute[verdict] > 0);
      return bars[i][j] / minute[verdict];
    })).filter((height) => height > 0);

    heights.forEach((height) => assert.ok(Math.abs(height - heights[0]) < 0.01));

    await page.getByText('These minutes as a table').click();
    assert.deepEqual(await rows(page, 'minutes-rows'), figures.minutes
      .filter((minute) => VERDICTS.some((verdict) => minute[verdict]))
      .reverse()
      .map((minute) => [minuteOf(minute.time), ...VERDICTS.map((v) => String(minute[v]))]));

    assert.match(await text(page, 'readout'), new RegExp(`^${shared.sent} requests; `));
    assert.equal(await page.locator('#minutes-sum').textContent(), await text(page, 'readout'));
  }));

  it('a minute that is pointed at', () => onPage(async (page) => {
    const figures = await pause(page);
    const box = await page.locator('#chart').boundingBox();
    const minute = figures.minutes.at(-1);
    const parts = VERDICTS.filter((v) => minute[v]).map((v) => `${minute[v]} ${v}`);

    await page.mouse.move(box.x + box.width - 3, box.y + 20);
    assert.equal(await text(page, 'readout'),
      `${minuteOf(minute.time)}: ${parts.join(', ') || 'nothing'}`);
    await page.mouse.move(box.x, box.y - 20);
    assert.match(await text(page, 'readout'), / requests; /);
  }));

  it('nothing has come yet', () => withNginx((own) => onPage(async (page) => {
    await pause(page);

    assert.equal(await text(page, 'last'), 'not yet');
    assert.equal(await text(page, 'accepted'), '0');
    assert.equal(await text(page, 'readout'), 'No requests.');
    assert.equal(await text(page, 'shown'), '');
    assert.equal(await page.locator('#handshakes').isVisible(), false);
    assert.equal(await page.getByText('Nothing was rejected.').isVisible(), true);
    assert.equal(await page.getByText('Nothing has come in yet.').isVisible(), true);
    assert.deepEqual(await rows(page, 'events-rows'), []);
    assert.deepEqual(await rows(page, 'deliveries-rows'), []);
  }, { url: own.url })));
});


describe('an application that is down', () => {
  const banner = (page) => page.getByRole('complementary', { name: 'Upstream' });

  it('is told of at the top, as long as it is', () => withNginx(async (own) => {
    const socket = own.file('application.sock');
    const states = [
      ['up', '', 200, 0],
      ['down', `${socket}.away`, 502, 1],
      ['down', `${socket}.away`, 502, 2],
      ['down', `${socket}.away`, 502, 3],
      ['down', `${socket}.away`, 502, 4],
      ['up again', '', 200, 0],
    ];

    for (const [i, [state, away, status, failed]] of states.entries()) {
      if (away && fs.existsSync(socket)) {
        fs.renameSync(socket, away);
      }

      if (!away && fs.existsSync(`${socket}.away`)) {
        fs.renameSync(`${socket}.away`, socket);
      }

      assert.equal(await own.send(event('team.updated')), status, state);
      assert.equal(await own.send('{'), 400);
      await own.counted(2 * (i + 1));

      await onPage(async (page) => {
        const figures = await pause(page);
        const last = figures.deliveries.find((d) => d.verdict === 'accepted');

        assert.equal((await text(page, 'outage')).replace(/\s+/g, ' '), failed < 3 ? ''
          : `Events do not get through: ${HOST}/clockodo The last ${failed} that were accepted were `
            + `not taken; the answer to the latest, at ${moment(last.time, figures)}, was 502.`);
        assert.equal(await banner(page).isVisible(), failed >= 3, state);
        assert.equal(await text(page, 'news'), failed < 3 ? '' : 'Events do not get through.');
        assert.equal(await text(page, 'failed'), String(Math.min(4, i)));
      }, { url: own.url });
    }
  }));

  it('in several locations, and until one is taken', () => withNginx(async (own) => {
    let total = 0;

    async function send(path, name, status) {
      const payload = { [name.split('.')[0]]: { id: ++total } };

      assert.equal(await own.send(event(name, { payload }), { path }), status);
      await own.counted(total);
    }

    for (let i = 0; i < 3; i++) {
      await send('/clockodo', 'user.deleted', 500);
      await send('/billing', 'team.updated', 200);
    }

    await onPage(async (page) => {
      await banner(page).waitFor();
      assert.match(await text(page, 'outage'), /: hooks\.example\.com\/clockodo\s+The last 3 /);

      for (let i = 0; i < 4; i++) {
        await send('/billing', 'user.deleted', 500);
      }

      await askNow(page);
      await page.waitForFunction(() => document.querySelector('#outage').textContent
        .includes(': hooks.example.com/billing and 1 more locationThe last 4 '));

      await send('/clockodo', 'team.updated', 200);
      await send('/billing', 'team.updated', 200);
      await askNow(page);
      await banner(page).waitFor({ state: 'hidden' });
    }, { url: own.url });
  }));
});


describe('handshakes', () => {
  it('are noticed for an hour', () => onPage(async (page) => {
    const figures = await pause(page);
    const last = figures.deliveries.find((d) => d.verdict === 'handshake');
    const notice = page.getByRole('complementary', { name: 'Handshakes' });

    assert.equal(await notice.locator('strong').innerText(),
      `A handshake came in at ${moment(last.time, figures)} from 203.0.113.7`);

    const words = await notice.innerText();

    assert.match(words, /1 handshake in the last hour\./);
    assert.match(words, /its secret in the file that clockodo_secret_file names/);
    assert.match(words, /anybody can send one/);
    assert.doesNotMatch(await page.content(), /8ee3d438/);
  }));

  it('a new one is spoken of, once', () => withNginx(async (own) => {
    await own.send('{"secret":"a"}');
    await own.counted(1);

    await onPage(async (page) => {
      await page.waitForSelector('#handshakes strong');
      assert.equal(await text(page, 'news'), '');

      await own.send('{"secret":"b"}', { headers: { 'X-Test-Client': '203.0.113.9' } });
      await own.counted(2);
      await askNow(page);
      await page.waitForFunction(() => document.querySelector('#news').textContent);
      assert.match(await text(page, 'news'), /^A handshake came in at .* from 203\.0\.113\.9$/);
      assert.match(await text(page, 'handshakes'), /2 handshakes in the last hour/);
    }, { url: own.url });
  }));
});


describe('the memory for duplicates', () => {
  const billed = (id) => event('project.completed', { payload: { project: { id } } });

  const bill = async (nginx, from, to) => {
    for (let id = from; id <= to; id++) {
      assert.equal(await nginx.send(billed(id), { path: '/billing' }), 200);
    }

    await nginx.counted(to);
  };

  async function shows(page, { full, advice, figures: [remembered, early, unchecked], room }) {
    assert.equal(await text(page, 'dedupe-full'), full);
    assert.deepEqual(await rows(page, 'dedupe-rows'), [
      [`remembered of ${room} that there is room for`, remembered],
      ['forgotten early for want of memory, the oldest first', early],
      ['not checked all of the memory had events in flight', unchecked],
    ]);

    const shown = page.locator('#dedupe-advice');

    assert.equal(await shown.isVisible(), advice !== '');
    assert.ok(advice === '' || (await shown.innerText()).startsWith(advice), advice);
    assert.equal(await page.locator('#dedupe .bad').count(),
      [early, unchecked].filter((n) => n !== '0').length);
  }

  it('is as full as the JSON says', () => onPage(async (page) => {
    const { dedupe } = await pause(page);

    assert.equal(dedupe.entries, 1);
    await shows(page, {
      full: 'less than 1% full', advice: '', figures: ['1', '0', '0'],
      room: dedupe.capacity.toLocaleString('en'),
    });
    assert.equal(await page.getByRole('link', { name: 'Duplicates' }).isVisible(), true);
  }));

  it('empty, half full, full, too small', () => withNginx(async (own) => {
    const room = (await own.status()).dedupe.capacity;
    const states = [
      [0, 'empty', ''],
      [Math.ceil(room / 2), '50% full', ''],
      [room, 'full', 'The next event takes the place of the oldest. A larger clockodo_zone'],
      [room + 10, 'full', 'The memory is too small: repeats can pass as new events. A larger clock'],
    ];
    let sent = 0;

    assert.ok(room > 50 && room < 500, `room for ${room}`);

    for (const [total, full, advice] of states) {
      await bill(own, sent + 1, total);
      sent = total;

      await onPage(async (page) => {
        await pause(page);
        await shows(page, {
          full, advice, room,
          figures: [String(Math.min(total, room)), String(Math.max(0, total - room)), '0'],
        });
      }, { url: own.url });
    }

    // what the page says is so: the oldest is not known any more
    assert.equal(await own.send(billed(1), { path: '/billing' }), 200);
    assert.equal((await own.counted(sent + 1)).deliveries[0].verdict, 'accepted');
  }, { http: 'clockodo_zone 196k;' }));

  it('was too small once', () => onFigures((figures) => {
    figures.dedupe = { capacity: 20000, entries: 5999, evictions: 0, unclaimed: 1234 };
  }, (page) => shows(page, {
    full: '29% full', advice: 'The memory was too small: ', figures: ['5,999', '0', '1,234'],
    room: '20,000',
  })));

  it('is not shown where nothing looks for duplicates', () => withNginx((own) =>
    onPage(async (page) => {
      await pause(page);
      assert.equal(await page.locator('#dedupe').isVisible(), false);
      assert.equal(await page.getByRole('link', { name: 'Duplicates' }).count(), 0);
    }, { url: own.url }), { dedupe: 'off' }));
});


describe('the filter', () => {
  // each column, several words, case, and what there is none of
  const filters = [
    ['REJECTED', (d) => d.verdict === 'rejected'],
    ['rejected token', (d) => d.reason === 'token'],
    ['  budget_notification ', (d) => d.event === 'project.budget_notification'],
    ['1005', (d) => d.subscription_id === '1005'],
    ['203.0.113.7', (d) => d.client === '203.0.113.7'],
    ['staging accepted', (d) => d.location.endsWith('staging') && d.verdict === 'accepted'],
    ['413', (d) => d.status === 413],
    ['nowhere', () => false],
    ['', () => true],
  ];

  it('shows the rows that have all its words', () => onPage(async (page) => {
    const figures = await pause(page);
    const all = await rows(page, 'deliveries-rows');
    const filter = page.getByRole('searchbox', { name: 'Filter' });

    for (const [words, wanted] of filters) {
      const due = all.filter((row, i) => wanted(figures.deliveries[i]));

      await filter.fill(words);
      assert.deepEqual(await rows(page, 'deliveries-rows'), due, words);
      assert.equal(await text(page, 'shown'),
        words ? `${due.length} of ${all.length}` : `last ${all.length}`);
      assert.equal(await page.getByText('No delivery matches').isVisible(), due.length === 0);
      assert.match(await text(page, 'news'), new RegExp(`^${due.length} deliver(y|ies) shown$`));
    }
  }));
});
