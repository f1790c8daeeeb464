"""The judge behind a server: a vision-language model that is shown the screen and chooses between statements."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import JsonValue

from core.judge.backend import Backend
from core.judge.background import in_pages
from core.judge.base import Judge, Spent
from core.judge.budget import Budget, Tally
from core.judge.calls import Calls
from core.judge.faults import Fault, FaultKind
from core.judge.opinion import Asked, Opinion, Opinions
from core.judge.pictures import Pictures
from core.judge.prompt import JudgePrompt
from core.policy import Library
from core.schema import Example, Judgment, NightshiftError, content_id
from core.settings import JudgingSettings

__all__ = ["RemoteJudge"]

VERSION = "1"
"Changes with the way replies are asked for and read."

Question = tuple[Example, Sequence[JsonValue]]


class RemoteJudge(Judge):
    """Asks `prompt` of the model behind `backend`."""

    def __init__(self, backend: Backend, prompt: JudgePrompt, settings: JudgingSettings) -> None:
        self.name = backend.name
        self._backend, self._prompt, self._settings = backend, prompt, settings
        digest = content_id(prompt.model_dump(mode="json"), backend.address, settings.verdict, settings.max_pixels)
        self.prompt_version = f"{VERSION}/{backend.model}/{digest[:12]}"

    @property
    def warnings(self) -> tuple[str, ...]:
        if self._settings.prices_are_known:
            return ()
        return (
            f"the prices of {self._backend.model} are not known: its cost is not counted, and no budget in dollars "
            "holds; set judging.usd_per_million_input and judging.usd_per_million_output",
        )

    def judge(self, example: Example, candidates: Sequence[JsonValue], library: Library) -> Judgment:
        (judgment,) = [each for page in self._pages([(example, candidates)], library, Spent()) for each in page]
        return judgment

    def judge_all(
        self,
        examples: Sequence[Example],
        library: Library,
        spent: Spent = Spent(),  # noqa: B008 (frozen)
    ) -> Iterator[list[Judgment]]:
        return self._pages([(example, example.answers or ()) for example in examples], library, spent)

    def _pages(self, questions: Sequence[Question], library: Library, spent: Spent) -> Iterator[list[Judgment]]:
        async def work(put: Callable[[Judgment], None]) -> None:
            async with self._backend:
                budget = Budget(self._settings, spent)
                calls = Calls(self._backend, self._settings, budget)
                opinions = Opinions(calls, self._prompt, self._settings)
                pictures = Pictures(library, self._settings.max_pixels)
                waiting = iter(questions)

                async def worker() -> None:
                    for example, candidates in waiting:
                        put(await self._ask(example, candidates, budget, opinions, pictures))

                async with asyncio.TaskGroup() as group:
                    # One more than calls at a time: its picture is encoded while the others wait for their answers.
                    for _ in range(min(len(questions), self._settings.concurrency + 1)):
                        group.create_task(worker())

        return in_pages(work)

    async def _ask(
        self,
        example: Example,
        candidates: Sequence[JsonValue],
        budget: Budget,
        opinions: Opinions,
        pictures: Pictures,
    ) -> Judgment:
        """Scored, or unscored with the fault that stood in the way."""
        started, tally, opinion, why, transient = time.perf_counter(), Tally(), None, "", True
        try:
            budget.check_soft()
            async with asyncio.timeout(self._settings.deadline_s):
                opinion = await self._opinion(example, opinions, pictures, tally)
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

    async def _opinion(self, example: Example, opinions: Opinions, pictures: Pictures, tally: Tally) -> Opinion:
        deadline = asyncio.get_running_loop().time() + self._settings.deadline_s
        urls = [await pictures.url(media) for media in example.media]
        return await opinions.opinion(Asked(example.ask, urls, self._settings.max_pixels, deadline, tally))
