"""What the API answers is what its description says it may answer, to sense and to nonsense."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api import create_api
from app.engine import Engine
from core.services import Workspace

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
QUICK, LONG = 4, 300


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    ws = Workspace.open(tmp_path_factory.mktemp("described") / "home")
    engine = Engine(ws)
    engine.seats.look()
    yield schemathesis.openapi.from_asgi("/v1/openapi.json", create_api(ws, engine))
    engine.close()


def hold_to_description(described, examples, *, derandomize):
    """Sends each operation that many requests, sensible ones and others."""
    operations = [result.ok() for result in described.get_all_operations()]
    assert len(operations) > 10
    wrong = []
    for operation in operations:

        @settings(
            max_examples=examples,
            derandomize=derandomize,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def is_as_described(case):
            case.call_and_validate(checks=CHECKS)

        try:
            is_as_described()
        except FailureGroup as found:
            wrong += [f"{operation.label}: {failure}" for failure in found.exceptions]
    assert not wrong, "\n\n".join(wrong)


def test_every_route_answers_as_described(described):
    hold_to_description(described, QUICK, derandomize=True)


@pytest.mark.soak
def test_every_route_answers_as_described_however_long_one_tries(described):
    hold_to_description(described, LONG, derandomize=False)
