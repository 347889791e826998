'use strict';

// Takes the picture of the status page in README.md:
//
//     node t/browser/screenshot.js FILE.png        (make screenshot)
//
// All in it is what nginx has counted.  For an hour of traffic to take less
// than an hour, nginx runs under libfaketime: its clock starts an hour ago,
// and is set before each call.

const fs = require('node:fs');
const path = require('node:path');

const { Nginx, event, TOKEN, NEXT_TOKEN } = require('./nginx.js');
const { launch, open, pause } = require('./browser.js');

const HOUR = 3600;

// [share of the calls, what to send]; the last ones are refused

const kinds = [
  [30, () => event('entry.created', about(41))],
  [20, () => event('entry.updated', about(42))],
  [14, () => event('entry.started', about(44))],
  [14, () => event('entry.stopped', about(45))],
  [4, () => event('team.updated', { ...about(43), token: NEXT_TOKEN })],
  [5, () => event('project.budget_notification', { ...about(46), payload: budget() })],
  [2, () => event('entry.deleted', about(47))],
  [8, () => event('absence.approved', about(48))],
  [1, () => event('user.updated', { ...about(49), occurred_at: clock(30) }), '/staging'],
  [2, () => event('entry.updated', { ...about(49), occurred_at: clock(30) }), '/staging'],
  [4, () => event('project.completed', about(50)), '/billing'],
  [2, () => event('entry.created', { ...about(41), token: 'Ex_T0k3n' })],
  [1, () => event('entry.created', { ...about(41), company_id: 1338 })],
  [1, () => '{"event_name":"entry.created","token":'],
  [1, () => ''],
];

let now = 0;               // seconds from the real time, at most 0
let seed = 11;

// The same picture each time, as far as the clock lets it be.

function random(n) {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return Math.floor((seed / 2147483648) * n);
}

function clock(age) {
  return new Date(Date.now() + (now - age) * 1000).toISOString().replace(/\.\d+/, '');
}

function budget() {
  return { id: 200 + random(40), type: 'projectBudget', threshold: 80 };
}

function about(subscription) {
  return { subscription_id: subscription, occurred_at: clock(2) };
}

// The same event, about one of many.

function withId(body) {
  return body.replace('{"id":9001}', `{"id":${310000 + random(9000)}}`);
}

function pick() {
  let n = random(kinds.reduce((total, [share]) => total + share, 0));

  return kinds.find(([share]) => (n -= share) < 0);
}

// How many calls there are in a minute: two waves, and something at the end.

function busy(minute) {
  return 2 + Math.round(5 * (1 - Math.cos(minute / 4.5))) + random(4);
}

async function sendHour(nginx, setClock) {
  let total = 0;

  async function send(second, body, options) {
    setClock(second);
    await nginx.send(body, { headers: { 'X-Test-Client': '203.0.113.7' }, ...options });
    total++;
  }

  for (let minute = 1; minute < 60; minute++) {
    const seconds = Array.from({ length: busy(minute) }, () => random(60)).sort((a, b) => a - b);

    for (const second of seconds) {
      const [, body, uri] = pick();

      now = minute * 60 + second - HOUR;

      const text = withId(body());

      await send(now, text, { path: uri });

      if (random(30) === 0) {
        await send(now, text, { path: uri });
      }
    }

    // strangers: somebody who tries tokens, and a scanner
    if (minute === 22) {
      for (let i = 0; i < 9; i++) {
        await send(now, event('entry.created', { token: `guess${i}` }),
          { headers: { 'X-Test-Client': '198.51.100.23' } });
      }

      await send(now, undefined, { method: 'GET', headers: { 'X-Test-Client': '198.51.100.23' } });
    }

    if (minute === 53) {
      await send(now, '{"secret":"8ee3d438-fbfc-411c-a38a-25893becd505"}');
    }
  }

  now = -3;
  await send(now, withId(event('entry.started', about(44))));
  setClock(0);

  return total;
}

function library() {
  for (const folder of fs.readdirSync('/usr/lib')) {
    const file = path.join('/usr/lib', folder, 'faketime/libfaketime.so.1');

    if (fs.existsSync(file)) {
      return file;
    }
  }

  throw new Error('libfaketime is not installed');
}

async function main(file) {
  const clockFile = path.join(fs.mkdtempSync('/tmp/clockodo-clock-'), 'clock');

  // nginx may look at any moment: never at half a file
  function setClock(seconds) {
    fs.writeFileSync(`${clockFile}.new`, `${seconds < 0 ? seconds : '+0'}\n`);
    fs.renameSync(`${clockFile}.new`, clockFile);
  }

  const env = {
    LD_PRELOAD: library(),
    FAKETIME_TIMESTAMP_FILE: clockFile,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };

  setClock(-HOUR);
  fs.chmodSync(path.dirname(clockFile), 0o755);

  const nginx = await Nginx.start({
    env, main: Object.keys(env).map((name) => `env ${name};`).join('\n'),
    webhook: 'clockodo_dedupe drop;',
  });
  const browser = await launch();

  try {
    await nginx.counted(await sendHour(nginx, setClock));

    const page = await open(browser, nginx.url, { viewport: { width: 1280, height: 900 } });

    await pause(page);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.waitForSelector('body[data-state="live"]');
    await page.mouse.move(0, 0);
    await page.evaluate(() => document.activeElement.blur());

    const { y, height } = await page.locator('#locations').boundingBox();

    await page.screenshot({
      path: file, fullPage: true, clip: { x: 0, y: 0, width: 1280, height: y + height + 6 },
    });
  } finally {
    await browser.close();
    await nginx.stop();
    fs.rmSync(path.dirname(clockFile), { recursive: true });
  }

  console.log(`${file}: ${fs.statSync(file).size} bytes`);
}

main(process.argv[2]);
