"""What a monitoring system may know of a server: numbers, and nothing that stands on a screen."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from core.services import Workspace

__all__ = ["CONTENT_TYPE", "Metrics"]

T = TypeVar("T")
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
COMPANY_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.05)
SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The counters of one server, in a registry of its own."""

    def __init__(self, ws: Workspace) -> None:
        self.registry = CollectorRegistry()
        make = self._make
        self.requests = make(Counter, "http_requests", "Requests answered.", ("method", "route", "status"))
        self.request_seconds = make(
            Histogram, "http_request_seconds", "Seconds from a request to its answer.", ("route",), buckets=SECONDS
        )
        self.verdicts = make(Counter, "verdicts", "Predictions given.", ("environment", "verdict", "by"))
        self.refused = make(Counter, "refused", "Pictures that were not answered, by reason.", ("reason",))
        self.stage_seconds = make(
            Histogram, "stage_seconds", "Seconds that a batch spent in a stage.", ("stage",), buckets=SECONDS
        )
        self.batch_size = make(Histogram, "batch_size", "Pictures in a batch.", ("stage",), buckets=SIZES)
        self.company_seconds = make(
            Histogram, "company_seconds", "Seconds that a batch waited for company.", buckets=COMPANY_SECONDS
        )
        self.places = make(Gauge, "places", "Pictures that may be under way at a time.")
        self.places_taken = make(Gauge, "places_taken", "Pictures that are under way.")
        self.waiting = make(Gauge, "waiting", "Pictures that wait for a stage.", ("stage",))
        self.swaps = make(Counter, "swaps", "Champions that were loaded, or could not be.", ("environment", "outcome"))
        self.registry.register(_Counted(ws))
        ProcessCollector(registry=self.registry)

    def page(self) -> bytes:
        """All of it in the text format of Prometheus."""
        return generate_latest(self.registry)

    def _make(self, kind: Callable[..., T], name: str, what: str, labels: tuple[str, ...] = (), **options: object) -> T:
        return kind(name, what, labels, namespace="nightshift", registry=self.registry, **options)


class _Counted(Collector):
    """What lower layers count, who know nothing of metrics."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    def collect(self) -> Iterable[Metric]:
        hits = CounterMetricFamily("nightshift_cache_hits", "What was known already.", labels=("cache",))
        misses = CounterMetricFamily("nightshift_cache_misses", "What had to be found out.", labels=("cache",))
        for family, counted in ((hits, self._ws.library.hits), (misses, self._ws.library.misses)):
            for cache, number in counted.items():
                family.add_metric((cache,), number)
            yield family
        retries = CounterMetricFamily("nightshift_store_retries", "Times the store was in use by others.")
        retries.add_metric((), self._ws.store.database.engine.retries)
        yield retries
