"""One night in cards: its stages, what was made, judged, rewarded and learnt, and its log."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.console.drawing import answer_title, badge, card, moment, notice, short_id, table
from app.console.language import figure, later, say
from app.console.learning import learning_curves
from app.console.lessons import environment_title
from app.console.nights import night_outcome, night_steps, seconds_in_words
from app.console.states import nothing_yet
from core.environments import Environment
from core.services.standing import Rewarded
from core.services.watching import NightFacts

__all__ = ["judge_card", "learning_card", "log_card", "night_card", "reward_card", "variants_card"]

WARNING, ERROR = 30, 40
TRIGGERS = {
    "console": later("the console"),
    "schedule": later("the schedule"),
    "command line": later("the command line"),
    "corrections": later("enough corrections"),
    "request": later("request"),
    "simulation": later("simulation"),
}


def trigger(asked_by: object) -> str:
    """What asked for a night, in words; HTML."""
    return escape(say(TRIGGERS.get(str(asked_by), str(asked_by))))


def night_card(night: NightFacts) -> str:
    """Head and stages."""
    summary = night.summary
    took = seconds_in_words(sum(summary["seconds"].values()))
    told = say("asked for by {trigger}, seed {seed}", trigger=trigger(night.run.trigger), seed=night.run.seed)
    why = notice(say("Given up: {why}", why=summary["why"]), "bad") if summary["why"] else ""
    report = ""
    if summary["state"] == "finished":
        report = f' · <a href="/v1/nights/{escape(night.run.id)}/report" target="_blank">{say("the whole report")}</a>'
    return card(
        say("Night"),
        f'<p class="ns-headline">{moment(night.run.at)} {night_outcome(summary)}</p>{why}'
        f'<p class="ns-fine">{told} · {took}{report} · {short_id(night.run.id)}</p>{night_steps(summary)}',
    )


def learning_card(night: NightFacts, planned: int) -> str:
    """Expected reward and its parts, loss, entropy, distance, step by step; while it trains, how far it is."""
    at_work = night.summary["state"] == "running" and night.summary["stage"] == "train"
    curves = learning_curves(night.steps, planned if at_work else None)
    return card(say("How it learns"), curves) if curves else ""


def variants_card(night: NightFacts) -> str:
    """What was made of people's words, kind by kind, and what was dropped since its evidence got lost."""
    done = night.results.get("variants")
    if done is None:
        return ""
    made, dropped = (_counts(done.get(name)) for name in ("made", "dropped"))
    kinds = sorted({*made, *dropped}, key=lambda kind: (-made.get(kind, 0), kind))
    if not kinds:
        return card(say("Variants"), nothing_yet(say("None were made: there was nothing new to vary.")))
    most = max(made.get(kind, 0) + dropped.get(kind, 0) for kind in kinds)
    rows = "".join(_kind(kind, made.get(kind, 0), dropped.get(kind, 0), most) for kind in kinds)
    note = say(
        "Examples made from people's words, whose answer is known by construction. Dropped: the change had cost what "
        "the verdict rests on."
    )
    told = say("{made} made, {dropped} dropped", made=sum(made.values()), dropped=sum(dropped.values()))
    return card(
        say("Variants"),
        f'<p><strong>{told}</strong></p><div class="ns-kinds">{rows}</div><p class="ns-fine">{note}</p>',
    )


def _counts(stored: Any) -> dict[str, int]:
    """Numbers by kind; where they are told apart by reason, their sums."""
    if not isinstance(stored, Mapping):
        return {}
    return {
        str(kind): sum(map(int, each.values())) if isinstance(each, Mapping) else int(each)
        for kind, each in stored.items()
    }


def _kind(kind: str, made: int, dropped: int, most: int) -> str:
    lost = f" <span class='ns-soft'>{say('{n} dropped', n=dropped)}</span>" if dropped else ""
    return (
        f"<span>{escape(kind.replace('_', ' '))}</span>"
        f'<span class="ns-bar ns-quiet" aria-hidden="true"><i style="width:{made / most:.1%}"></i>'
        f'<i class="ns-dropped" style="width:{dropped / most:.1%}"></i></span><span>{made}{lost}</span>'
    )


def judge_card(night: NightFacts) -> str:
    """What the judge said in this night, and what it took."""
    done = night.results.get("judge")
    if done is None:
        return ""
    cost = done.get("cost_usd")
    facts = [
        (say("Judge"), escape(str(done["judge"]))),
        (say("Judged"), say("{n} examples, {unscored} of them unscored", n=done["judged"], unscored=done["unscored"])),
        (say("Asked anew"), say("{calls} calls; the rest came from the store", calls=done.get("calls", 0))),
        (say("Cost"), say("not known") if cost is None else say("{usd} dollars", usd=figure(float(cost), ".4f"))),
        (say("Earned"), say("{share} of its weight in the reward", share=figure(float(done["share"]), ".0%"))),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    spent = notice(say("Its budget was spent before it had judged everything."), "bad") if done["budget_spent"] else ""
    why = (
        f'<p class="ns-fine">{say("Unscored: {why}", why=escape(done["unscored_why"]))}</p>' if done["unscored"] else ""
    )
    return card(say("What the judge said"), f"<dl>{listed}</dl>{why}{spent}")


def reward_card(environment: Environment, rewarded: Sequence[Rewarded]) -> str:
    """What answers earned, part by part."""
    if not rewarded:
        return ""
    names = list(dict.fromkeys(name for each in rewarded for of in each.rollouts for name in of.reward_parts))
    rows = []
    for each in rewarded:
        for place, rollout in enumerate(each.rollouts):
            ask = f'<span class="ns-clipped" title="{escape(each.example.ask)}">{escape(each.example.ask)}</span>'
            parts = [_earned(rollout.reward_parts.get(name)) for name in names]
            answer = escape(answer_title(environment, rollout.answer))
            rows.append(("" if place else ask, answer, *parts, f"<strong>{_earned(rollout.reward)}</strong>"))
    head = (environment_title(environment), say("Answer"), *(name.replace("_", " ") for name in names), say("reward"))
    note = say(
        "What each answer earned, part by part; a dash where a part had nothing to say. A person's word decides the "
        "reward alone."
    )
    shown = table(head, rows, numbers=list(range(2, len(head))))
    return card(say("Rewards"), f'<p class="ns-fine">{note}</p><div class="ns-rewards">{shown}</div>')


def _earned(value: float | None) -> str:
    return "–" if value is None else figure(value, ".2f")


def log_card(lines: Sequence[Mapping[str, Any]] | None, page: str | None) -> str:
    """What the night said, as a person reads it; `lines` are None where Prefect, which keeps them, is not up."""
    title = say("Log")
    if lines is None:
        return card(title, nothing_yet(say("Prefect keeps the log and is not running now; nightshift up starts it.")))
    link = ""
    if page:
        opened = say("This night on Prefect's page")
        link = f'<p class="ns-fine"><a href="{escape(page)}" target="_blank" rel="noreferrer">{opened}</a></p>'
    if not lines:
        return card(title, nothing_yet(say("There is no log of this night.")) + link)
    shown = "".join(_line(line) for line in lines)
    return card(title, f'<ol class="ns-logs" tabindex="0" aria-label="{title}">{shown}</ol>{link}')


def _line(line: Mapping[str, Any]) -> str:
    level = int(line["level"])
    kind = "ns-failing" if level >= ERROR else "ns-warned" if level >= WARNING else ""
    word = f"{badge(say('error'), 'bad')} " if level >= ERROR else ""
    return f'<li class="{kind}">{moment(str(line["at"]))} {word}{escape(str(line["message"]))}</li>'
