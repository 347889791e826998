"""What Prometheus is told."""

from __future__ import annotations

from typing import Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import (CounterMetricFamily, GaugeMetricFamily,
                                    HistogramMetricFamily, Metric)
from prometheus_client.registry import Collector

from .event import Trouble, age
from .schedule import Schedule


class Events(Collector):
    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule

    def collect(self) -> Iterator[Metric]:
        yield from self.calls()
        yield from self.source()

    def calls(self) -> Iterator[Metric]:
        counts = self.schedule.counts

        with self.schedule.change:
            by_outcome = dict(counts.tries)
            within = list(counts.within)
            seconds = counts.seconds
            busy = self.schedule.busy

        tries = CounterMetricFamily(
            "clockodo_deliver_tries",
            "Calls of the application, by what became of the event.",
            labels=["outcome"])

        for outcome, n in by_outcome.items():
            tries.add_metric([outcome], n)

        yield tries

        buckets = [(str(float(most)), n)
                   for most, n in zip(counts.BUCKETS, within)]

        histogram = HistogramMetricFamily(
            "clockodo_deliver_duration_seconds",
            "What a call of the application took.")
        histogram.add_metric(
            [], [*buckets, ("+Inf", sum(by_outcome.values()))], seconds)

        yield histogram

        yield GaugeMetricFamily("clockodo_deliver_in_progress",
                                "Events at hand.", busy)
        yield CounterMetricFamily("clockodo_deliver_source_errors",
                                  "Failures of the spool or of Redis.",
                                  counts.troubles)

        if counts.last_taken:
            yield GaugeMetricFamily(
                "clockodo_deliver_last_taken_timestamp_seconds",
                "When the application last took an event.", counts.last_taken)

    def source(self) -> Iterator[Metric]:
        try:
            status = self.schedule.source.status(errors=False)
        except Trouble:
            return

        events = GaugeMetricFamily(
            "clockodo_deliver_events",
            "Events: new, waiting for another try, dead.", labels=["state"])

        for state in "new", "waiting", "dead":
            events.add_metric([state], getattr(status, state))

        yield events

        yield GaugeMetricFamily(
            "clockodo_deliver_oldest_age_seconds",
            "Age of the oldest event that is new or waits; 0 if there is none.",
            age(status.oldest) or 0)


def serve_metrics(where: tuple[str, int], schedule: Schedule) -> None:
    """Raises OSError."""
    registry = CollectorRegistry()
    registry.register(Events(schedule))
    start_http_server(where[1], where[0], registry)
