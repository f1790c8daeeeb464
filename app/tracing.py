"""OpenTelemetry traces, where the environment asks for them by the variables that OpenTelemetry knows."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import Context

from core.schema import NightshiftError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

__all__ = ["begin_tracing", "end_tracing", "stage_span", "tracer", "tracing_is_wanted"]

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def tracing_is_wanted() -> bool:
    """Whether the environment names somewhere to send traces, or how to write them."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    return exporter not in ("", "none") or (exporter != "none" and any(os.environ.get(name) for name in ENDPOINTS))


def begin_tracing() -> None:
    """Sends spans where the environment says; does nothing where it says nothing.

    Raises NightshiftError where what that takes is not installed, or the exporter is none that is known.
    """
    if not tracing_is_wanted():
        return
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise NightshiftError(
            "traces are asked for by OTEL_ variables, and OpenTelemetry's SDK is not installed; install "
            "nightshift[traces], or set OTEL_SDK_DISABLED=true"
        ) from error
    os.environ.setdefault("OTEL_SERVICE_NAME", "nightshift")
    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(_exporter()))
    trace.set_tracer_provider(provider)


def _exporter() -> "SpanExporter":
    name = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    if name != "otlp":
        raise NightshiftError(f"OTEL_TRACES_EXPORTER is {name!r}; otlp, console and none are known")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise NightshiftError("the OTLP exporter is not installed; install nightshift[traces]") from error
    return OTLPSpanExporter()


def end_tracing() -> None:
    """Sends what has not been sent yet."""
    shut_down = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shut_down is not None:
        shut_down()


def tracer() -> trace.Tracer:
    """Where spans of ours come from."""
    return trace.get_tracer("nightshift")


def stage_span(name: str, parents: Iterable[Context], began_ns: int, ended_ns: int, **attributes: str | int) -> None:
    """A span of the same stage under each of the requests that went through it together."""
    for parent in parents:
        tracer().start_span(name, context=parent, start_time=began_ns, attributes=attributes).end(ended_ns)
