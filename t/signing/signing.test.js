'use strict';

// What the module signs is checked by the library that applications use, and by
// what docs/signing.md shows them.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const { Module } = require('node:module');
const { after, before, test } = require('node:test');

const { HTTP } = require('cloudevents');
const { Webhook, WebhookVerificationError } = require('standardwebhooks');

const { Edge } = require('./edge.js');

const [KEY, OTHER, NEXT] = [32, 24, 64].map((size) => `whsec_${
  Buffer.from(Array.from({ length: size }, (_, i) => (size + 7 * i) % 256)).toString('base64')}`);

const TOKEN = 'My_Sup3r_T0k3n';
const ID = '633b8f56106c4032c21ce18598d8e9054f032c96514af2fc0e9530f5d5cd1991';
const DOCS = fs.readFileSync('docs/signing.md', 'utf8');

let edge;

before(async () => {
  edge = await Edge.start((app) => `
        client_max_body_size 300k;
        client_body_buffer_size 64k;
        proxy_http_version 1.1;
        proxy_set_header Connection "";

        clockodo_webhook on;
        clockodo_token ${TOKEN};
        clockodo_max_body_size 300k;
        clockodo_unknown_events forward;
        clockodo_sign_key ${KEY};

        location /memory/ {
            proxy_pass http://${app.http};

            location /memory/masked {
                clockodo_mask_token on;
                proxy_pass http://${app.http};
            }
        }

        location /file/ {
            client_body_in_file_only clean;
            proxy_pass http://${app.http};

            location /file/masked {
                clockodo_mask_token on;
                proxy_pass http://${app.http};
            }
        }

        location /small {
            client_body_buffer_size 1k;
            clockodo_mask_token on;
            proxy_pass http://${app.http};
        }

        location /grpc {
            grpc_pass ${app.http2};
        }

        location /variables {
            clockodo_mask_token on;
            grpc_set_header webhook-id $clockodo_webhook_id;
            grpc_set_header webhook-timestamp $clockodo_webhook_timestamp;
            grpc_set_header webhook-signature $clockodo_webhook_signature;
            grpc_pass ${app.http2};
        }

        location /rotation {
            clockodo_sign_key ${OTHER};
            clockodo_sign_key ${NEXT};
            proxy_pass http://${app.http};
        }

        location /off {
            clockodo_sign_key off;
            proxy_pass http://${app.http};
        }

        location /cloudevents {
            ${block('nginx', 'CloudEvents')}
            proxy_pass http://${app.http};
        }
`);
});

after(() => edge.stop());


// A block of docs/signing.md: of this language, behind this heading.

function block(language, heading) {
  const section = DOCS.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  const blocks = section.split(/^```/m).filter((_, i) => i % 2);

  return blocks.find((text) => text.startsWith(`${language}\n`)).slice(language.length + 1);
}


function event(change = {}) {
  return JSON.stringify({
    subscription_id: 42,
    company_id: 1337,
    occurred_at: '1986-05-10T17:02:00Z',
    payload: { team: { id: 9001 } },
    event_name: 'team.updated',
    token: TOKEN,
    ...change,
  });
}


function verify(key, { headers, body }) {
  return new Webhook(key).verify(body, headers);
}


function refuses(key, got, message) {
  assert.throws(() => verify(key, got), (error) => error instanceof WebhookVerificationError
                                                   && message.test(error.message));
}


const BODIES = {
  short: event(),
  utf8: event({ more: 'é€😀' }),
  long: event({ more: 'x'.repeat(3000) }),
  huge: event({ more: 'y'.repeat(200000) }),
};

const PATHS = ['/memory/', '/memory/masked', '/file/', '/file/masked', '/small', '/grpc',
  '/variables'];

for (const path of PATHS) {
  for (const how of ['send', 'chunked', 'http2']) {
    test(`${path}, ${how}`, async () => {
      for (const body of Object.values(BODIES)) {
        const got = await edge[how](path, body);
        const masked = /masked|small|variables/.test(path);
        const expected = masked ? body.replace(TOKEN, '*'.repeat(TOKEN.length)) : body;

        assert.equal(got.body.toString(), expected);
        assert.deepEqual(verify(KEY, got), JSON.parse(expected));
        assert.equal(got.headers['webhook-id'], ID);
        refuses(OTHER, got, /No matching signature/);
      }
    });
  }
}


test('connections are kept: signatures are those of their events', async () => {
  for (let id = 1; id <= 50; id++) {
    const got = await edge.send('/memory/', event({ payload: { team: { id } } }));

    assert.equal(verify(KEY, got).payload.team.id, id);
  }
});


test('every byte of id and body matters, and every second', async () => {
  const got = await edge.send('/memory/masked', event());
  const changed = (headers, body = got.body) => refuses(
    KEY, { headers: { ...got.headers, ...headers }, body }, /No matching signature/);

  for (let i = 0; i < ID.length; i++) {
    changed({ 'webhook-id': `${ID.slice(0, i)}x${ID.slice(i + 1)}` });
  }

  changed({ 'webhook-id': `${ID}0` });

  for (let i = 0; i < got.body.length; i++) {
    const body = Buffer.from(got.body);

    body[i] ^= 1;
    changed({}, body);
  }

  changed({}, Buffer.concat([got.body, Buffer.from(' ')]));
  changed({}, got.body.subarray(1));

  for (let seconds = -200; seconds <= 200; seconds++) {
    if (seconds !== 0) {
      changed({ 'webhook-timestamp': String(Number(got.headers['webhook-timestamp']) + seconds) });
    }
  }

  verify(KEY, got);
});


test('an old time stamp is refused', async () => {
  const got = await edge.send('/memory/', event());
  const { now } = Date;

  verify(KEY, got);

  try {
    Date.now = () => now() + 400 * 1000;
    refuses(KEY, got, /too old/);

    Date.now = () => now() - 400 * 1000;
    refuses(KEY, got, /too new/);
  } finally {
    Date.now = now;
  }
});


test('each of two keys is enough', async () => {
  const got = await edge.send('/rotation', event());

  assert.equal(got.headers['webhook-signature'].split(' ').length, 2);
  verify(OTHER, got);
  verify(NEXT, got);
  refuses(KEY, got, /No matching signature/);
});


test('an unknown event without an id', async () => {
  const robot = event({ event_name: 'robot.built', payload: {} });
  const [one, two] = [await edge.send('/memory/', robot), await edge.send('/memory/', robot)];

  verify(KEY, one);
  verify(KEY, two);
  assert.notEqual(one.headers['webhook-id'], two.headers['webhook-id']);
});


test('off', async () => {
  refuses(KEY, await edge.send('/off', event()), /Missing required headers/);
});


test('what docs/signing.md shows of Node', async () => {
  const example = new Module('example', module);

  process.env.CLOCKODO_SIGN_KEY = KEY;

  example.paths = module.paths.concat(process.env.NODE_PATH.split(':'));
  example._compile(`${block('js', 'Checking it')}\nmodule.exports = receive;`, 'example.js');

  const got = await edge.send('/memory/masked', event());

  assert.equal(example.exports(got.headers, got.body).event_name, 'team.updated');
  assert.throws(() => example.exports(got.headers, `${got.body} `), WebhookVerificationError);
});


test('what docs/signing.md computes by openssl', () => {
  const script = block('sh', 'What is sent');
  const signature = block('', 'What is sent').trim();

  assert.equal(execFileSync('sh', ['-c', script]).toString().trim(), signature);

  // at that time the library says the same

  const key = DOCS.match(/^`(whsec_.*?)`:$/m)[1];
  const body = script.match(/'.*?'/g).slice(0, 3).map((part) => part.slice(1, -1)).join('');

  assert.equal(new Webhook(key).sign(ID, new Date(1700000000 * 1000), body), `v1,${signature}`);
});


test('what docs/signing.md shows of a key', () => {
  const line = block('sh', 'A key').match(/^echo (".*") >/m)[1];
  const key = execFileSync('sh', ['-c', `echo ${line}`]).toString();

  assert.match(key, /^whsec_[\w+/]{43}=\n$/);
});


test('what docs/signing.md shows of CloudEvents', async () => {
  const got = await edge.send('/cloudevents', event());
  const message = HTTP.toEvent({ headers: got.headers, body: got.body.toString() });

  assert.equal(HTTP.isEvent(got), true);
  assert.equal(message.validate(), true);

  const { id, source, type, subject, time, specversion, data, datacontenttype } = message;

  assert.deepEqual({ id, source, type, subject, time, specversion, data, datacontenttype }, {
    id: ID,
    source: '/clockodo/1337',
    type: 'com.clockodo.team.updated',
    subject: '9001',
    time: '1986-05-10T17:02:00.000Z',
    specversion: '1.0',
    data: JSON.parse(event()),
    datacontenttype: 'application/json',
  });
});
