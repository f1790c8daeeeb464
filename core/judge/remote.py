"""The judge that is a model: shown the pictures it chooses between statements, or scores a group of free answers."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import JsonValue

from core.judge.backend import Backend
from core.judge.background import in_pages
from core.judge.base import Group, Judge, Rewrite, Rewritten, Spent
from core.judge.budget import Budget, Tally
from core.judge.calls import Calls
from core.judge.faults import Fault, FaultKind
from core.judge.group import GroupOpinions, GroupPrompt, distinct
from core.judge.opinion import Asked, Opinion, Opinions
from core.judge.pictures import Pictures
from core.judge.prompt import JudgePrompt
from core.judge.rewriting import rewritten
from core.judge.sending import Sender
from core.policy import Library
from core.schema import Example, Judgment, NightshiftError, content_id
from core.settings import JudgingSettings

__all__ = ["RemoteJudge"]

VERSION = "1"
"Changes with the way replies are asked for and read."


class RemoteJudge(Judge):
    """Asks `prompt` of the model behind `backend`. With a GroupPrompt, any candidates are scored in one call."""

    def __init__(
        self, backend: Backend, prompt: JudgePrompt | GroupPrompt, settings: JudgingSettings, name: str | None = None
    ) -> None:
        """`name` where it is not the backend's."""
        self.name = name or backend.name
        self._backend, self._prompt, self._settings = backend, prompt, settings
        digest = content_id(prompt.model_dump(mode="json"), backend.address, settings.verdict, settings.max_pixels)
        self.prompt_version = f"{VERSION}/{backend.model}/{digest[:12]}"

    def judgment_id(self, example: Example, candidates: Sequence[JsonValue]) -> str:
        if isinstance(self._prompt, GroupPrompt):
            candidates = distinct(candidates)
        return super().judgment_id(example, candidates)

    @property
    def warnings(self) -> tuple[str, ...]:
        if self._settings.prices_are_known:
            return ()
        return (
            f"the prices of {self._backend.model} are not known: its cost is not counted, and no budget in dollars "
            "holds; set judging.usd_per_million_input and judging.usd_per_million_output",
        )

    def judge(self, example: Example, candidates: Sequence[JsonValue], library: Library) -> Judgment:
        (judgment,) = [each for page in self.judge_groups([(example, candidates)], library) for each in page]
        return judgment

    def judge_groups(
        self,
        groups: Sequence[Group],
        library: Library,
        spent: Spent = Spent(),  # noqa: B008 (frozen)
    ) -> Iterator[list[Judgment]]:
        if not groups:
            # A model within this process would be loaded for nothing.
            return iter(())

        async def work(put: Callable[[Judgment], None]) -> None:
            async with self._backend:
                budget = Budget(self._settings, spent)
                calls = Calls(self._backend, self._settings, budget)
                opinions = self._opinions(Sender(calls))
                pictures = Pictures(library, self._settings.max_pixels)
                waiting = iter(groups)

                async def worker() -> None:
                    for example, candidates in waiting:
                        put(await self._ask(example, candidates, budget, opinions, pictures))

                async with asyncio.TaskGroup() as group:
                    # One more than calls at a time: its picture is encoded while the others wait for their answers.
                    for _ in range(min(len(groups), calls.at_once + 1)):
                        group.create_task(worker())

        return in_pages(work)

    def rewrite(
        self,
        wanted: Sequence[Rewrite],
        spent: Spent = Spent(),  # noqa: B008 (frozen)
    ) -> Iterator[list[Rewritten]]:
        if not wanted:
            return iter(())

        async def work(put: Callable[[Rewritten], None]) -> None:
            async with self._backend:
                calls = Calls(self._backend, self._settings, Budget(self._settings, spent))
                sender, waiting = Sender(calls), iter(wanted)

                async def worker() -> None:
                    for each in waiting:
                        deadline = asyncio.get_running_loop().time() + self._settings.deadline_s
                        put(await rewritten(sender, each, deadline))

                async with asyncio.TaskGroup() as group:
                    for _ in range(min(len(wanted), calls.at_once)):
                        group.create_task(worker())

        return in_pages(work)

    async def _ask(
        self,
        example: Example,
        candidates: Sequence[JsonValue],
        budget: Budget,
        opinions: Opinions | GroupOpinions,
        pictures: Pictures,
    ) -> Judgment:
        """Scored, or unscored with the fault that stood in the way."""
        started, tally, opinion, why, transient = time.perf_counter(), Tally(), None, "", True
        try:
            budget.check_soft()
            async with asyncio.timeout(self._settings.deadline_s):
                opinion = await self._opinion(example, candidates, opinions, pictures, tally)
        except TimeoutError:
            why = f"no judgment within {self._settings.deadline_s:g} s"
        except Fault as fault:
            why, transient = str(fault), fault.kind is not FaultKind.ANSWERED
        except (NightshiftError, OSError) as error:
            why = f"its picture cannot be shown: {error}"
        ms = (time.perf_counter() - started) * 1000
        spent: dict[str, Any] = {"calls": tally.calls, "tokens": tally.tokens, "cost_usd": tally.usd}
        if tally.calls and not self._settings.prices_are_known:
            spent["cost_usd"] = None
        if opinion is None:
            return self.unscored(example, candidates, why, ms, transient=transient, **spent)
        scores = [opinion.scores.get(each, 0.0) if isinstance(each, str) else 0.0 for each in candidates]
        return self.scored(
            example, candidates, scores, opinion.reason, ms, position_bias=opinion.position_bias, **spent
        )

    def _opinions(self, sender: Sender) -> Opinions | GroupOpinions:
        if isinstance(self._prompt, GroupPrompt):
            return GroupOpinions(sender, self._prompt)
        return Opinions(sender, self._prompt, self._settings.verdict)

    async def _opinion(
        self,
        example: Example,
        candidates: Sequence[JsonValue],
        opinions: Opinions | GroupOpinions,
        pictures: Pictures,
        tally: Tally,
    ) -> Opinion:
        deadline = asyncio.get_running_loop().time() + self._settings.deadline_s
        is_shown = not isinstance(self._prompt, GroupPrompt) or self._prompt.pictures
        urls = [await pictures.url(media) for media in example.media] if is_shown else []
        asked = Asked(example.ask, urls, self._settings.max_pixels, deadline, tally)
        if isinstance(opinions, GroupOpinions):
            return await opinions.opinion(asked, candidates)
        return await opinions.opinion(asked)
