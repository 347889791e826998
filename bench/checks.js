/*
 * The checks of the module, as a careful user would write them in njs.  njs
 * can't set request headers: it fills variables, which proxy_set_header of a
 * named location uses.
 *
 * What JSON.parse() can't tell stays unchecked: duplicate members.
 */

import crypto from 'crypto';
import events from 'events.js';

const maxBodySize = 16 * 1024;
const days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const timeForm = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|\+00:00)$/;
const typeForm = /^\s*application\/json\s*(;(?!.*charset=(?!"?utf-8"?)).*)?$/i;
const nameForm = /^([a-z0-9_]+)\.([a-z0-9_]+)$/;
const budgetForm = /^[A-Za-z0-9_]{1,64}$/;

const tokens = {};

tokens[sha256('My_Sup3r_T0k3n')] = true;


function sha256(text) {
    return crypto.createHash('sha256').update(text).digest('hex');
}


function isId(id) {
    return Number.isSafeInteger(id) && id >= 1;
}


function isTime(time) {
    const t = typeof time === 'string' && timeForm.exec(time);

    if (!t) {
        return false;
    }

    const year = +t[1], month = +t[2], day = +t[3];

    if (month < 1 || month > 12 || day < 1 || day > days[month - 1]) {
        return false;
    }

    if (month === 2 && day === 29
        && (year % 4 || (year % 100 === 0 && year % 400)))
    {
        return false;
    }

    return +t[4] < 24 && +t[5] < 60 && +t[6] < 60;
}


function isObject(value) {
    return typeof value === 'object' && value !== null
           && !Array.isArray(value);
}


function netstring(value) {
    return value.length + ':' + value + ',';
}


function refuse(r, status, reason) {
    r.warn('webhook rejected: ' + reason);
    r.return(status);
}


function check(r) {
    if (r.method !== 'POST') {
        return refuse(r, 405, 'method');
    }

    const headers = r.headersIn;

    if (!typeForm.test(headers['Content-Type'] || '')) {
        return refuse(r, 415, 'content type');
    }

    if ((headers['Content-Encoding'] || 'identity') !== 'identity') {
        return refuse(r, 415, 'content encoding');
    }

    if (+(headers['Content-Length'] || 0) > maxBodySize) {
        return refuse(r, 413, 'content length');
    }

    const body = r.requestText;

    if (!body) {
        return refuse(r, 400, 'empty body, or one in a file');
    }

    if (body.length > maxBodySize) {
        return refuse(r, 413, 'body too large');
    }

    let event;

    try {
        event = JSON.parse(body);

    } catch (e) {
        return refuse(r, 400, 'malformed JSON');
    }

    if (!isObject(event)) {
        return refuse(r, 400, 'malformed JSON');
    }

    if (typeof event.token !== 'string' || !tokens[sha256(event.token)]) {
        return refuse(r, 403, 'token');
    }

    const payload = event.payload;
    const name = typeof event.event_name === 'string'
                 && event.event_name.length <= 64
                 && nameForm.exec(event.event_name);

    if (!isId(event.subscription_id) || !isId(event.company_id)
        || !isTime(event.occurred_at) || !isObject(payload) || !name)
    {
        return refuse(r, 400, 'envelope');
    }

    let id, more = '';

    if (events[name[0]] === 'budget') {
        id = payload.id;

        if (typeof payload.type !== 'string' || !budgetForm.test(payload.type)
            || typeof payload.threshold !== 'number')
        {
            return refuse(r, 400, 'payload');
        }

        more = netstring(payload.type)
               + netstring(JSON.stringify(payload.threshold));

    } else {
        id = isObject(payload[name[1]]) && payload[name[1]].id;
    }

    if (!isId(id)) {
        return refuse(r, 400, 'payload');
    }

    const company = String(event.company_id);
    const subscription = String(event.subscription_id);

    id = String(id);

    const v = r.variables;

    v.js_event = name[0];
    v.js_entity = name[1];
    v.js_action = name[2];
    v.js_entity_id = id;
    v.js_subscription_id = subscription;
    v.js_company_id = company;
    v.js_occurred_at = event.occurred_at;
    v.js_key = sha256(netstring(company) + netstring(subscription)
                      + netstring(name[0]) + netstring(id)
                      + netstring(event.occurred_at) + more);

    r.internalRedirect('@njs');
}


export default {check};
