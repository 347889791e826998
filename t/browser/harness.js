'use strict';

// What the tests share: a browser, an nginx that has had all kinds of calls,
// and pages that may complain of nothing.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { after, before } = require('node:test');

const { Nginx } = require('./nginx.js');
const { launch, open, pause } = require('./browser.js');
const { calls, hostile, send } = require('./traffic.js');

// browser, nginx (for tests that only look) and sent, the number of calls

const shared = {};

function setUp() {
  before(async () => {
    shared.browser = await launch();
    shared.nginx = await Nginx.start();
    shared.sent = calls.length + hostile.length;

    await send(shared.nginx, [...calls, ...hostile]);
    await shared.nginx.counted(shared.sent);
  });

  after(async () => {
    await shared.browser?.close();
    await shared.nginx?.stop();
  });
}

// Runs a test on a page of its own, on which nothing may be complained of but
// what is expected.

async function onPage(test, { url = shared.nginx.url, expected = /^$/, ...options } = {}) {
  const page = await open(shared.browser, url, options);

  try {
    await test(page);
    assert.deepEqual(page.problems.filter((problem) => !expected.test(problem)), []);
  } finally {
    await page.context().close();
  }
}

// Runs a test with an nginx of its own.

async function withNginx(test, options) {
  const own = await Nginx.start(options);

  try {
    await test(own);
  } finally {
    await own.stop();
  }
}

// Runs a test on a page that shows figures that have been changed: what nginx
// can't be brought to in a test.

function onFigures(change, test, options = {}) {
  return withNginx(async (own) => {
    const figures = await shared.nginx.status();

    change(figures);
    await own.reload({ status: `alias ${own.file('figures.json')};` });
    fs.writeFileSync(own.file('figures.json'), JSON.stringify(figures));

    await onPage(async (page) => {
      await pause(page);
      await test(page);
    }, { ...options, url: own.url });
  });
}

module.exports = { shared, setUp, onPage, onFigures, withNginx };
