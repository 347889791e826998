'use strict';

// Figures, as the page is to show them

const VERDICTS = ['accepted', 'filtered', 'duplicate', 'handshake', 'rejected'];

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const number = (shown) => Number(shown.replaceAll(',', ''));

const format = (time, options) =>
  new Date(time * 1000).toLocaleString('en-GB', { timeZone: 'Europe/Berlin', ...options });
const day = (time) => format(time, { day: 'numeric', month: 'short' });
const minuteOf = (time) => format(time, { hour: '2-digit', minute: '2-digit' });

// A time as the page has it: with the day, if that is not the figures' own.

function moment(time, figures) {
  const clock = format(Math.floor(time), { timeStyle: 'medium' });

  return day(time) === day(figures.timestamp) ? clock : `${day(time)}, ${clock}`;
}

function ago(time, figures) {
  const seconds = figures.timestamp - time;

  return time === null ? 'not yet'
    : seconds < 60 ? `${Math.max(0, seconds)} s ago` : `${Math.floor(seconds / 60)} min ago`;
}

function totals(figures, key) {
  const all = {};

  for (const location of figures.locations) {
    for (const [name, n] of Object.entries(location[key])) {
      all[name] = (all[name] || 0) + n;
    }
  }

  return all;
}

// "token 2, company 1", as a list in a cell is read

function listed(counters) {
  return Object.entries(counters).filter(([, n]) => n > 0)
    .map(([name, n]) => `${name} ${n}`).join(' ');
}

// The same form as in the page, which also takes it as it is

function prepare(figures) {
  if (Array.isArray(figures.minutes)) {
    return figures;
  }

  const { first, seconds, ...series } = figures.minutes;
  const minutes = series.accepted.map((_, i) => ({
    time: first + i * seconds,
    ...Object.fromEntries(VERDICTS.map((verdict) => [verdict, series[verdict][i]])),
  }));

  const { other = null, ...subscriptions } = figures.last_accepted.subscriptions;

  return {
    ...figures,
    minutes,
    locations: figures.locations.map((l) => ({
      ...l,
      tokens: Object.entries(l.tokens).map(([token, time]) => ({ token, last_used: time })),
    })),
    last_accepted: {
      ...figures.last_accepted,
      subscriptions,
      other_subscriptions: { accepted: figures.last_accepted.other_subscriptions, time: other },
    },
    deliveries: [...figures.deliveries, ...figures.other_deliveries]
      .sort((a, b) => b.time - a.time),
  };
}

module.exports = { prepare, VERDICTS, sum, number, minuteOf, moment, ago, totals, listed };
