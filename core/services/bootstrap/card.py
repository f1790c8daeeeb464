"""The data card: what a bootstrapped set holds, how far the judge agreed with what was meant, what it looks like."""

import base64
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from pydantic import JsonValue

from core.evaluation import cohen_kappa
from core.schema import SET_ASIDE, DatasetVersion, NightshiftError, Run
from core.services.bootstrap.record import Told, once, stage_of
from core.services.bootstrap.selection import Candidate
from core.services.bootstrap.stages import judged_candidates
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["CARD", "card"]

CARD = "card.html"
SHOWN = 12
"Example pictures."
SIDE = 320
RELATIONS = {"on_task": "on task", "near_miss": "near miss", "off_task": "off task"}


def card(ws: Workspace, run: Run, lease: Lease) -> dict[str, Any]:
    """Writes the page and says what the whole bootstrap came to."""

    def work(told: Told) -> dict[str, JsonValue]:  # noqa: ARG001
        selected = stage_of(ws, run, "select")
        (version,) = ws.store.get_many(DatasetVersion, [str(selected["dataset_version"])])
        candidates = judged_candidates(ws, run)
        figures = _figures(ws, run, selected, version, candidates)
        path = ws.run_dir(run.id) / CARD
        aside = path.with_suffix(".partial")
        aside.write_text(_page(ws, run, version, candidates, figures), encoding="utf-8")
        aside.replace(path)
        return figures | {"card": str(path)}

    return once(ws, run, lease, "card", work)


def _figures(
    ws: Workspace, run: Run, selected: Mapping[str, Any], version: DatasetVersion, candidates: Sequence[Candidate]
) -> dict[str, JsonValue]:
    chosen = {example: answer for example, (_, answer) in version.labels.items()}
    of_set = [candidate for candidate in candidates if candidate.example.id in chosen]
    on_task = (ws.environment(run.environment).answers or ("",))[0]
    meant = [candidate.relation == "on_task" for candidate in candidates]
    said = [candidate.answer == on_task for candidate in candidates]
    by_relation = {
        relation: _share(m == s for m, s, c in zip(meant, said, candidates, strict=True) if c.relation == relation)
        for relation in RELATIONS
    }
    captions, pictures, judged = (stage_of(ws, run, name) for name in ("captions", "pictures", "judge"))
    return {
        "run": run.id,
        "source": run.config["source"],
        "dataset_version": version.id,
        "train": selected["train"],
        "validation": selected["validation"],
        "short": selected["short"],
        "levels": selected["levels"],
        "answers": dict(sorted(Counter(chosen.values()).items())),
        "domains": dict(sorted(Counter(candidate.domain for candidate in of_set).items())),
        "relations": {name: sum(candidate.relation == name for candidate in of_set) for name in RELATIONS},
        "pictures": pictures["pictures"],
        "duplicates": pictures["duplicates"],
        "left_out": pictures["left_out"],
        "captions": captions["captions"],
        "unique_captions": captions["unique"],
        "judge": judged["judge"],
        "judged": judged["judged"],
        "unscored": judged["unscored"],
        "unscored_why": judged["unscored_why"],
        "cost_usd": judged["cost_usd"],
        "agreement": _share(m == s for m, s in zip(meant, said, strict=True)),
        "kappa": cohen_kappa([str(m) for m in meant], [str(s) for s in said]),
        "agreement_by_relation": dict(by_relation),
    }


def _share(hits: Iterable[bool]) -> float | None:
    found = list(hits)
    return sum(found) / len(found) if found else None


def _page(
    ws: Workspace,
    run: Run,
    version: DatasetVersion,
    candidates: Sequence[Candidate],
    figures: Mapping[str, Any],
) -> str:
    css = files("core.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    titles = ws.environment(run.environment).answer_titles
    agreement = {
        RELATIONS[name]: "-" if share is None else f"{share:.1%}"
        for name, share in figures["agreement_by_relation"].items()
    }
    overall = "-" if figures["agreement"] is None else f"{figures['agreement']:.1%}"
    kappa = "-" if figures["kappa"] is None else f"{figures['kappa']:.2f}"
    short = f"<p>{figures['short']} fewer than were asked for: give more pictures.</p>" if figures["short"] else ""
    counts = {
        "trained on": figures["train"],
        "set aside": figures["validation"],
        **{f"level {at}": of for at, of in enumerate(figures["levels"], start=1)},
        **{titles.get(answer, answer): of for answer, of in figures["answers"].items()},
        **{f"meant as {RELATIONS[name]}": of for name, of in figures["relations"].items()},
    }
    made = {
        "pictures": figures["pictures"],
        "near-duplicates left out": figures["duplicates"],
        "left out, damaged or labelled already": figures["left_out"],
        "different captions": figures["unique_captions"],
        "questions judged": figures["judged"],
        "left unscored": figures["unscored"],
    }
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bootstrapped set {escape(version.id[:12])}</title><style>{css}
.shots {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 16px; }}
.shots img {{ width: 100%; border-radius: 6px; }} .shots figcaption {{ font-size: .85em; }}</style></head>
<body><main><h1>Bootstrapped training set</h1>
<p>Version <code>{escape(version.id)}</code>, from <code>{escape(str(run.config["source"]))}</code>, labelled by the
judge <code>{escape(str(figures["judge"]))}</code> on {run.at:%d %B %Y}. No person has said a word about these labels:
they train a first model, and are never evidence for or against one.</p>{short}
<h2>What it holds</h2>{_table(counts)}
<h2>Domains of work</h2>{_table(figures["domains"])}
<h2>How it was made</h2>{_table(made)}
<h2>Agreement of the judge with what was meant</h2>
<p>{overall} of {len(candidates)} questions, Cohen's kappa {kappa}.</p>{_table(agreement)}
<h2>Examples</h2><div class="shots">{_shots(ws, version, candidates, titles)}</div>
<p>Command: <code>nightshift train --bootstrapped {escape(version.id[:12])} --method sft</code></p>
</main></body></html>
"""


def _shots(ws: Workspace, version: DatasetVersion, candidates: Sequence[Candidate], titles: Mapping[str, str]) -> str:
    """Some of the set, evenly over what the judge is sure of and what it doubts."""
    role_of = {example: role for example, (role, _) in version.labels.items()}
    of_set = sorted(
        (candidate for candidate in candidates if candidate.example.id in role_of),
        key=lambda each: (-each.confidence, each.example.id),
    )
    step = max(1, len(of_set) // SHOWN)
    return "".join(_shot(ws, each, role_of[each.example.id], titles) for each in of_set[::step][:SHOWN])


def _shot(ws: Workspace, candidate: Candidate, role: str, titles: Mapping[str, str]) -> str:
    try:
        image = ws.library.image(candidate.example.media[0])
    except NightshiftError:
        return ""
    image.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=82)
    data = base64.b64encode(buffer.getvalue()).decode()
    where = "set aside" if role == SET_ASIDE else f"level {role.rsplit('/', 1)[-1]}"
    return (
        f'<figure><img alt="" src="data:image/jpeg;base64,{data}"><figcaption><b>'
        f"{escape(titles.get(candidate.answer, candidate.answer))}</b>, {candidate.confidence:.0%}, {where}<br>"
        f"{escape(candidate.example.ask)}<br>{escape(candidate.domain.replace('_', ' '))}, meant as "
        f"{RELATIONS[candidate.relation]}</figcaption></figure>"
    )


def _table(counted: Mapping[str, Any]) -> str:
    rows = "".join(f"<tr><td>{escape(str(name))}</td><td>{escape(str(of))}</td></tr>" for name, of in counted.items())
    return f"<table>{rows}</table>"
