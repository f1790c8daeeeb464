"""One tree of settings: defaults here, then a profile, the home's `nightshift.toml`, the environment, the caller.

A profile is a TOML file under `deployments/profiles/`, named by `NIGHTSHIFT_PROFILE` or `profile = "..."` in the
home's file. Environment variables look like `NIGHTSHIFT_GATE__ALPHA=0.05`.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from core.schema import NightshiftError
from core.settings.access import AccessSettings
from core.settings.bootstrap import BootstrapSettings
from core.settings.console import ConsoleSettings
from core.settings.cron import CronLine
from core.settings.engine import EngineSettings
from core.settings.group_qc import GroupQcSettings
from core.settings.judging import AuditSettings, JudgingSettings, NamedJudgeSettings, PanelSettings
from core.settings.notices import NoticeSettings
from core.settings.reading import ReadingSettings
from core.settings.redaction import RedactionSettings
from core.settings.replay import ReplaySettings
from core.settings.retention import RetentionSettings
from core.settings.review import ReviewSettings
from core.settings.section import Section, address_alone
from core.settings.variants import VariantSettings

__all__ = [
    "GateSettings",
    "LearningSettings",
    "MediaSettings",
    "NightSettings",
    "ReaderSettings",
    "RegistrySettings",
    "ReviewSettings",
    "RewardSettings",
    "RolloutSettings",
    "ServeSettings",
    "Settings",
    "VlmSettings",
    "load_settings",
    "read_toml",
    "resolve_home",
]

LARGEST_ADAPTER_RATE = 0.01
PROFILES = Path(__file__).resolve().parents[2] / "deployments" / "profiles"


class MediaSettings(Section):
    """Bounds that are checked before anything is decoded."""

    max_bytes: int = Field(20_000_000, description="Largest file taken in, in bytes.")
    max_pixels: int = Field(40_000_000, description="Largest picture taken in, in pixels.")
    max_side: int = Field(2560, description="Longer side of the picture that is kept; larger ones are scaled down.")


class RewardSettings(Section):
    """Weights of the reward parts; renormalised over the parts that answered."""

    judge: float = Field(0.5, ge=0)
    exact_verdict: float = Field(0.3, ge=0)
    visual_verifier: float = Field(0.2, ge=0)
    judge_earns: bool = Field(
        True,
        description="Whether the judge's weight is scaled by what it has earned; false to measure what that is worth.",
    )

    @model_validator(mode="after")
    def _something_rewards(self) -> "RewardSettings":
        if self.judge + self.exact_verdict + self.visual_verifier <= 0:
            raise ValueError("all reward weights are 0: training would have nothing to learn from")
        return self


class LearningSettings(Section):
    """The update of one night."""

    steps: int = Field(200, ge=1, description="Optimiser steps of a night.")
    batch_size: int = Field(64, ge=1, description="Examples a step.")
    learning_rate: float = Field(0.2, gt=0, description="Of the policy's own optimiser; 0.2 suits the reader.")
    groups: Literal["exact", "sampled"] = Field("exact", description="All answers by probability, or a sample.")
    group_size: int = Field(5, ge=2, description="Answers sampled an example where groups are sampled.")
    objective: Literal["closed_set", "grpo", "bnpo", "dr_grpo", "dapo"] = Field(
        "closed_set", description="Whole answers by probability, or TRL's loss over the tokens of sampled answers."
    )
    scale_rewards: Literal["none", "group", "batch"] = Field(
        "none", description="Deviation that advantages of a loss over tokens are divided by."
    )
    gradient_weight: float = Field(1.0, ge=0, description="Weight of the policy-gradient term.")
    likelihood_weight: float = Field(1.0, ge=0, description="Weight of the likelihood of people's labels.")
    kl_weight: float = Field(0.1, ge=0, description="Weight of the divergence from the champion.")
    entropy_weight: float = Field(0.01, ge=0, description="Weight of the entropy bonus.")
    entropy: Literal["fixed", "adaptive"] = Field("fixed", description="Whether that weight is moved while training.")
    entropy_share: float = Field(
        0.5, gt=0, le=1, description="Adaptive: share of the champion's measured entropy that is held."
    )
    mismatch_alarm: float = Field(
        0.05, gt=0, description="Nats by which two computations of the same log-probabilities may differ."
    )
    collapse_steps: int = Field(20, ge=1, description="Steps in a row that show a collapse before training stops.")
    collapse_entropy: float = Field(1e-4, ge=0, description="Mean entropy in nats below which answers have none.")
    collapse_share: float = Field(0.995, gt=0.5, le=1, description="Probability of one answer over a whole batch.")
    collapse_zero_variance: float = Field(
        0.99, gt=0, le=1, description="Share of sampled groups without variance at which nothing is learnt."
    )
    importance_exponent: float = Field(0.4, ge=0, le=1, description="How far the bias of priorities is taken out.")
    family_cap: float = Field(3.0, ge=1, description="An example and its variants weigh at most this many examples.")
    application_share: float = Field(0.25, gt=0, le=1, description="Of all draws, what one application gets at most.")
    reviewer_share: float = Field(0.5, gt=0, le=1, description="Of all draws, what one reviewer's words get at most.")
    variants_per_correction: int = Field(10, ge=0)
    replay_depth: int = Field(10_000, ge=1, le=10_000_000, description="Labels that a night draws from at most.")
    semi_online: bool = Field(True, description="Whether words said while a training runs enter it.")
    refresh_steps: int = Field(10, ge=1, description="Steps of a round; words enter between rounds.")
    rollouts: Literal["transformers", "vllm", "vllm_server"] = Field(
        "transformers", description="Free text: what draws completions, the trainer or vLLM."
    )
    rollout_url: str = Field("", description="vllm_server: where it is, up to and with its /v1.")
    rollout_model: str = Field("", description="vllm_server: name it serves the base model by; empty: whatever it is.")
    rollout_key_env: str = Field("", description="vllm_server: environment variable that holds its key, if it has one.")
    rollout_adapters: str = Field("", description="vllm_server: folder that it and the training see by the same path.")
    rollout_timeout_s: float = Field(300.0, gt=0, description="vllm_server: for one group, or for loading an adapter.")
    rollout_memory: float = Field(0.3, gt=0, lt=1, description="vllm: share of the accelerator's memory it may take.")
    sync_steps: int = Field(10, ge=1, description="Free text: steps after which the weights that draw are refreshed.")
    temperature: float = Field(1.0, gt=0, le=2, description="Free text: of drawing; 1 is the policy that is trained.")
    top_p: float = Field(1.0, gt=0, le=1, description="Free text: draw from the likeliest tokens with so much of it.")
    max_new_tokens: int = Field(128, ge=1, le=4096, description="Free text: tokens at which a completion is cut off.")
    checkpoint_steps: int = Field(
        50, ge=1, description="Steps after which a training can be gone on from, should it be killed."
    )
    deadline_s: float = Field(1800.0, gt=0, description="Training is killed after this many seconds.")
    threads: int = Field(2, ge=1, description="CPU threads of the training process.")

    @model_validator(mode="after")
    def _tokens_are_sampled(self) -> "LearningSettings":
        if self.objective != "closed_set" and self.groups == "exact":
            raise ValueError(
                f"objective {self.objective!r} is a loss over the tokens of sampled answers, exact groups have none; "
                'set groups = "sampled"'
            )
        return self

    @model_validator(mode="after")
    def _an_engine_is_one_that_is_asked(self) -> "LearningSettings":
        if self.rollouts != "transformers" and self.objective == "closed_set":
            raise ValueError(
                f"rollouts {self.rollouts!r} would never be asked: objective 'closed_set' scores known answers; set "
                'objective = "dapo" and groups = "sampled" for free text'
            )
        if self.rollouts == "vllm_server" and not self.rollout_url:
            raise ValueError(
                "rollouts 'vllm_server' without rollout_url: nobody would draw; name the server's address, "
                "http://127.0.0.1:8000/v1 say"
            )
        if self.rollouts != "vllm_server" and (self.rollout_url or self.rollout_adapters):
            raise ValueError(
                f"rollout_url and rollout_adapters are of a server, and rollouts is {self.rollouts!r}: the server "
                'would stand idle; set rollouts = "vllm_server"'
            )
        return self

    @field_validator("rollout_url")
    @classmethod
    def _is_an_address_alone(cls, url: str) -> str:
        return address_alone(url, key="learning.rollout_key_env")


class ReaderSettings(Section):
    """The reading student; used where `policy` is "reader"."""

    activities: bool = Field(
        True, description="Whether screens and work are also described by the kinds of activity they resemble."
    )
    adapted_layers: int = Field(
        0, ge=0, le=6, description="Last layers of the text encoder that nights train for descriptions; 0 trains none."
    )


class VlmSettings(Section):
    """The vision-language student; used where `policy` is "vlm"."""

    model: str = Field(
        "Qwen/Qwen2.5-VL-3B-Instruct", description="Folder or hub name of any image-text-to-text model on this machine."
    )
    dtype: Literal["float32", "bfloat16"] = Field(
        "float32", description="Of the frozen weights; an adapter is float32."
    )
    max_pixels: int = Field(1024 * 1024, ge=56 * 56, description="Larger pictures are scaled down for the student.")
    rank: int = Field(16, ge=1, description="Rank of the adapter's matrices.")
    alpha: int = Field(32, ge=1, description="The adapter's share is scaled by alpha / rank.")
    targets: tuple[str, ...] = Field(
        ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        min_length=1,
        description="Linear layers of the language tower that are adapted, by the last part of their names.",
    )
    last_blocks: int = Field(0, ge=0, description="Adapt only so many blocks nearest the answer; 0 adapts all.")


class GateSettings(Section):
    """What a challenger has to show."""

    alpha: float = Field(
        0.05, gt=0, lt=0.5, description="Chance that a challenger that is no better is promoted, over all looks at it."
    )
    harm_alpha: float = Field(0.05, gt=0, lt=0.5, description="Level of all harm checks together.")
    folds: int = Field(5, ge=2, description="Folds of the cross-fitted evidence.")
    golden_share: float = Field(0.2, ge=0, lt=1, description="Share of clusters that are never trained on.")
    latency_ratio: float = Field(1.5, gt=1, description="A challenger this many times slower is refused.")
    memory_ratio: float = Field(1.25, gt=1, description="A challenger whose weights take this much more is refused.")
    hostile_screens: int = Field(12, ge=0, description="Drawn screens with an attack on each that both sides answer.")
    abstain_below: float = Field(0.6, ge=0, le=1, description="A verdict less sure than this counts as an abstention.")
    costly_answer: str = Field("", description="An answer that costs more where it is wrong; empty: none does.")
    costly_times: float = Field(1.0, ge=1, description="How many times as much as any other wrong answer.")
    costly_rate: float = Field(1.0, gt=0, le=1, description="Where it may be given wrongly more often: refused.")
    frozen_at_once: int = Field(3, ge=1, description="Promising challengers that wait for evidence at a time.")
    frozen_nights: int = Field(14, ge=1, description="Nights after which such a challenger is given up.")


class NightSettings(Section):
    """When nights run."""

    schedule: CronLine = Field("0 2 * * *", description="Cron expression of the nightly run, local time.")
    after_corrections: int = Field(100, ge=1, description="A night also starts after this many new corrections.")
    lease_s: float = Field(120.0, gt=0, description="How long a silent night keeps the lease.")


class RegistrySettings(Section):
    """How long releases are kept, and where else. A token stands in the environment (HF_TOKEN), never here."""

    retention_days: float = Field(30.0, ge=0, description="A former champion is kept this long after it served.")
    hub: str = Field(
        "", description="Repository on the Hugging Face Hub, OWNER/NAME; {environment} in it is filled in; empty: none."
    )
    private: bool = Field(True, description="Whether a repository that is made is private.")
    hub_dataset: str = Field(
        "", description="Dataset repository that versions are kept in, named in the same way; empty: none."
    )
    licence: str = Field("other", description="Licence that the model card names, as the Hub spells it.")

    def hub_of(self, environment: str) -> str:
        """The repository of an environment's releases, which no other's may stand in; empty where none is set."""
        return self.hub.replace("{environment}", environment)

    def hub_dataset_of(self, environment: str) -> str:
        """The repository of an environment's dataset versions; empty where none is set."""
        return self.hub_dataset.replace("{environment}", environment)


class RolloutSettings(Section):
    """What stands between a decision that promotes and the promotion; every step is left out by default."""

    shadow_share: float = Field(0.0, ge=0, le=1, description="Share of live screens answered in silence; 0: no step.")
    shadow_answers: int = Field(200, ge=1, description="Silent answers after which that step is over.")
    shadow_agreement: float = Field(0.5, ge=0, le=1, description="A challenger that agrees less often is rejected.")
    approval: bool = Field(False, description="Whether a person has to approve.")
    approval_hours: float = Field(24.0, gt=0, description="Without an answer by then, the challenger is rejected.")
    canary_share: float = Field(0.0, ge=0, lt=1, description="Share of live screens it answers; 0: no step.")
    canary_answers: int = Field(500, ge=1, description="Such answers after which it becomes champion.")
    canary_alpha: float = Field(0.05, gt=0, lt=0.5, description="Chance of reverting one that is no worse.")


class ServeSettings(Section):
    """Where the doors are."""

    host: str = "127.0.0.1"
    port: int = 7860
    prefect_port: int = 4200


def _one_text(judge: object) -> object:
    several = isinstance(judge, list | tuple) and all(isinstance(each, str) for each in judge)
    return ",".join(judge) if several else judge  # type: ignore[arg-type]


class Settings(BaseSettings):
    """Everything one installation can be told."""

    model_config = SettingsConfigDict(env_prefix="NIGHTSHIFT_", env_nested_delimiter="__", extra="forbid", frozen=True)

    home: Path
    profile: str = "cpu"
    store: str = Field("", description="Store URL, a file or a lake; by default duckdb:///<home>/nightshift.duckdb.")
    blobs: str = Field("", description="Blob store URL for fsspec; by default <home>/blobs.")
    cache: Path | None = Field(None, description="Folder of readings that can be made again; <home>/cache.")
    environments: tuple[str, ...] = Field(("screen",), min_length=1, description="What is served and learnt.")
    policy: str = "reader"
    judge: Annotated[str, BeforeValidator(_one_text)] = Field(
        "reading", description="The teacher; several, as a list or set off by commas, are a panel."
    )
    judging: JudgingSettings = JudgingSettings()
    judges: dict[str, NamedJudgeSettings] = {}
    panel: PanelSettings = PanelSettings()
    audits: AuditSettings = AuditSettings()
    bootstrap: BootstrapSettings = BootstrapSettings()
    reading: ReadingSettings = ReadingSettings()
    reader: ReaderSettings = ReaderSettings()
    vlm: VlmSettings = VlmSettings()
    group_qc: GroupQcSettings = GroupQcSettings()
    media: MediaSettings = MediaSettings()
    redaction: RedactionSettings = RedactionSettings()
    review: ReviewSettings = ReviewSettings()
    reward: RewardSettings = RewardSettings()
    learning: LearningSettings = LearningSettings()
    replay: ReplaySettings = ReplaySettings()
    variants: VariantSettings = VariantSettings()
    gate: GateSettings = GateSettings()
    night: NightSettings = NightSettings()
    registry: RegistrySettings = RegistrySettings()
    retention: RetentionSettings = RetentionSettings()
    rollout: RolloutSettings = RolloutSettings()
    serve: ServeSettings = ServeSettings()
    access: AccessSettings = AccessSettings()
    console: ConsoleSettings = ConsoleSettings()
    engine: EngineSettings = EngineSettings()
    notices: NoticeSettings = NoticeSettings()

    @model_validator(mode="after")
    def _learns_at_a_rate_that_suits_the_student(self) -> "Settings":
        if self.policy == "vlm" and self.learning.learning_rate > LARGEST_ADAPTER_RATE:
            raise ValueError(
                f"learning.learning_rate {self.learning.learning_rate} suits the reader and would wreck the adapter "
                f"of policy 'vlm' in a few steps; take 0.0001, and at most {LARGEST_ADAPTER_RATE}"
            )
        return self

    @model_validator(mode="after")
    def _pictures_stay_where_text_does(self) -> "Settings":
        looks = [f"policy {self.policy!r}"] if self.policy == "vlm" else []
        looks += [f"judge {name!r}" for name in self.judge_names if name != "reading"]
        if self.reading.privacy == "ui_text" and looks:
            raise ValueError(
                f"reading.privacy 'ui_text' keeps all but titles and the text of the user interface to itself, and "
                f"{looks[0]} looks at whole pictures; take policy 'reader' with judge 'reading', or privacy 'full'"
            )
        return self

    @property
    def judge_names(self) -> tuple[str, ...]:
        """The judges that `judge` names: one, or the members of a panel."""
        return tuple(name for each in self.judge.split(",") if (name := each.strip()))

    @property
    def store_url(self) -> str:
        return self.store or f"duckdb:///{self.home / 'nightshift.duckdb'}"

    @property
    def blobs_url(self) -> str:
        return self.blobs or str(self.home / "blobs")

    @property
    def cache_dir(self) -> Path:
        return self.cache or self.home / "cache"

    @property
    def registry_dir(self) -> Path:
        return self.home / "registry"

    @property
    def watch_dir(self) -> Path:
        return self.home / "watch"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load_settings` has put the environment between the files and the caller already.
        return (init_settings,)


def resolve_home(home: Path | None) -> Path:
    """`home`, else `NIGHTSHIFT_HOME`, else `./.nightshift`; absolute."""
    return (home or Path(os.environ.get("NIGHTSHIFT_HOME") or ".nightshift")).expanduser().resolve()


def load_settings(home: Path | None = None, *, own: dict[str, Any] | None = None, **overrides: Any) -> Settings:
    """Settings of the installation at `home`, where `overrides` win; with `own`, as if that stood in the home's file.

    Raises NightshiftError naming a wrong field.
    """
    home = resolve_home(home)
    own = read_toml(home / "nightshift.toml") if own is None else own
    profile = overrides.get("profile") or os.environ.get("NIGHTSHIFT_PROFILE") or own.get("profile", "cpu")
    profile_file = PROFILES / f"{profile}.toml"
    if not profile_file.exists() and profile != "cpu":
        known = ", ".join(sorted(p.stem for p in PROFILES.glob("*.toml")))
        raise NightshiftError(f"no profile {profile!r}; there are: {known}")
    values: dict[str, Any] = {}
    for over in (read_toml(profile_file), own, _environment(), overrides):
        values = _merge(values, over)
    try:
        return Settings(**{**values, "home": home, "profile": profile})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise NightshiftError(f"setting {field!r}: {first['msg']} (got {first['input']!r})") from error


def _environment() -> dict[str, Any]:
    try:
        return EnvSettingsSource(Settings)()
    except SettingsError as error:
        raise NightshiftError(f"the environment variables NIGHTSHIFT_*: {error}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """What stands in a file, nothing where there is none. Raises NightshiftError for one that is no TOML."""
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NightshiftError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise NightshiftError(f"{path} cannot be read: {error.strerror}") from error


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both_tables = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both_tables else value
    return merged
