"""The rule of safeupdate, which Supabase loads for every API caller: no UPDATE or DELETE of a whole
table. It holds for what functions do, too.

The rule is read from the text: the library is not to be had here.
"""

import re
from typing import Any, Self

import psycopg
from psycopg import errors, sql

COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
TEXT = re.compile(r"'((?:[^']|'')*)'")
# A text that goes on in the next line.
CONTINUED = re.compile(r"'[ \t]*\n\s*'")
TOKEN = re.compile(r"[A-Za-z_]\w*|[();]")
# As in `for update`, `do update`, `before update or delete`, `on delete cascade`.
NOT_A_STATEMENT = frozenset({"for", "do", "before", "after", "or", "of", "key", "on"})


def find_unsafe(source: str) -> list[str]:
    """Each UPDATE or DELETE without WHERE, from its verb on; also in texts that are executed."""
    bare = CONTINUED.sub("", COMMENT.sub(" ", source))
    texts = [text.replace("''", "'") for text in TEXT.findall(bare)]
    unsafe = _find(TEXT.sub("''", bare))
    for text in texts:
        if re.match(r"\s*(update|delete|with)\b", text, re.IGNORECASE):
            unsafe += find_unsafe(text)
    return unsafe


class SafeCursor(psycopg.Cursor[Any]):
    """Refuses what safeupdate refuses, with its SQLSTATE and before the statement is sent."""

    def execute(self, query: Any, *arguments: Any, **options: Any) -> Self:
        text = query.as_string(self) if isinstance(query, sql.Composable) else query
        text = text.decode() if isinstance(text, bytes) else text
        if unsafe := find_unsafe(text):
            verb = unsafe[0].split(maxsplit=1)[0].upper()
            raise errors.CardinalityViolation(f"{verb} requires a WHERE clause")
        return super().execute(query, *arguments, **options)


def _find(bare: str) -> list[str]:
    tokens = list(TOKEN.finditer(bare))
    words = [token.group().lower() for token in tokens]
    return [
        bare[tokens[at].start() : tokens[at].start() + 80]
        for at, word in enumerate(words)
        if word in ("update", "delete")
        and (at == 0 or words[at - 1] not in NOT_A_STATEMENT)
        and at + 1 < len(words)
        and (word == "update" or words[at + 1] == "from")
        and not _has_where(words[at + 1 :])
    ]


def _has_where(words: list[str]) -> bool:
    """Until the statement ends: at a semicolon, or where its own parenthesis closes."""
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth < 0 or word == ";":
            return False
        if depth == 0 and word == "where":
            return True
    return False
