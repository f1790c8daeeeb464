"""What can be seen of a server from outside: metrics, ids, log lines, traces."""

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prometheus_client.parser import text_string_to_metric_families
from serving import WORK, picture, said

from app.logs import JsonLines, request_id
from app.tracing import begin_tracing, end_tracing, tracer, tracing_is_wanted
from core.schema import NightshiftError

TRACING = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def metrics(client):
    """Values by name and labels."""
    page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


def test_metrics_count_verdicts_requests_batches_swaps_and_what_was_known_already(client):
    before = metrics(client)
    answers = [said(client, "Counted words") for _ in range(2)]
    after = metrics(client)

    def grew(name, *labels):
        return after[name, frozenset(labels)] - before.get((name, frozenset(labels)), 0)

    route = "/v1/{environment}/predictions"
    assert grew("nightshift_verdicts_total", "model", "screen", answers[0]["verdict"]) == 2
    assert grew("nightshift_http_requests_total", "200", "POST", route) == 2
    assert grew("nightshift_http_request_seconds_count", route) == 2
    assert grew("nightshift_batch_size_sum", "verdict") == 2
    assert grew("nightshift_cache_hits_total", "picture") == 1
    assert after["nightshift_swaps_total", frozenset({"done", "screen"})] >= 1
    assert after["nightshift_places_taken", frozenset()] == 0
    assert "nightshift_store_retries_total" in {name for name, *_ in after}


def test_metrics_say_nothing_that_stands_on_a_screen_or_in_a_path(client):
    said(client, "Secret words")
    client.get("/v1/predictions/secret-id")
    client.get("/v1/nothing/of/the/kind")
    page = client.get("/metrics").text
    assert "ecret" not in page
    assert "kind" not in page
    assert WORK not in page


def test_a_request_keeps_the_id_it_came_with_and_gets_one_where_it_had_none(client):
    assert client.get("/healthz", headers={"X-Request-Id": "abc-1"}).headers["x-request-id"] == "abc-1"
    given = {client.get("/healthz").headers["x-request-id"] for _ in range(2)}
    assert len(given) == 2
    for wrong in ("a b", "x" * 129, 'a"b'):
        assert client.get("/healthz", headers={"X-Request-Id": wrong}).headers["x-request-id"] != wrong


def test_what_is_refused_has_an_id_and_a_line_too(client, caplog):
    with caplog.at_level(logging.INFO, logger="app.observing"):
        refused = client.get("/v1/predictions/x", headers={"host": "evil.example", "X-Request-Id": "refused-1"})
    assert refused.status_code == 403
    assert refused.headers["x-request-id"] == "refused-1"
    assert [record.status for record in caplog.records] == [403]


def test_a_line_is_json_with_the_request_it_belongs_to(client, caplog):
    with caplog.at_level(logging.INFO, logger="app.observing"):
        client.get("/v1/predictions/nobody")
    token = request_id.set("abc-2")
    line = json.loads(JsonLines().format(caplog.records[-1]))
    request_id.reset(token)
    assert line["request_id"] == "abc-2"
    assert (line["route"], line["status"], line["level"]) == ("/v1/predictions/{prediction_id}", 404, "info")
    assert "nobody" not in json.dumps(line)


@pytest.fixture
def quiet(monkeypatch):
    for name in (*TRACING, "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_traces_are_sent_where_the_environment_asks_for_them(quiet, variables, wanted):
    for name, value in variables.items():
        quiet.setenv(name, value)
    assert tracing_is_wanted() is wanted


def test_an_exporter_that_is_none_is_refused(quiet):
    pytest.importorskip("opentelemetry.sdk")
    quiet.setenv("OTEL_TRACES_EXPORTER", "pigeon")
    with pytest.raises(NightshiftError, match="pigeon"):
        begin_tracing()


def test_a_request_and_its_stages_reach_a_collector_under_the_trace_they_came_with(client, quiet):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    received = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        quiet.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        begin_tracing()
        assert tracer() is not None
        trace = "0af7651916cd43dd8448eb211c80319c"
        headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
        client.get("/v1/predictions", headers=headers)
        client.post(
            "/v1/screen/predictions",
            files={"image": ("s.png", picture("Traced words"))},
            data={"work": WORK},
            headers=headers,
        )
        end_tracing()
        server.shutdown()
    spans = [
        span
        for body in received
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        if span.trace_id.hex() == trace
    ]
    assert {span.name for span in spans} == {
        "GET /v1/predictions",
        "POST /v1/{environment}/predictions",
        "reading",
        "verdict",
        "log",
    }
