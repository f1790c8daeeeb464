"""The page about a release on a hub: what it is, what it learnt from, its gates with figures, its limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.schema import Decision, Release

__all__ = ["Facts", "render_card"]


@dataclass(frozen=True)
class Facts:
    """What the card tells of one release."""

    release: Release
    title: str
    answers: Sequence[str]
    policy: str
    licence: str
    dataset_version: str | None
    items: Mapping[str, int]
    "Role in the dataset version to number of examples."
    lineage: Sequence[str]
    run: str | None
    decision: Decision | None
    accuracies: Mapping[str, tuple[float, int]]
    "Suite to share right and number of examples."


def render_card(facts: Facts) -> str:
    """Markdown with the metadata that the Hub reads on top."""
    return f"---\n{_metadata(facts)}\n---\n\n{_text(facts)}"


def _metadata(facts: Facts) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type="image-classification",
            task_name=facts.title,
            dataset_type=f"nightshift/{facts.release.environment}",
            dataset_name=suite,
            dataset_revision=facts.dataset_version,
            metric_type="accuracy",
            metric_value=round(accuracy, 4),
            metric_name=f"accuracy on {n} examples labelled by people",
        )
        for suite, (accuracy, n) in facts.accuracies.items()
    ]
    data: Any = ModelCardData(
        license=facts.licence,
        library_name="nightshift",
        tags=["nightshift", facts.release.environment, facts.policy],
        model_name=f"nightshift-{facts.release.environment}-{facts.release.id[:12]}",
        eval_results=results or None,
    )
    return str(data.to_yaml())


def _text(facts: Facts) -> str:
    paragraphs = [
        f"# {facts.title}: release {facts.release.id[:12]}",
        f"A `{facts.policy}` student of Nightshift that answers {' or '.join(f'`{each}`' for each in facts.answers)}. "
        "It is loaded with `nightshift models pull`; `nightshift.json` says what each folder is, and the hash of a "
        "folder is the checkpoint's name.",
        "## What it learnt from",
        _data(facts),
        "## Gates",
        _gates(facts.decision),
        "## Lineage",
        " ← ".join(f"`{each[:12]}`" for each in facts.lineage) + " (the last is the untrained model).",
        "## Limits",
        "The figures hold for the installation whose people gave the labels; on screens and descriptions of work of "
        "another kind nothing is known. Answers are probabilities, calibrated on that installation's labels alone. "
        "Text on a screen is read as data, but whoever controls what a screen shows can make it look like other work.",
        "## Licence",
        f"`{facts.licence}`",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _data(facts: Facts) -> str:
    if facts.dataset_version is None:
        return "No night trained it."
    counted = ", ".join(f"{number} {role}" for role, number in facts.items.items())
    return f"Dataset version `{facts.dataset_version}` ({counted}), in night `{facts.run}`."


def _gates(decision: Decision | None) -> str:
    if decision is None:
        return "It was compared with no champion."
    rows = [
        f"| {gate.name} | {_figure(gate.value)} | {_figure(gate.bound)} | "
        f"{ {True: 'passed', False: 'failed', None: 'not assessable'}[gate.passed] } | {_cell(gate.note)} |"
        for gate in decision.gates
    ]
    table = "\n".join(["| gate | figure | bound | result | in words |", "| --- | --- | --- | --- | --- |", *rows])
    return f"{decision.outcome.value}: {decision.reason}\n\n{table}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
