"""Words said while a training runs: what enters it between two rounds, recorded before it is handed over.

What enters follows from two numbers, the last word known before and the last known now, so a record of these, and of
the hash of what came of them, is enough to give the same answer again to the byte. The record is in the store before
the training sees anything: no model ever learnt from a word of which the store does not say so.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from core.learning import Refresh, Refreshes, TrainingItem
from core.learning.variants import Labelled, VariantContext, draft_variants
from core.policy import Policy
from core.schema import DatasetVersion, Example, Label, NightshiftError, Run, StageResult
from core.services.disputes import touched_since
from core.services.night.ingest import Snapshot, contents, refreshes_of, snapshot
from core.services.night.kinds import wanted_kinds
from core.services.night.pictures import VARIANT_SEED
from core.services.night.record import REFRESH, stage_id
from core.services.night.variants import keep_draft, known_variants
from core.services.workspace import Workspace
from core.store import Lease, StoreBusy

__all__ = ["LEFT", "Hear", "WordsMeanwhile", "difference"]

LEFT = "left"
"The role, in what is recorded of a refresh, of examples whose word was taken back."

MOST_WORDS = 50
"Words that enter at once; more wait for the next round, so that a training does not stand still for long."

Hear = Callable[[int], None]
ItemOf = Callable[[Example, Label], TrainingItem]


class Difference(NamedTuple):
    """What is otherwise at one word than at an earlier one."""

    entering: list[Label]
    "To train on, and not there before, or with another answer."
    lost: list[str]
    "Examples that had a label to train on, and have none."
    unsure: list[str]
    "Examples that a person now could not tell, or people differ on: what only rewards spoke for is dropped, too."
    upto: int
    "The later word."

    @property
    def is_empty(self) -> bool:
        return not (self.entering or self.lost or self.unsure)

    @property
    def leaves(self) -> list[str]:
        return sorted({*self.lost, *self.unsure})


class WordsMeanwhile:
    """Answers a training that asks what has been said since it last asked."""

    def __init__(
        self,
        ws: Workspace,
        run: Run,
        lease: Lease,
        policy: Policy,
        refreshes: Refreshes,
        *,
        item_of: ItemOf,
        variant_item_of: Callable[[Example, JsonValue, str], TrainingItem],
        hear: Hear | None = None,
    ) -> None:
        """`item_of` makes the item of a person's word, `variant_item_of` of a variant, whose kind it is told; `hear` is
        called with the steps done before the store is looked at."""
        self._ws, self._run, self._lease, self._policy = ws, run, lease, policy
        self._refreshes, self._item_of, self._variant_item_of = refreshes, item_of, variant_item_of
        self._hear = hear
        self.records = {_number(done, "step"): done for done in refreshes_of(ws, run.id)}
        seen = [_number(done, "upto_seq") for done in self.records.values()]
        self._known_upto = max([int(str(run.config["upto_seq"])), *seen])

    def answer(self, step: int) -> None:
        """Settles what changes after `step` steps, records it, and hands it over."""
        if (recorded := self.records.get(step)) is not None:
            self._answer_again(step, recorded)
            return
        # Where a later answer is recorded this one was given too, and nothing was in it.
        upto = self._known_upto if any(step < later for later in self.records) else self._words_now(step)
        if upto > self._known_upto:
            self._answer_anew(step, self._known_upto, upto)
        else:
            self._refreshes.publish(Refresh(step=step))

    def check(self, trained_with: dict[int, str]) -> None:
        """Raises NightshiftError unless this is what the store says that the training took in."""
        recorded = {step: str(done.result["manifest"]) for step, done in self.records.items()}
        if trained_with != recorded:
            raise NightshiftError(
                f"the training took in words after steps {sorted(trained_with)}, and the store knows of "
                f"{sorted(recorded)}; nothing was kept and the champion stays"
            )

    def tally(self) -> dict[str, int]:
        """How many words entered and left so far."""
        names = ("words_entered", "words_left")
        return {name: sum(_number(done, name) for done in self.records.values()) for name in names}

    def _words_now(self, step: int) -> int:
        """The last word to look at now."""
        if self._hear is not None:
            self._hear(step)
        try:
            head = self._ws.store.head(self._run.environment)
            if head <= self._known_upto:
                return head
            new = self._ws.store.labels(self._run.environment, after_seq=self._known_upto, upto_seq=head)
        except StoreBusy:
            return self._known_upto  # what was said waits for the next round
        return new[MOST_WORDS - 1].seq if len(new) > MOST_WORDS else head

    def _answer_anew(self, step: int, before: int, upto: int) -> None:
        words = difference(self._ws, self._run, before, upto)
        self._known_upto = upto
        if words.is_empty:
            self._refreshes.publish(Refresh(step=step))
            return
        refresh = self._prepare(step, words)
        version = self._version(words)
        result: dict[str, JsonValue] = {
            "step": step,
            "after_seq": before,
            "upto_seq": upto,
            "manifest": refresh.id,
            "dataset_version": version.id,
            "words_entered": len(words.entering),
            "words_left": len(words.lost),
        }
        stage = f"{REFRESH}{step}"
        record = StageResult(
            id=stage_id(self._run.id, stage), run=self._run.id, stage=stage, result=result, seconds=0.0
        )
        self._ws.store.check_token(self._lease.name, self._lease.token)
        self._ws.store.add(version, record)
        self.records[step] = record
        self._refreshes.publish(refresh)

    def _answer_again(self, step: int, recorded: StageResult) -> None:
        words = difference(self._ws, self._run, _number(recorded, "after_seq"), _number(recorded, "upto_seq"))
        refresh = self._prepare(step, words)
        if refresh.id != recorded.result["manifest"]:
            raise NightshiftError(
                f"what entered the training after step {step} cannot be made again: it comes to other bytes than those "
                "recorded; nothing was kept and the champion stays"
            )
        self._refreshes.publish(refresh)

    def _version(self, words: Difference) -> DatasetVersion:
        items = {"train": contents(words.entering), LEFT: tuple(words.leaves)}
        return DatasetVersion.make(self._run.environment, items)

    def _prepare(self, step: int, words: Difference) -> Refresh:
        examples = self._ws.store.get_many(Example, [label.example for label in words.entering])
        items = [self._item_of(example, label) for example, label in zip(examples, words.entering, strict=True)]
        items += self._variants(examples, words)
        features = self._policy.encode([item.example for item in items], self._ws.library) if items else []
        self._lease.renew()
        return self._refreshes.prepare(
            step, items, features, leaves=words.leaves, dataset_version=self._version(words).id
        )

    def _variants(self, examples: Sequence[Example], words: Difference) -> list[TrainingItem]:
        """Rewordings: they need neither a picture to be read nor the other labels. The next night finds them again."""
        kinds = [
            kind
            for kind in wanted_kinds(self._ws, self._run.environment)
            if kind.label == "keeps" and not kind.changes_pixels
        ]
        limit, context = self._ws.settings.learning.variants_per_correction, VariantContext([], self._ws.library)
        ids: dict[str, None] = {}
        for example, label in zip(examples, words.entering, strict=True):
            parent = Labelled(example, label.answer, reason=label.reason)
            for draft in draft_variants(parent, kinds, context, seed=VARIANT_SEED, limit=limit):
                if (variant := keep_draft(self._ws, self._run, draft)) is not None:
                    ids[variant.id] = None
        made = known_variants(self._ws, list(ids))
        # What people said something of, no variant speaks for.
        spoken = {
            word.example
            for word in self._ws.store.labels(
                self._run.environment, upto_seq=words.upto, examples=[example.id for _, example in made]
            )
        }
        return [
            self._variant_item_of(example, variant.answer, variant.how)
            for variant, example in made
            if example.id not in spoken
        ]


def difference(ws: Workspace, run: Run, before: int, upto: int) -> Difference:
    """What is otherwise at word `upto` than at word `before`; only what was touched in between is looked at."""
    touched = touched_since(ws, run.environment, before)
    then, now = (snapshot(ws, run, seq, touched) for seq in (before, upto))
    said = {label.example: label.answer for label in then.train}
    stands = {label.example for label in now.train}
    return Difference(
        entering=[label for label in now.train if said.get(label.example) != label.answer],
        lost=sorted(said.keys() - stands),
        unsure=sorted(_unsure(now) - _unsure(then)),
        upto=upto,
    )


def _unsure(known: Snapshot) -> set[str]:
    return {word.example for word in (*known.cannot_tell, *known.disputed)}


def _number(done: StageResult, name: str) -> int:
    return int(str(done.result[name]))
