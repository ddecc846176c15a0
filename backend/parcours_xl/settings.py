"""The environment, read once and whole. What is missing or wrong is named all together."""

import base64
import json
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from parcours_xl.domain import durations

SUNO_CREDITS_A_SEGMENT, SEGMENTS_MAX = 12, 4

FAILED_AGE_S = 86_400
"""Whoever's run failed longer ago has stopped waiting: it is not made again by itself."""

RESTORE_PAUSE_S = 3600
"""A track that could not be stored is left alone for so long."""

ALERT_ERRORS_SHARE_MAX = 0.10
ALERT_SLOW_SHARE_MAX = 0.20
ALERT_TIMEOUTS_SHARE_MAX = 0.50
ALERT_ASKED_SHARE_MAX = 0.50
ALERT_BRIEFS_CURATED_SHARE_MAX = 0.20
"""Above these shares an alert fires (docs/runbook.md#alerts)."""

GOAL_HEARD_SHARE_MIN = 0.95
GOAL_ERRORS_SHARE_MAX = 0.05
GOAL_TIMEOUTS_SHARE_MAX = 0.05
"""What the rollout gate asks for, and what the report shows as good: stricter than an alert."""

MAINTENANCE_MISSED_MAX = 3
"""After so many rounds that no worker did, the doctor says so."""
OUTAGE_LOOKS_MIN = 2
"""So many rounds without an answer of Supabase are an outage, not a momentary error."""

Seconds = Annotated[float, Field(gt=0, le=86400)]


class Targets(BaseSettings):
    """The figures of the report, the alerts and the doctor. All times in seconds."""

    # docs/specification.md#targets
    ttfp_target_s: Seconds = 40
    ttfc_target_s: Seconds = 180
    ready_target_s: Seconds = 1440

    # docs/specification.md#alerts
    ttfc_alert_s: Seconds = 300
    runner_timeout_s: Seconds = 1800
    old_job_s: Seconds = 600
    runs_daily_max: Annotated[int, Field(ge=1)] | None = None
    suno_credits_daily_max: Annotated[int, Field(ge=SUNO_CREDITS_A_SEGMENT)] | None = None
    credits_min: Annotated[int, Field(ge=0)] = SUNO_CREDITS_A_SEGMENT * SEGMENTS_MAX
    alert_window_s: Annotated[float, Field(gt=0, le=604800)] = 3600
    alert_recent_s: Annotated[float, Field(gt=0, le=3600)] = 300
    alert_samples_min: Annotated[int, Field(ge=1)] = 3
    alert_webhook_url: SecretStr | None = None
    metrics_token: SecretStr | None = None

    # docs/specification.md#rollout
    gate_ttfp_s: Seconds = 45
    gate_runs_min: Annotated[int, Field(ge=1)] = 20

    # docs/specification.md#runbook-sql
    stuck_s: Seconds = 300
    maintenance_every_s: Seconds = 60

    # docs/specification.md#events-table
    events_days: Annotated[int, Field(ge=7, le=3650)] = 90

    # docs/specification.md#reserve
    reserve_per_preset: Annotated[int, Field(ge=0, le=50)] = 0
    reserve_days: Annotated[float, Field(gt=0, le=3650)] = 30
    reserve_quota_share: Annotated[float, Field(gt=0, lt=1)] = 0.25

    @property
    def targets(self) -> dict[str, Any]:
        """What the SQL functions of the report compare with."""
        return {
            "ttfp_s": self.ttfp_target_s,
            "ttfc_s": self.ttfc_target_s,
            "ready_s": self.ready_target_s,
            "ttfc_alert_s": self.ttfc_alert_s,
            "runner_timeout_s": self.runner_timeout_s,
        }


SUNO_REQUEST_S_MAX = 60
"""After so many seconds a request to Suno that nobody closed counts as over."""

DRAIN_S = 20
"""How long requests under way may still be answered after SIGTERM, unless set otherwise."""

OWNER_WAITS_S_MAX = 3600
"""Whoever asked for a run longer ago is not waiting for it: it is not tried again by itself."""

PLACE_MARGIN_S = 45
"""A create that takes so many seconds more than its brief has died: its place is free again."""

SegmentSeconds = Annotated[int, Field(ge=5, le=600)]
JourneySeconds = Annotated[int, Field(ge=15, le=2400)]
CALLBACK = "parcours-xl-callback"
KIE_API_BASE = "https://api.kie.ai"
UNKNOWN = "unknown"
"""What stands for a key that an operator's command can do without."""

Access = Literal["public", "service_role"]


class SettingsError(ValueError):
    """The environment does not describe a service. The message names every fault."""


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _address(value: str) -> str:
    try:
        HttpUrl(value)
    except ValidationError:
        raise ValueError("must be the address of a server, https://…") from None
    return value.rstrip("/")


def _bare_address(value: str) -> str:
    parts = urlsplit(_address(value))
    if parts.query or parts.fragment:
        raise ValueError("must have neither a query nor a fragment")
    return _address(value)


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Pauses = Annotated[
    tuple[Annotated[float, Field(ge=0, le=86400)], ...],
    Field(max_length=20),
    NoDecode,
    BeforeValidator(_split),
]


class Settings(Targets):
    """Everything that differs between deployments (docs/settings.md)."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        # `SUPABASE_JWT_SECRET=` in a file of variables means that there is none.
        env_ignore_empty=True,
        str_strip_whitespace=True,
    )

    # Supabase. Legacy JWT keys and new sb_publishable_/sb_secret_ keys both work.
    supabase_url: str
    supabase_anon_key: SecretStr = Field(
        validation_alias=AliasChoices("SUPABASE_ANON_KEY", "SUPABASE_PUBLISHABLE_KEY"), min_length=1
    )
    supabase_service_role_key: SecretStr = Field(
        validation_alias=AliasChoices("SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"),
        min_length=1,
    )
    supabase_jwt_secret: SecretStr | None = None
    supabase_jwt_issuer: str | None = None
    postgrest_url: str | None = None

    # OpenAI. Without a key every brief is the preset's own.
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_models: Names = ("gpt-4o-mini", "gpt-6-luna")
    brief_s_max: Seconds = 15

    # Suno, through one of two resellers: the same shapes, other codes
    suno_vendor: Literal["sunoapi", "kie"] = "sunoapi"
    suno_api_key: SecretStr = Field(min_length=1)
    suno_api_base: str = "https://api.sunoapi.org"
    suno_model: str = "V5_5"
    suno_timeout_s: Annotated[float, Field(gt=0, lt=SUNO_REQUEST_S_MAX)] = 20
    suno_requests_max: Annotated[int, Field(ge=1, le=20)] = 20
    suno_requests_window_s: Annotated[float, Field(ge=0.1, le=60)] = 10
    suno_questions_share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    callback_base: str
    track_host_suffixes: Names = (
        "suno.ai",
        "suno.com",
        "api.box",
        "removeai.ai",
        "aiquickdraw.com",
        "erweima.ai",
        "sunoapi.org",
    )
    track_hosts_exact: Names = ()

    # Who may, and how much
    cors_origins: Names = ("*",)
    runner_access: Access = "public"
    generate_access: Access = "public"
    first_segment_early: bool | None = None
    rollout: Literal["all", "flags"] = "all"
    daily_run_quota: Annotated[int, Field(ge=1, le=10_000)] = 10
    attempts_automatic: Annotated[int, Field(ge=1, le=8)] = 3
    attempts_max: Annotated[int, Field(ge=1, le=100)] = 8
    questions_max: Annotated[int, Field(ge=4, le=100)] = 8

    # Connections, and stopping
    connections_per_client_max: Annotated[int, Field(ge=1, le=100_000)] = 200
    connections_max: Annotated[int, Field(ge=1, le=100_000)] | None = None
    drain_s: Annotated[float, Field(ge=0, le=600)] = DRAIN_S

    # How long the music is (docs/specification.md#journey-lengths)
    segment_s_min: SegmentSeconds = durations.SEGMENT_S_MIN
    segment_s_max: SegmentSeconds = durations.SEGMENT_S_MAX
    journey_s_min: JourneySeconds = durations.JOURNEY_S_MIN
    journey_s_max: JourneySeconds = durations.JOURNEY_S_MAX

    # The player
    public_url: str | None = None
    realtime: bool = False
    crossfade_s: Annotated[float, Field(ge=0.5, le=12)] = 4

    # Timings (docs/specification.md#timings)
    worker_in_process: bool = True
    worker_tick_s: Seconds = 2.5
    retry_pauses_s: Pauses = (2, 4, 6)
    retry_later_pauses_s: Pauses = (60, 300, 900)
    ask_first_s: Seconds = 90
    ask_complete_s: Seconds = 240
    give_up_s: Seconds = 300
    unanswered_s: Seconds = 90
    storing_pauses_s: Pauses = (2, 4, 8, 16, 30)
    transfers_max: Annotated[int, Field(ge=1, le=64)] = 4
    steps_max: Annotated[int, Field(ge=1, le=64)] = 8

    log_format: Literal["console", "json"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otel_exporter_otlp_endpoint: Annotated[str, Field(pattern=r"^https?://[^\s/]+")] | None = None

    @model_validator(mode="after")
    def _address_of_the_vendor(self) -> Self:
        if self.suno_vendor == "kie" and "suno_api_base" not in self.model_fields_set:
            object.__setattr__(self, "suno_api_base", KIE_API_BASE)  # settings are frozen
        return self

    @field_validator(
        "supabase_url", "postgrest_url", "openai_base_url", "suno_api_base", "public_url"
    )
    @classmethod
    def _addresses(cls, value: str | None) -> str | None:
        return value and _address(value)

    @field_validator("supabase_anon_key")
    @classmethod
    def _for_everybody(cls, value: SecretStr) -> SecretStr:
        # The page hands this key to every browser.
        if key_role(value.get_secret_value()) == "service_role":
            raise ValueError("is a secret key; the anon or publishable key is meant")
        return value

    @field_validator("callback_base")
    @classmethod
    def _callback_address(cls, value: str) -> str:
        return _bare_address(value)

    @field_validator("openai_models")
    @classmethod
    def _some_model(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("must name at least one model")
        return value

    @field_validator("track_host_suffixes", "track_hosts_exact")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(host.lower().strip(".") for host in value)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.ask_first_s < self.ask_complete_s < self.give_up_s:
            raise ValueError("ASK_FIRST_S < ASK_COMPLETE_S < GIVE_UP_S must hold")
        if self.attempts_automatic > self.attempts_max:
            raise ValueError("ATTEMPTS_AUTOMATIC must not exceed ATTEMPTS_MAX")
        if self.unanswered_s <= self.suno_timeout_s:
            raise ValueError("UNANSWERED_S must be longer than SUNO_TIMEOUT_S")
        _ = self.bounds
        return self

    @property
    def bounds(self) -> durations.Bounds:
        """How short and how long a segment and a whole journey may be. ValueError says why not."""
        return durations.Bounds(
            self.segment_s_min, self.segment_s_max, self.journey_s_min, self.journey_s_max
        )

    @property
    def submits_first_early(self) -> bool:
        """Whether create submits the first segment itself.

        Unless set: where the page calls the runner. Where only the service role may, somebody else
        decides when music is bought.
        """
        if self.first_segment_early is not None:
            return self.first_segment_early
        return self.runner_access == "public"

    @cached_property
    def rest_url(self) -> str:
        """Where PostgREST is: through the project's one origin unless named."""
        return self.postgrest_url or f"{self.supabase_url}/rest/v1"

    @cached_property
    def functions_url(self) -> str:
        """Where the service's functions answer, as Suno is told: beside the callback."""
        beside, _, name = self.callback_base.rpartition("/")
        return beside if name == CALLBACK else f"{self.supabase_url}/functions/v1"

    @property
    def issuer(self) -> str:
        """Who must have signed a user's token."""
        return self.supabase_jwt_issuer or f"{self.supabase_url}/auth/v1"

    @cached_property
    def limits(self) -> dict[str, Any]:
        """The timings and bounds that the SQL functions work with (parcours.limits)."""
        return {
            "first_s": self.ask_first_s,
            "complete_s": self.ask_complete_s,
            "give_up_s": self.give_up_s,
            "unanswered_s": self.unanswered_s,
            "retry_s": list(self.retry_pauses_s),
            "retry_later_s": list(self.retry_later_pauses_s),
            "waits_s": OWNER_WAITS_S_MAX,
            "attempts_automatic": self.attempts_automatic,
            "attempts_max": self.attempts_max,
            "requests_max": self.suno_requests_max,
            "requests_window_s": self.suno_requests_window_s,
            "request_s_max": SUNO_REQUEST_S_MAX,
            "questions_max": self.questions_max,
            "questions_share": self.suno_questions_share,
            "credits_a_segment": SUNO_CREDITS_A_SEGMENT,
            "credits_daily_max": self.suno_credits_daily_max,
            "stuck_s": self.stuck_s,
            "restore_pause_s": RESTORE_PAUSE_S,
            "failed_age_s": FAILED_AGE_S,
        }

    @cached_property
    def quotas(self) -> dict[str, Any]:
        """What a create is held to."""
        return {
            "runs_daily_user": self.daily_run_quota,
            "runs_daily_max": self.runs_daily_max,
            "credits_a_segment": SUNO_CREDITS_A_SEGMENT,
            "credits_daily_max": self.suno_credits_daily_max,
            "place_s": self.brief_s_max + PLACE_MARGIN_S,
        }

    @property
    def secrets(self) -> list[str]:
        """Every secret there is, for whoever must not repeat one."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]

    def callback_warning(self) -> str | None:
        """Why Suno could not call back, if so. A local Suno reaches everything local."""
        base, suno = urlsplit(self.callback_base), urlsplit(self.suno_api_base)
        if _is_local(suno.hostname):
            return None
        if base.scheme != "https":
            return "CALLBACK_BASE is not https: Suno cannot call back"
        if _is_local(base.hostname):
            return "CALLBACK_BASE is local to this machine: Suno cannot call back"
        return None


def key_role(key: str) -> str | None:
    """What a Supabase key stands for: 'anon' or 'service_role'; None for what is no such key.

    sb_publishable_… and sb_secret_… say so by their name, an older key is a JWT with a role.
    """
    if key.startswith("sb_publishable_"):
        return "anon"
    if key.startswith("sb_secret_"):
        return "service_role"
    claims = key.partition(".")[2].partition(".")[0]
    try:
        read = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except ValueError:
        return None
    return read.get("role") if isinstance(read, dict) else None


class OperatorSettings(Settings):
    """What an operator's command needs: the address and the service key; the rest if it is there.

    The doctor says what is missing for the service itself.
    """

    supabase_anon_key: SecretStr = Field(
        SecretStr(UNKNOWN),
        validation_alias=AliasChoices("SUPABASE_ANON_KEY", "SUPABASE_PUBLISHABLE_KEY"),
    )
    suno_api_key: SecretStr = SecretStr(UNKNOWN)
    callback_base: str = ""

    @field_validator("callback_base")
    @classmethod
    def _callback_address(cls, value: str) -> str:
        return value and _bare_address(value)

    @property
    def has_suno_key(self) -> bool:
        return self.suno_api_key.get_secret_value() != UNKNOWN


def _is_local(host: str | None) -> bool:
    return host is None or host in ("localhost", "::1") or host.startswith("127.")


AnySettings = TypeVar("AnySettings", bound=Settings)


def read_settings(**overrides: Any) -> Settings:
    """The environment's settings. SettingsError names everything that is missing or wrong."""
    return _read(Settings, overrides)


def read_operator_settings(**overrides: Any) -> OperatorSettings:
    """As far as an operator's command needs them. SettingsError as above."""
    return _read(OperatorSettings, overrides)


def _read(kind: type[AnySettings], overrides: dict[str, Any]) -> AnySettings:
    try:
        return kind(**overrides)
    except ValidationError as error:
        faults = "\n".join(f"  {_name(fault)}: {fault['msg']}" for fault in error.errors())
        raise SettingsError(f"the environment is not complete:\n{faults}") from None


def _name(fault: Any) -> str:
    return str(fault["loc"][0]).upper() if fault["loc"] else "settings"
