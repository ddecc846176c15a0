"""What a newcomer and continuous integration begin with is complete and agrees with the code."""

import ast
import re
import signal
import subprocess
import sys
import tomllib

import pytest
from pydantic import AliasChoices

from parcours_xl.settings import Settings
from tests.conftest import KINDS, SLOW, TESTS, kind_of
from tests.fixtures.pages import ROOT, read_files

WANTED = {"OPENAI_API_KEY"}
"""Not required, but without it no brief is written."""

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WORKFLOWS = read_files(".github/workflows", suffixes=(".yml",))


def read_example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(re.findall(r"^([A-Z_]+)=(.+)$", "\n".join(lines), re.MULTILINE))


def required_variables() -> set[str]:
    """The first name of every setting without a default."""
    found = set()
    for name, field in Settings.model_fields.items():
        if field.is_required():
            alias = field.validation_alias
            choices = alias.choices if isinstance(alias, AliasChoices) else [name.upper()]
            found.add(str(choices[0]))
    return found


def test_the_example_of_settings_has_every_required_one() -> None:
    assert set(read_example()) == required_variables() | WANTED


def test_a_service_would_start_with_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in read_example().items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.callback_warning() is None
    assert settings.openai_api_key is not None


def test_compose_reads_the_settings_from_the_file_that_is_an_example_of() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    assert re.findall(r"env_file: (\S+)", compose) == [".env"]
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
    given = set(re.findall(r"\$\{?([A-Z_]+)", compose)) | set(
        re.findall(r"^ +(?:- )?([A-Z][A-Z_]+)[:=]", compose, re.MULTILINE)
    )
    known = {name.upper() for name in Settings.model_fields}
    assert given <= known, "compose.yaml names a setting that is none"


def test_the_image_is_tagged_by_the_version() -> None:
    version = PYPROJECT["project"]["version"]
    compose = (ROOT / "compose.yaml").read_text()
    assert re.findall(r"^  image: (.+)$", compose, re.MULTILINE) == [f"parcours-xl:{version}"]
    assert re.findall(r"VERSION: ([\d.]+)", compose) == [version]
    assert "image.version=$VERSION" in (ROOT / "Dockerfile").read_text()
    assert f"parcours-xl:{version}" in (ROOT / "docs" / "deployment.md").read_text()


def test_the_suite_runs_on_the_oldest_supported_python_and_on_a_newer_one() -> None:
    workflow = WORKFLOWS[".github/workflows/ci.yml"]
    [versions] = re.findall(r"python: \[(.*)\]", workflow)
    oldest, *newer = re.findall(r'"([\d.]+)"', versions)
    assert PYPROJECT["project"]["requires-python"] == f">={oldest}"
    assert newer
    assert "run: .ci/run" in workflow
    assert f"image: python:{newer[-1]}-" in WORKFLOWS[".github/workflows/weekly.yml"]


def test_the_suite_runs_in_random_order_once_a_week() -> None:
    workflow = WORKFLOWS[".github/workflows/weekly.yml"]
    assert re.search(r'cron: "\d+ \d+ \* \* [0-6]"', workflow)
    assert "PYTEST_ADDOPTS: --random-order" in workflow
    assert any("pytest-random-order" in name for name in dev_requirements())


def dev_requirements() -> list[str]:
    requirements: list[str] = PYPROJECT["project"]["optional-dependencies"]["dev"]
    return requirements


def test_dependabot_looks_where_there_is_something() -> None:
    text = (ROOT / ".github" / "dependabot.yml").read_text()
    manifests = {"pip": "pyproject.toml", "npm": "package-lock.json", "github-actions": ".github"}
    updates = re.findall(r'package-ecosystem: (\S+)\n +directory: "/(.*)"', text)
    assert {ecosystem for ecosystem, _ in updates} == set(manifests)
    for ecosystem, folder in updates:
        assert (ROOT / folder / manifests[ecosystem]).exists(), folder
    locked = read_files(".", suffixes=(".json",))
    folders = {path.rpartition("/")[0] for path in locked if path.endswith("package-lock.json")}
    assert {folder for ecosystem, folder in updates if ecosystem == "npm"} == folders


def test_the_template_of_a_pull_request_has_five_lines() -> None:
    template = (ROOT / ".github" / "pull_request_template.md").read_text()
    assert len(template.splitlines()) == 5


def test_contributing_names_targets_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|\$ )make ([a-z-]+)", text))
    assert {"test-fast", "test-browsers", "test"} <= named <= targets


def test_every_folder_of_tests_is_of_one_kind() -> None:
    named = [folder for folders in KINDS.values() for folder in folders]
    assert len(named) == len(set(named))
    assert all((TESTS / name).exists() for name in (*named, *SLOW))
    modules = [path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")]
    assert {kind_of(module) for module in modules} == set(KINDS)
    marks = {
        name.partition(":")[0] for name in PYPROJECT["tool"]["pytest"]["ini_options"]["markers"]
    }
    assert marks == {*KINDS, "slow"}


def test_a_command_can_be_interrupted_where_the_shell_ignores_interrupts() -> None:
    ask = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    told = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import subprocess, sys\n"
            "from tests.conftest import catch_interrupts\n"
            "subprocess.run(sys.argv[1:], check=True)\n"
            "catch_interrupts()\n"
            "subprocess.run(sys.argv[1:], check=True)\n",
            *(sys.executable, "-c", ask),
        ],
        cwd=ROOT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["False", "True"]


def test_commands_hand_clients_on_and_call_none() -> None:
    # The import contracts hold the rest: a client reaches a command only inside its context.
    for name, text in read_files("backend/parcours_xl/cli", suffixes=(".py",)).items():
        called = {
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call)
        }
        assert not [one for one in called if re.search(r"\bclients\.\w+\.", one)], name
