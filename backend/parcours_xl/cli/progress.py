"""How far a long piece of work is, on standard error, where somebody is looking."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


@contextmanager
def show_count(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function that is told how much of all is done."""
    with show_steps() as show:
        yield lambda done, total: show(what, done, total)


@contextmanager
def show_steps() -> Iterator[Callable[[str, int, int], None]]:
    """A function that is told what is done now, and how much of it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    silent = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=silent) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total
        )
