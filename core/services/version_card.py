"""What a dataset version is, in words: for whoever is handed it."""

from collections import Counter

from core.schema import SET_ASIDE, DatasetVersion, Example
from core.services.workspace import Workspace

__all__ = ["version_card"]

MOST = 30
"Domains that are listed."


def version_card(ws: Workspace, record: DatasetVersion, format: str = "") -> str:
    """Markdown: what it holds, how the labels came about, and what to mind. `format` adds how the files are read."""
    bound = ws.environment(record.environment)
    answer_of = {example: answer for example, (_, answer) in record.labels.items()}
    words = {label.example: label for label in ws.store.labels(record.environment)}
    standing = [words[each] for each, answer in answer_of.items() if each in words and words[each].answer == answer]
    examples = ws.store.find(Example, id=set(answer_of))
    domains = Counter(bound.domain(example) for example in examples).most_common(MOST)
    pictures = {media for example in examples for media in example.media}
    clusters = len({example.cluster for example in examples})
    parts = [
        f"---\ntags: [nightshift, {record.environment}]\n{_configs(record, format)}---\n",
        f"# What nights of `{record.environment}` learn from\n",
        f"Version `{record.id}`: {len(answer_of)} questions, each with the answer that {_who(record)} gave, about "
        f"{len(pictures)} pictures in {clusters} groups of near-duplicates. {_apart(record)} is measured on and never "
        "trained on; near-duplicates are all in one split.\n",
        _table("split", {split: len(items) for split, items in record.items.items()}),
        _table("answer", Counter(answer_of.values())),
        _table("how a question came before a person", Counter(word.chosen_by.value for word in standing)),
        _table("kind of work", dict(domains)),
        "Reviewers are named as they named themselves, and pictures are as they were taken in: both may be personal "
        "data. Answers of reported mistakes are no random sample; those of `random_audit` are.\n",
    ]
    return "\n".join(parts)


def _who(record: DatasetVersion) -> str:
    return "a judge, and no person," if record.judged else "a person"


def _apart(record: DatasetVersion) -> str:
    return f"`{SET_ASIDE}`" if record.judged else "`golden`"


def _table(title: str, counted: dict[str, int]) -> str:
    rows = "".join(f"| {name or '(none)'} | {count} |\n" for name, count in counted.items())
    return f"| {title} | |\n| --- | ---: |\n{rows}"


def _configs(record: DatasetVersion, format: str) -> str:
    """Where `datasets.load_dataset` finds the splits."""
    path = {"parquet": "data/{split}-*.parquet", "webdataset": "{split}-*.tar"}.get(format)
    if path is None:
        return ""
    files = "".join(
        f"  - split: {split}\n    path: {path.format(split=split)}\n" for split, items in record.items.items() if items
    )
    return f"configs:\n- config_name: default\n  data_files:\n{files}"
