"""The library of presets: one file for each in `presets/`, named by its key."""

import re
import tomllib
from functools import cache
from importlib.resources import files

from parcours_xl.domain.preset import Preset

__all__ = ["Preset", "UnknownPreset", "all_presets", "find_preset"]

_NUMBER = re.compile(r"^[0-9]{2}-")


class UnknownPreset(ValueError):
    """No preset has this key. `keys` lists those that exist, in their canonical form."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__("unknown preset; choose one of " + ", ".join(keys))
        self.keys = keys


@cache
def all_presets() -> tuple[Preset, ...]:
    """Every preset, in the order of their numbers. Read and checked once."""
    folder = files("parcours_xl.domain") / "presets"
    sheets = sorted(
        (sheet for sheet in folder.iterdir() if sheet.name.endswith(".toml")),
        key=lambda sheet: sheet.name,
    )
    presets = tuple(
        Preset.model_validate(tomllib.loads(sheet.read_text("utf-8"))) for sheet in sheets
    )
    for sheet, preset in zip(sheets, presets, strict=True):
        assert sheet.name == f"{preset.key}.toml", f"{sheet.name} holds {preset.key}"
    return presets


def find_preset(key: str) -> Preset:
    """The preset of a key, numbered or not: "01-panique-anxiete" or "panique-anxiete".

    UnknownPreset when there is none.
    """
    for preset in all_presets():
        if key == preset.key or (not _NUMBER.match(key) and key == preset.slug):
            return preset
    raise UnknownPreset(tuple(preset.key for preset in all_presets()))
