'use strict';

// Nothing that a client sends gets to the page, and could do no harm there.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { describe, it } = require('node:test');

const { VIOLATION, pause, frames, text } = require('./browser.js');
const { shared, setUp, onPage, withNginx } = require('./harness.js');
const { MARK, HTML } = require('./traffic.js');

setUp();


// Opens all deliveries.

async function openAll(page) {
  await page.getByRole('button', { name: /^Show all \d+ deliveries/ }).click();
  await page.locator('#deliveries-table .line').evaluateAll((lines) =>
    lines.forEach((line) => line.click()));
}


describe('what others send', () => {
  it('gets to the page in no form', () => onPage(async (page) => {
    await page.getByLabel('also those that never came').check();
    await page.getByText('The chart as a table').click();
    await openAll(page);
    await pause(page);

    assert.doesNotMatch(await page.content(), new RegExp(`${MARK}|onerror|My_Sup3r|Wrong`));
    assert.doesNotMatch((await shared.nginx.request({ path: '/clockodo-status.json' })).body,
      new RegExp(`${MARK}|onerror|My_Sup3r|Wrong`));
  }));

  // The module lets nothing of this through: so the page gets it from a file.

  function poisoned(figures) {
    return JSON.parse(JSON.stringify(figures, (key, value) => {
      if (['location', 'client', 'reason', 'event', 'entity_id', 'subscription_id', 'company_id',
        'idempotency_key', 'occurred_at', 'module_version', 'nginx_version'].includes(key)) {
        return `${value}${HTML}`;
      }

      return ['rejected', 'events', 'subscriptions'].includes(key) && typeof value === 'object'
        ? { ...value, [HTML]: 5 } : value;
    }));
  }

  it('would be text if it did', () => withNginx(async (own) => {
    await own.reload({ status: `alias ${own.file('figures.json')};` });
    fs.writeFileSync(own.file('figures.json'),
      JSON.stringify(poisoned(await shared.nginx.status())));

    await onPage(async (page) => {
      await pause(page);
      await page.getByLabel('also those that never came').check();
      await openAll(page);
      assert.equal(await page.locator(`#${MARK}`).count(), 0);
      assert.equal(await page.locator('body img').count(), 0);

      for (const id of ['about', 'verdict', 'notices', 'reasons-rows', 'locations-rows',
        'events-rows', 'subscriptions-rows', 'deliveries-table']) {
        assert.ok((await text(page, id)).includes(HTML), id);
      }

      // a line to be copied into a shell is one command there, too
      const lines = await page.locator('.copy code').allInnerTexts();

      assert.ok(lines.some((line) => line.startsWith('clockodo-send-event')));

      for (const line of lines.filter((l) => l.startsWith('clockodo-send-event'))) {
        assert.doesNotMatch(line.replace(/'[^']*'/g, ''), /[<>()|&;$`]/);
      }
    }, { url: own.url });
  }));
});


describe('the policy', () => {
  async function violates(page, directives) {
    await frames(page);

    for (const directive of directives) {
      assert.ok(page.problems.some((p) => p.startsWith(`${VIOLATION}: ${directive}`)), directive);
    }
  }

  it('stops what could do harm', () => onPage(async (page) => {
    await pause(page);

    const stopped = await page.evaluate(async () => {
      const tries = {
        html: () => { document.body.innerHTML = '<p>x</p>'; },
        script: () => { document.createElement('script').text = '1'; },
        fetch: () => fetch('http://127.0.0.1:9/'),
      };
      const names = [];

      for (const [name, attempt] of Object.entries(tries)) {
        try {
          await attempt();
        } catch {
          names.push(name);
        }
      }

      return names;
    });

    assert.deepEqual(stopped, ['html', 'script', 'fetch']);

    await violates(page, ['require-trusted-types-for', 'connect-src']);
  }, { expected: /./ }));

  // If this fails, the other tests would not notice a violation.

  it('is seen to be violated', () => withNginx(async (own) => {
    const file = own.file('html/clockodo-status.html');
    const page = fs.readFileSync(file, 'utf8');

    fs.writeFileSync(file, page.replace('<main', `<script>1</script>
      <img src="http://127.0.0.1:9/x.png" alt="">
      <main style="color: red" onclick="alert(1)"`));

    await onPage(async (broken) => {
      await pause(broken);
      await violates(broken, ['script-src-elem', 'style-src-attr', 'script-src-attr', 'img-src']);
    }, { url: own.url, expected: /./ });
  }));
});
