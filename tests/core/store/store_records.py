"""Records to put into stores, and what other processes do with a store."""

import sys
from itertools import count
from pathlib import Path

from core.schema import (
    Agreement,
    Alternative,
    AuditEntry,
    Checkpoint,
    ChosenBy,
    Claim,
    Correction,
    DatasetVersion,
    Decision,
    Delivery,
    Erasure,
    Evaluation,
    Event,
    Evidence,
    Example,
    Frozen,
    GateResult,
    Grant,
    HubStep,
    ItemScore,
    JudgeAudit,
    Judgment,
    LoginFailure,
    Mark,
    Media,
    Notice,
    Outcome,
    Password,
    Prediction,
    Promotion,
    Record,
    Release,
    Revocation,
    Role,
    Rollout,
    Run,
    Scope,
    SettingChange,
    ShadowAnswer,
    Signal,
    StageResult,
    Tombstone,
    Trial,
    TrialStep,
    Turn,
    User,
    Variant,
    new_id,
    now,
)
from core.store import open_store
from core.store.database import engine_of, open_database
from core.store.migrate import Migration, load_migrations


def correction(example: str = "example", answer: str = "on_task", environment: str = "screen", **fields) -> Correction:
    return Correction(id=new_id(), environment=environment, example=example, answer=answer, **fields)


def promotion(release: str, previous: str | None, environment: str = "screen", **fields) -> Promotion:
    fields = {"action": "promote", **fields}
    return Promotion(id=new_id(), environment=environment, release=release, previous=previous, **fields)


def one_of_each() -> list[Record]:
    screen = {"environment": "screen"}
    return [
        Media(id="m", blob="ab/cd.png", width=800, height=600, phash="0" * 16, source="import", session="s"),
        Example(id="e", media=("m",), ask="write a letter", answers=("on_task", "off_task"), cluster="c", **screen),
        Prediction(
            id="p",
            example="e",
            answer="on_task",
            probability=0.75,
            confidence=0.5,
            answer_logprobs=(-0.25, -float("inf")),
            evidence=(Evidence(text="Dear 'Ann'", box=(0.0, 0.1, 0.5, 0.2), weight=1.5, media="m"),),
            release="r",
            latency_ms=12.5,
            **screen,
        ),
        Correction(id="k", example="e", prediction="p", answer="off_task", reason="a game ☕\n", **screen),
        Variant(id="v", example="v", parent="e", how="contrast", parameters={"n": [1, None]}, answer=None, **screen),
        Judgment(
            id="j", example="e", judge="x", prompt_version="1", scores=(Alternative(answer="a", score=1),), **screen
        ),
        Rollout(
            id="o",
            example="e",
            run="n",
            turns=(Turn(role="user", content={"text": "?"}),),
            answer="on_task",
            token_logprobs=(-1.0,),
            token_mask=(True,),
            reward_parts={"judge": None, "exact": 1.0},
            **screen,
        ),
        Checkpoint(id="w", policy="reader", **screen),
        Release.make("screen", {"policy": "w"}),
        DatasetVersion.make("screen", {"train": ("b", "a")}),
        Run(id="n", seed=2**70, config={"steps": 1}, **screen),
        StageResult(id="s", run="n", stage="train", result={"loss": 0.5}, seconds=1.0),
        Evaluation(
            id="q", release="r", suite="golden", scores=(ItemScore(example="e", cluster="c", score=1),), **screen
        ),
        Decision(
            id="d",
            run="n",
            champion="r",
            challenger="r2",
            gates=(GateResult(name="better", value=0.1, bound=0.0, passed=None),),
            outcome=Outcome.UNDECIDED,
            **screen,
        ),
        Frozen(id="f", champion="r", challenger="r2", run="n", upto_seq=3, ends="g", why="too little", **screen),
        promotion("r", None, action="install"),
        Notice(id="t", event=Event.PROMOTED, title="promoted", subject="a", detail={"n": [1, None]}, **screen),
        Delivery(id="y", notice="t", endpoint="ops", status=500, error="status 500"),
        *releases_on_their_way(),
        *people_and_what_they_did(),
        erasure := Erasure(id="x", asked="screen", reason="asked for", by="local", erased={"media": 1}),
        Tombstone.make(erasure, "example", "e2", "c"),
        Claim(
            id="l",
            example="e",
            prediction="p",
            reviewer="ann",
            sitting="w",
            chosen_by=ChosenBy.NOVELTY,
            until=now(),
            **screen,
        ),
        Signal(id="i", example="e", domain="mail", novelty=0.25, drift=None, basis=3, **screen),
    ]


def people_and_what_they_did() -> list[Record]:
    return [
        User(id="b", name="ann", uid="a1", role=Role.OPERATOR),
        Password(id="c2", uid="a1", hash="$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"),
        Grant(id="g", form="token", uid="a1", user="ann", name="ci", scopes=(Scope.READ,), expires=now()),
        Revocation(id="r3", revoked="g"),
        LoginFailure(id="n2", name="0f", address="127.0.0.1"),
        AuditEntry(id="a", who="ann", role=Role.OPERATOR, door="console", action="correction.given", subject="p"),
        SettingChange(id="s2", key="night.schedule", before=None, after="0 3 * * *", by="ann"),
    ]


def releases_on_their_way() -> list[Record]:
    screen = {"environment": "screen"}
    trial = Trial(id="z", release="r2", champion="r", decision="d", plan=("shadow", "promotion"), **screen)
    agreement = Agreement(n=3, scored=2, accuracy=0.5, kappa=0.0, kappa_ci95=(-1.0, 1.0))
    return [
        Mark.make("screen", "r", "quarantined", "blind on music", "local"),
        trial,
        TrialStep.make(trial, "shadow", passed=True, reason="agrees", by="local", figures={"n": 3}),
        ShadowAnswer(
            id="w2",
            trial="z",
            prediction="p",
            example="e",
            release="r2",
            answer="on_task",
            probability=0.75,
            agrees=True,
            latency_ms=1.0,
            champion_latency_ms=1.5,
            **screen,
        ),
        HubStep(id="h", release="r", repo="org/model", step="failed", reason="status 403", **screen),
        JudgeAudit(
            id="u",
            judge="reading",
            prompt_version="1",
            upto_seq=3,
            overall=agreement,
            by_category={"mail": agreement},
            champion="r",
            compared=2,
            wins=1,
            losses=0,
            share=0.25,
            calls=4,
            cached=0,
            seconds=1.0,
            **screen,
        ),
    ]


def write_corrections(url: str, writer: int, number: int) -> None:
    """One correction a transaction; each is named on standard output once it is acknowledged."""
    store = open_store(url, deadline_s=120)
    for position in range(number):
        record = correction(f"{writer}-{position}", reviewer=f"writer {writer}")
        assert store.add(record) == 1
        sys.stdout.write(record.id + "\n")
        sys.stdout.flush()


def read_until_stopped(url: str, stop: str) -> None:
    """Reads without a pause; what was seen once must never be gone, nor be there twice."""
    store = open_store(url, deadline_s=120)
    seen: list[str] = []
    for reads in count(1):
        found = [record.id for record in store.find(Correction)]
        assert found[: len(seen)] == seen
        assert len(set(found)) == len(found)
        seen = found
        if Path(stop).exists():
            sys.stdout.write(f"{reads}\n")
            return


def swap_once(url: str, release: str, start: str) -> None:
    """Tries to take over from champion `first` as soon as the file `start` is there."""
    store = open_store(url, deadline_s=120)
    while not Path(start).exists():
        pass
    won = store.swap_champion("screen", expected="first", new=release, promotion=promotion(release, "first"))
    sys.stdout.write(f"{won}\n")


def open_once(url: str, start: str) -> None:
    """Opens the store as soon as the file `start` is there, and adds one record."""
    while not Path(start).exists():
        pass
    open_store(url, deadline_s=120).add(correction())


def migrate_slowly(url: str, known: int) -> None:
    """Brings a store of version `known`, or 0 for none, to one whose last step takes too long to see the end of."""
    endless = (
        "CREATE TABLE slow AS SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range > b.range"
    )
    steps = load_migrations()[: known or None]
    sys.stdout.write("migrating\n")
    sys.stdout.flush()
    open_database(engine_of(url), [*steps, Migration(steps[-1].version + 1, "endless", endless)], deadline_s=30)


def take_lease_forever(url: str) -> None:
    """Takes the lease `night` for a long time and never comes back."""
    open_store(url).lease("night", "a process that dies", ttl_s=3600)
    sys.stdout.write("taken\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    action, *arguments = sys.argv[1:]
    globals()[action](*(int(text) if text.isdigit() else text for text in arguments))
