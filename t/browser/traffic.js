'use strict';

// A mix of calls, and what becomes of them.

const { event, TOKEN, NEXT_TOKEN } = require('./nginx.js');

// In every body and header of a hostile call.  Where it shows up, something of
// what a client has sent got through.

const MARK = 'h0st1le';
const HTML = `<img src=x id=${MARK} onerror=alert(1)>`;

const now = () => new Date().toISOString().replace(/\.\d+/, '');

// path, body, headers, method; then verdict, reason and status that are due

const calls = [
  ['accepted', '', 200, event('team.updated')],
  ['accepted', '', 200, event('team.updated', { subscription_id: 43, token: NEXT_TOKEN })],
  ['accepted', '', 200, event('team.created', { payload: { team: { id: 7 } } })],
  ['accepted', '', 200, event('entry.started', { subscription_id: 1005 })],
  ['accepted', '', 200, event('project.budget_notification')],
  ['accepted', '', 500, event('entry.deleted')],
  ['accepted', '', 500, event('user.deleted')],
  ['accepted', '', 200, () => event('entry.created', { occurred_at: now() }),
    { path: '/staging' }],
  ['accepted', '', 404, () => event('user.updated', { occurred_at: now() }),
    { path: '/staging' }],
  ['accepted', '', 200, event('project.completed'), { path: '/billing' }],
  ['duplicate', '', 200, event('project.completed'), { path: '/billing' }],
  ['filtered', '', 200, event('absence.approved')],
  ['filtered', '', 200, event('user.created')],
  ['handshake', '', 200, '{"secret":"8ee3d438-fbfc-411c-a38a-25893becd505"}',
    { headers: { 'X-Test-Client': '203.0.113.7' } }],
  ['rejected', 'method', 405, undefined, { method: 'GET' }],
  ['rejected', 'content_type', 415, event(), { headers: { 'Content-Type': 'text/plain' } }],
  ['rejected', 'content_encoding', 415, event(), { headers: { 'Content-Encoding': 'gzip' } }],
  ['rejected', 'empty_body', 400, ''],
  ['rejected', 'body_too_large', 413, event() + ' '.repeat(1024)],
  ['rejected', 'malformed_json', 400, '{'],
  ['rejected', 'malformed_json', 400, '{}}'],
  ['rejected', 'handshake', 403, '{"secret":"a"}', { path: '/staging' }],
  ['rejected', 'token', 403, event('team.updated', { token: 'Wrong' })],
  ['rejected', 'token', 403, event('team.updated', { token: NEXT_TOKEN })],
  ['rejected', 'token', 403, event('team.updated', { token: null })],
  ['rejected', 'envelope', 400, event('team.updated', { company_id: 'none' })],
  ['rejected', 'unknown_event', 400, event('team.exploded')],
  ['rejected', 'payload', 400, event('team.updated', { payload: {} })],
  ['rejected', 'company', 403, event('team.updated', { company_id: 1 })],
  ['rejected', 'stale', 400, event('team.updated'), { path: '/staging' }],
];

const hostileHeaders = {
  'User-Agent': HTML,
  'Referer': HTML,
  'X-Clockodo-Event': HTML,
  'X-Clockodo-Entity-Id': HTML,
  'X-Forwarded-For': HTML,
  'X-Test-Client': HTML,
};

const hostile = [
  ['rejected', 'malformed_json', 400, HTML],
  ['rejected', 'handshake', 400, JSON.stringify({ secret: HTML })],
  ['rejected', 'token', 403, event('team.updated', { token: HTML })],
  ['rejected', 'envelope', 400, event('team.updated', { event_name: HTML })],
  ['rejected', 'envelope', 400, event('team.updated', { occurred_at: HTML })],
  ['rejected', 'envelope', 400, event('team.updated', { subscription_id: HTML })],
  ['rejected', 'payload', 400, event('team.updated', { payload: { team: { id: HTML } } })],
  ['rejected', 'content_type', 415, HTML, { headers: { 'Content-Type': HTML } }],
  ['accepted', '', 200, event('team.updated', { [HTML]: HTML, token: TOKEN })],
  ['accepted', '', 200, event(), { path: `/clockodo?${MARK}=%3Cscript%3E` }],
].map(([verdict, reason, status, body, options = {}]) => [
  verdict, reason, status, body,
  { ...options, headers: { ...hostileHeaders, ...options.headers } },
]);

// Sends all of them, one after the other.

async function send(nginx, list) {
  for (const [, reason, status, body, options] of list) {
    const got = await nginx.send(typeof body === 'function' ? body() : body, options);

    if (got !== status) {
      throw new Error(`status ${got} instead of ${status} (${reason}): ${body}`);
    }
  }
}

// How many of a list have something.

function count(list, wanted) {
  return list.filter(wanted).length;
}

module.exports = { MARK, HTML, calls, hostile, send, count };
