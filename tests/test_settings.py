"""The environment, read once and whole."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices
from pydantic_core import PydanticUndefined

from parcours_xl.settings import Settings, SettingsError, read_settings
from tests.sql.world import LIMITS

DOCS = Path(__file__).parents[1] / "docs" / "settings.md"

WHOLE = {
    "SUPABASE_URL": "https://abc.supabase.co",
    "SUPABASE_ANON_KEY": "an-anon-key",
    "SUPABASE_SERVICE_ROLE_KEY": "a-service-role-key",
    "SUNO_API_KEY": "a-suno-key",
    "CALLBACK_BASE": "https://abc.supabase.co/functions/v1/parcours-xl-callback",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A whole environment, and nothing of the machine's own."""
    for name in os.environ:
        if names_of_fields(name):
            monkeypatch.delenv(name)
    for name, value in WHOLE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def names_of_fields(variable: str) -> list[str]:
    return [field for field in Settings.model_fields if variable in variables_of(field)]


def variables_of(field: str) -> list[str]:
    alias = Settings.model_fields[field].validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [field.upper()]
    return [str(choice) for choice in choices]


def faults() -> list[str]:
    """The lines in which the faults are told."""
    with pytest.raises(SettingsError) as error:
        read_settings()
    first, *lines = str(error.value).splitlines()
    assert first == "the environment is not complete:"
    return lines


def test_the_documented_variables_are_enough() -> None:
    settings = read_settings()
    assert settings.supabase_url == "https://abc.supabase.co"
    assert settings.rest_url == "https://abc.supabase.co/rest/v1"
    assert settings.issuer == "https://abc.supabase.co/auth/v1"
    assert settings.openai_api_key is None
    assert settings.worker_in_process is True


def test_the_defaults_are_the_documented_ones() -> None:
    settings = read_settings()
    assert settings.limits == LIMITS
    assert settings.worker_tick_s == 2.5
    assert settings.storing_pauses_s == (2, 4, 8, 16, 30)
    assert settings.brief_s_max == 15
    assert settings.daily_run_quota == 10
    assert settings.openai_models[0] == "gpt-4o-mini"


def test_everything_that_is_missing_is_named_together(environment: pytest.MonkeyPatch) -> None:
    for name in WHOLE:
        environment.delenv(name)
    assert [line.split(":")[0].strip() for line in faults()] == list(WHOLE)


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_key_is_a_missing_one(environment: pytest.MonkeyPatch, blank: str) -> None:
    environment.setenv("SUNO_API_KEY", blank)
    (fault,) = faults()
    assert fault.startswith("  SUNO_API_KEY: ")


def test_an_empty_variable_is_as_good_as_none(environment: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        for name in variables_of(field):
            if name not in WHOLE:
                environment.setenv(name, "")
    assert read_settings() == Settings.model_validate(
        {name.lower(): value for name, value in WHOLE.items()}
    )


@pytest.mark.parametrize(
    ("legacy", "new", "field"),
    [
        ("SUPABASE_ANON_KEY", "SUPABASE_PUBLISHABLE_KEY", "supabase_anon_key"),
        ("SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY", "supabase_service_role_key"),
    ],
)
@pytest.mark.parametrize("left_empty", [True, False])
def test_the_new_names_of_the_keys_are_as_good(
    environment: pytest.MonkeyPatch, legacy: str, new: str, field: str, left_empty: bool
) -> None:
    environment.setenv(new, "sb_new_key")
    assert getattr(read_settings(), field).get_secret_value() == WHOLE[legacy]
    if left_empty:
        environment.setenv(legacy, "")
    else:
        environment.delenv(legacy)
    assert getattr(read_settings(), field).get_secret_value() == "sb_new_key"


def test_blanks_around_a_value_do_not_count(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SUPABASE_SERVICE_ROLE_KEY", "a-key-from-a-file\n")
    environment.setenv("SUPABASE_URL", " https://abc.supabase.co/ ")
    environment.setenv("OPENAI_MODELS", " one , two,, ")
    environment.setenv("TRACK_HOST_SUFFIXES", ".Suno.AI, api.box.")
    settings = read_settings()
    assert settings.supabase_service_role_key.get_secret_value() == "a-key-from-a-file"
    assert settings.supabase_url == "https://abc.supabase.co"
    assert settings.openai_models == ("one", "two")
    assert settings.track_host_suffixes == ("suno.ai", "api.box")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUPABASE_URL", "abc.supabase.co"),
        ("SUPABASE_URL", "postgres://abc.supabase.co"),
        ("SUPABASE_URL", "https://"),
        ("POSTGREST_URL", "localhost:3000"),
        ("OPENAI_BASE_URL", "nowhere"),
        ("SUNO_API_BASE", "api.sunoapi.org"),
        ("CALLBACK_BASE", "abc"),
        ("CALLBACK_BASE", "https://abc.supabase.co/callback?a=1"),
        ("CALLBACK_BASE", "https://abc.supabase.co/callback#a"),
        ("OPENAI_MODELS", ","),
        ("BRIEF_S_MAX", "0"),
        ("BRIEF_S_MAX", "soon"),
        ("SUNO_TIMEOUT_S", "60"),
        ("SUNO_TIMEOUT_S", "nan"),
        ("SUNO_REQUESTS_MAX", "0"),
        ("SUNO_REQUESTS_MAX", "21"),
        ("SUNO_REQUESTS_MAX", "2.5"),
        ("SUNO_REQUESTS_WINDOW_S", "0"),
        ("RUNNER_ACCESS", "private"),
        ("GENERATE_ACCESS", "anon"),
        ("DAILY_RUN_QUOTA", "0"),
        ("DAILY_RUN_QUOTA", "9999999999"),
        ("ATTEMPTS_AUTOMATIC", "0"),
        ("ATTEMPTS_MAX", "101"),
        ("WORKER_IN_PROCESS", "perhaps"),
        ("WORKER_TICK_S", "-1"),
        ("WORKER_TICK_S", "inf"),
        ("RETRY_PAUSES_S", "2,x"),
        ("RETRY_PAUSES_S", "-1"),
        ("RETRY_PAUSES_S", "nan"),
        ("STORING_PAUSES_S", "1e12"),
        ("STORING_PAUSES_S", ",".join("1" * 21)),
        ("TRANSFERS_MAX", "0"),
        ("STEPS_MAX", "65"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_value_out_of_bounds_is_named(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    (fault,) = faults()
    assert fault.startswith(f"  {name}: ")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"ASK_FIRST_S": "240"}, "ASK_FIRST_S < ASK_COMPLETE_S < GIVE_UP_S"),
        ({"GIVE_UP_S": "200"}, "ASK_FIRST_S < ASK_COMPLETE_S < GIVE_UP_S"),
        ({"ATTEMPTS_AUTOMATIC": "4", "ATTEMPTS_MAX": "3"}, "ATTEMPTS_AUTOMATIC"),
        ({"UNANSWERED_S": "20"}, "UNANSWERED_S must be longer than SUNO_TIMEOUT_S"),
    ],
)
def test_limits_that_contradict_each_other_are_named(
    environment: pytest.MonkeyPatch, changes: dict[str, str], rule: str
) -> None:
    for name, value in changes.items():
        environment.setenv(name, value)
    (fault,) = faults()
    assert rule in fault


def test_a_fault_never_repeats_the_value(environment: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        environment.setenv(variables_of(field)[0], "sb_secret_in_the_wrong_place")
    assert "sb_secret" not in "\n".join(faults())


def test_secrets_never_show(environment: pytest.MonkeyPatch) -> None:
    secrets = {
        "SUPABASE_ANON_KEY": "hidden-1",
        "SUPABASE_SERVICE_ROLE_KEY": "hidden-2",
        "SUPABASE_JWT_SECRET": "hidden-3",
        "OPENAI_API_KEY": "hidden-4",
        "SUNO_API_KEY": "hidden-5",
    }
    for name, value in secrets.items():
        environment.setenv(name, value)
    settings = read_settings()
    for shown in (repr(settings), str(settings), settings.model_dump_json(), f"{settings!r}"):
        assert "hidden" not in shown


@pytest.mark.parametrize(
    ("access", "early", "submits"),
    [
        ("public", "", True),
        ("service_role", "", False),
        ("public", "false", False),
        ("service_role", "true", True),
    ],
)
def test_the_first_segment_is_early_where_the_page_calls_the_runner(
    environment: pytest.MonkeyPatch, access: str, early: str, submits: bool
) -> None:
    environment.setenv("RUNNER_ACCESS", access)
    environment.setenv("FIRST_SEGMENT_EARLY", early)
    assert read_settings().submits_first_early is submits


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_settings().daily_run_quota = 1000  # type: ignore[misc]


@pytest.mark.parametrize(
    ("callback_base", "suno_api_base", "warned"),
    [
        ("https://abc.supabase.co/functions/v1/x", "https://api.sunoapi.org", None),
        ("http://abc.supabase.co/functions/v1/x", "https://api.sunoapi.org", "not https"),
        ("http://localhost:54321/x", "https://api.sunoapi.org", "not https"),
        ("https://localhost:54321/x", "https://api.sunoapi.org", "local"),
        ("https://127.0.0.1/x", "https://api.sunoapi.org", "local"),
        ("https://127.1.2.3/x", "https://api.sunoapi.org", "local"),
        ("https://[::1]/x", "https://api.sunoapi.org", "local"),
        ("http://localhost:54321/x", "http://localhost:8000", None),
        ("http://127.0.0.1:54321/x", "http://127.0.0.1:8000", None),
    ],
)
def test_a_callback_base_that_suno_could_not_reach_is_warned_of(
    environment: pytest.MonkeyPatch, callback_base: str, suno_api_base: str, warned: str | None
) -> None:
    environment.setenv("CALLBACK_BASE", callback_base)
    environment.setenv("SUNO_API_BASE", suno_api_base)
    warning = read_settings().callback_warning()
    assert (warning is None) == (warned is None)
    assert (warned or "") in (warning or "")


def test_every_setting_is_documented_with_its_default() -> None:
    documented = {
        tuple(re.findall(r"`([A-Z_]+)`", variable)): default.strip()
        for variable, default in re.findall(r"^\| (`[A-Z].*?) \| (.*?) \|", DOCS.read_text(), re.M)
    }
    assert documented == {
        tuple(variables_of(name)): shown(field.get_default())
        for name, field in Settings.model_fields.items()
    }


def shown(default: Any) -> str:
    """A default as docs/settings.md writes it."""
    if default is PydanticUndefined:
        return "required"
    if isinstance(default, tuple):
        return ", ".join(map(str, default)) or "none"
    if isinstance(default, bool):
        return str(default).lower()
    return "none" if default is None else str(default)


@pytest.mark.parametrize(
    "key", ["sb_secret_abc", "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmVk"]
)
def test_a_secret_key_is_never_taken_for_everybodys(
    environment: pytest.MonkeyPatch, key: str
) -> None:
    environment.setenv("SUPABASE_ANON_KEY", key)
    [line] = faults()
    assert "is a secret key" in line
    assert key not in line
