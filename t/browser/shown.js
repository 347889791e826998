'use strict';

// Figures, as the page is to show them

const OUTCOMES = {
  taken: ['Taken', 'taken'],
  not_taken: ['Not taken', 'not taken'],
  stored: ['Stored', 'stored'],
  filtered: ['Filtered', 'filtered'],
  duplicate: ['Duplicates', 'duplicate'],
  handshake: ['Handshakes', 'handshake'],
  rejected: ['Rejected', 'rejected'],
};

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const number = (shown) => Number(shown.replaceAll(',', ''));

const format = (time, options) =>
  new Date(time * 1000).toLocaleString('en-GB', { timeZone: 'Europe/Berlin', ...options });
const day = (time) => format(time, { day: 'numeric', month: 'short' });
const minuteOf = (time) => format(time, { hour: '2-digit', minute: '2-digit' });

// A time as the page has it: with the day, if that is not the figures' own.

function moment(time, figures, clock = { timeStyle: 'medium' }) {
  const text = format(Math.floor(time), clock);

  return day(time) === day(figures.timestamp) ? text : `${day(time)}, ${text}`;
}

const minute = (time, figures) => moment(time, figures, { hour: '2-digit', minute: '2-digit' });

// An age in words, of less than an hour: tests take no longer.

function ago(time, figures) {
  const seconds = figures.timestamp - time;
  const minutes = Math.floor(seconds / 60);

  return seconds < 5 ? 'just now'
    : seconds < 60 ? `${Math.floor(seconds)} seconds ago`
      : `${minutes} minute${minutes === 1 ? '' : 's'} ago`;
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

// Deliveries of both lists, the newest first

function everything(figures) {
  return [...figures.deliveries, ...figures.other_deliveries].sort((a, b) => b.time - a.time);
}

const outcomeOf = (d) => d.outcome || d.verdict;

module.exports = {
  OUTCOMES, sum, number, minuteOf, moment, minute, ago, totals, everything, outcomeOf,
};
