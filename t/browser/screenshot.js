'use strict';

// Takes the pictures of the status page in README.md and docs/: at work, in an
// outage, at the first set-up.
//
//     node t/browser/screenshot.js FOLDER          (make screenshot)
//
// All in them is what nginx has counted.  For three days of traffic to take
// less, nginx runs under libfaketime: its clock starts three days ago, and is
// set before each request.

const fs = require('node:fs');
const path = require('node:path');

const { Nginx, event, NEXT_TOKEN } = require('./nginx.js');
const { launch, open } = require('./browser.js');

const MINUTE = 60;
const DAY = 24 * 60;       // minutes
const START = -3 * DAY * MINUTE;

// [share of the requests, what to send, where]; the last one is refused

const kinds = [
  [30, () => event('entry.created', about(41))],
  [20, () => event('entry.updated', about(42))],
  [14, () => event('entry.started', about(44))],
  [14, () => event('entry.stopped', about(45))],
  [4, () => event('team.updated', { ...about(43), token: NEXT_TOKEN })],
  [5, () => event('project.budget_notification', { ...about(46), payload: budget() })],
  [6, () => event('absence.approved', about(48))],
  [3, () => event('entry.updated', about(49)), '/staging'],
  [4, () => event('project.completed', about(50)), '/billing'],
  [2, () => event('entry.created', { ...about(41), token: 'Ex_T0k3n' })],
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

// Minutes from one request to the next: people work by day.

function pause() {
  const hour = new Date(Date.now() + now * 1000).getUTCHours() + 1;

  return hour >= 7 && hour < 18 ? 1 + random(9) : 20 + random(90);
}

// A client whose clock nginx has, until it has counted what was sent.

function client(nginx, setClock) {
  let total = 0;

  return async (second, body, options) => {
    now = second;
    setClock(second);
    await nginx.send(typeof body === 'function' ? withId(body()) : body,
      { headers: { 'X-Test-Client': '203.0.113.7' }, ...options });
    await nginx.counted(++total);
  };
}

// Three days at work, and strangers: somebody who tries tokens, and a scanner.

async function sendDays(send) {
  let guessed = false;

  for (now = START + MINUTE; now < -3 * MINUTE; now += pause() * MINUTE) {
    const [, body, uri] = pick();

    await send(now, body, { path: uri });

    if (!guessed && now > -9 * 60 * MINUTE) {
      guessed = true;

      for (let i = 0; i < 5; i++) {
        await send(now, event('entry.created', { token: `guess${i}` }),
          { headers: { 'X-Test-Client': '198.51.100.23' } });
      }

      await send(now, undefined, { method: 'GET', headers: { 'X-Test-Client': '198.51.100.23' } });
    }
  }

  await send(-3 * MINUTE, () => event('entry.started', about(44)));
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

async function withClock(test) {
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

  try {
    fs.chmodSync(path.dirname(clockFile), 0o755);
    await test({ setClock, env, main: Object.keys(env).map((name) => `env ${name};`).join('\n') });
  } finally {
    fs.rmSync(path.dirname(clockFile), { recursive: true });
  }
}

// The n-th delivery that is shown

const line = (n) => `#deliveries-table > tbody:nth-of-type(${n})`;

// Down to the lower edge of a part of the page

async function shoot(browser, nginx, file, part) {
  const page = await open(browser, nginx.url, { viewport: { width: 1280, height: 900 } });

  await page.waitForSelector('body[data-state="live"]');
  await page.mouse.move(0, 0);

  const { y, height } = await page.locator(part).boundingBox();

  await page.screenshot({
    path: file, fullPage: true,
    clip: { x: 0, y: 0, width: 1280, height: y + height },
  });
  await page.context().close();
  console.log(`${file}: ${fs.statSync(file).size} bytes`);
}

async function work(browser, folder) {
  await withClock(async ({ setClock, env, main }) => {
    setClock(START);

    const nginx = await Nginx.start({
      env, main, secrets: 'off',
      webhook: 'clockodo_dedupe drop;',
    });

    try {
      const send = client(nginx, setClock);

      await sendDays(send);
      setClock(0);
      await shoot(browser, nginx, `${folder}/clockodo-status.png`, line(8));

      fs.renameSync(nginx.file('application.sock'), nginx.file('away.sock'));

      for (let i = 11; i > 0; i--) {
        await send(-15 * i, () => event('entry.updated', about(42)));
      }

      setClock(0);
      await shoot(browser, nginx, `${folder}/clockodo-status-outage.png`, line(5));
    } finally {
      await nginx.stop();
    }
  });
}

async function setUp(browser, folder) {
  await withClock(async ({ setClock, env, main }) => {
    setClock(-20 * MINUTE);

    const nginx = await Nginx.start({ env, main });

    try {
      await client(nginx, setClock)(-2 * MINUTE,
        '{"secret":"8ee3d438-fbfc-411c-a38a-25893becd505"}');
      setClock(0);
      await shoot(browser, nginx, `${folder}/clockodo-status-setup.png`, '.foot');
    } finally {
      await nginx.stop();
    }
  });
}

async function main(folder) {
  const browser = await launch();

  try {
    await work(browser, folder);
    await setUp(browser, folder);
  } finally {
    await browser.close();
  }
}

main(process.argv[2]);
