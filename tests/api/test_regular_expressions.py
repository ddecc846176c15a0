"""No text from outside can make a regular expression slow: twice the text, about twice the time."""

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import parcours_xl
from parcours_xl.domain.emotion import parse_emotion_state
from parcours_xl.logging import Secrets, hide_tokens

PACKAGE = Path(parcours_xl.__file__).parent
EXAMPLES = 15
GROWTH_MAX = 2.5
CHARS = 16_384
SLOW_S = 0.01
"""A quadratic expression takes longer for CHARS: what is quicker need not be compared."""
MEASUREMENTS, TRIES = 3, 4
USES = ("search", "fullmatch", "match", "sub", "split", "findall")
QUICK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

Attack = tuple[str, str, str]


@dataclass(frozen=True)
class Expression:
    """uses: the methods of the compiled pattern that the product calls."""

    pattern: re.Pattern[str]
    uses: tuple[str, ...]


def module_patterns() -> Iterator[tuple[str, Expression]]:
    """Every compiled expression of a module of the product, wherever it is kept."""
    for info in pkgutil.walk_packages([str(PACKAGE)], "parcours_xl."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        source = Path(str(module.__file__)).read_text()
        for name, value in vars(module).items():
            used = tuple(use for use in USES if f"{name}.{use}(" in source)
            for key, pattern in _patterns_in(value):
                known = f"{info.name.removeprefix('parcours_xl.')}.{name}{key}"
                yield known, Expression(pattern, used or ("search",))


def _patterns_in(value: object) -> Iterator[tuple[str, re.Pattern[str]]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield "", value
    elif isinstance(value, Mapping):
        for key, inner in list(value.items()):
            if isinstance(inner, re.Pattern):
                yield f"[{key}]", inner


def inline_patterns() -> Iterator[tuple[str, Expression]]:
    """Every expression that is written where it is used."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr not in ("compile", "escape")
                and isinstance(node.args[0], ast.Constant | ast.JoinedStr)
            ):
                name = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                pattern = re.compile(_text_of(node.args[0]), re.IGNORECASE)
                yield name, Expression(pattern, (node.func.attr,))


def _text_of(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    # What is put in is a choice of words.
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "word" for part in node.values
    )


EXPRESSIONS = dict([*module_patterns(), *inline_patterns()])


def pieces(pattern: re.Pattern[str]) -> list[str]:
    """What texts against an expression are made of: its own words, and what stands between."""
    plain = re.sub(r"\\[a-zA-Z]|\(\?[^:)]*[:)]|\{[\d,]*\}", " ", pattern.pattern)
    words = set(re.findall(r"[\w'/:@.-]+", plain))
    return sorted(words | set("aA0 \t\n.-_=&?,;:/é\u0301"))


def run(expression: Expression, use: str) -> Callable[[str], object]:
    """What uses an expression as the product does."""
    method: Any = getattr(expression.pattern, use)
    return (lambda text: method("", text)) if use == "sub" else method


def attacks(pattern: re.Pattern[str]) -> st.SearchStrategy[Attack]:
    """Texts with a beginning, something repeated, and an end that may make it all fail."""
    some = st.lists(st.sampled_from(pieces(pattern)), min_size=1, max_size=4).map("".join)
    return st.tuples(some | st.just(""), some, some | st.just("") | st.just("!"))


def least_time(do: Callable[[], object]) -> float:
    """The least processor time of several: whatever else the machine does only adds to it."""
    least = float("inf")
    for _ in range(MEASUREMENTS):
        began = time.thread_time()
        do()
        least = min(least, time.thread_time() - began)
    return least


def grows_too_fast(do: Callable[[str], object], attack: Attack, chars: int = CHARS) -> bool:
    """Whether twice the text takes more than GROWTH_MAX times as long, again and again."""

    def text(length: int) -> str:
        before, pump, after = attack
        return before + pump * (length // len(pump)) + after

    whole, half = text(chars), text(chars // 2)
    began = time.thread_time()
    do(whole)
    if time.thread_time() - began < SLOW_S:
        return False
    return all(
        least_time(lambda: do(whole)) > GROWTH_MAX * least_time(lambda: do(half))
        for _ in range(TRIES)
    )


@pytest.mark.parametrize("name", sorted(EXPRESSIONS))
def test_an_expression_takes_linear_time(name: str) -> None:
    expression = EXPRESSIONS[name]

    @QUICK
    @given(attacks(expression.pattern), st.sampled_from(expression.uses))
    def is_linear(attack: Attack, use: str) -> None:
        assert not grows_too_fast(run(expression, use), attack)

    is_linear()


def test_a_quadratic_expression_would_be_found() -> None:
    quadratic = re.compile(r"\beyJ[\w-]{8,}\.[\w-]+")
    assert grows_too_fast(quadratic.search, ("", "-eyJ", ""), 6_000)


@pytest.mark.parametrize(
    "pump",
    ["-eyJ", "eyJ", "?token=", "Bearer ", "Bearer", "sk-", "sb_secret_", "&key=a", "\t", "."],
)
def test_hiding_tokens_takes_linear_time(pump: str) -> None:
    assert not grows_too_fast(hide_tokens, ("x", pump, ""), CHARS * 4)


@pytest.mark.parametrize(
    "pump", ["\u0301\u0323", "\u0323\u0301", "\u0315\u0300\u0345", "e\u0301", "a-"]
)
def test_a_feeling_of_combining_marks_takes_linear_time(pump: str) -> None:
    def read(text: str) -> None:
        for value in (text, {"emotion": text}):
            with pytest.raises(ValueError, match="emotion"):
                parse_emotion_state(value)

    assert not grows_too_fast(read, ("a", pump, ""))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("key eyJhbGciOiJIUzI1NiIs.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl!", "key [hidden]!"),
        ("key eyJhbGciOiJIUzI1NiIs", "key [hidden]"),
        ("Eyjafjallajökull and eyJ", "Eyjafjallajökull and eyJ"),
        ("Bearer abcdefghij, then", "Bearer [hidden], then"),
        ("https://x/y?token=abc&download=", "https://x/y?token=[hidden]&download="),
        ("sb_secret_abc sk-proj-abcdefgh sk-short", "[hidden] [hidden] sk-short"),
    ],
)
def test_what_opens_something_is_hidden_and_nothing_else(text: str, told: str) -> None:
    assert hide_tokens(text) == told


@given(st.text("ab"), st.text("ab"), st.integers(0, 60))
def test_a_text_is_cut_without_leaving_half_a_secret(before: str, after: str, chars: int) -> None:
    secret = "s3cret-s3cret-s3cret"
    secrets = Secrets([secret])
    told = secrets.hide(secrets.cut(before + secret + after, chars))
    assert len(told) <= max(chars, len(before) + len("[hidden]") + len(after))
    assert "s3c" not in told
