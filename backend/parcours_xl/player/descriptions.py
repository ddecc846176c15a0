"""`/config.json` and `/presets.json`: what the page reads first (web/app/contracts.ts)."""

from typing import Any

from parcours_xl.domain import durations
from parcours_xl.domain.groups import GROUP_NAMES
from parcours_xl.domain.preset import Preset
from parcours_xl.domain.presets import all_presets
from parcours_xl.player.policy import media_hosts
from parcours_xl.settings import Settings

CARRIED_SHARE, PIECE_SHARE = 20 / durations.SEGMENT_S_MIN, 30 / durations.SEGMENT_S_MIN
"""Of the shortest segment: how long a piece is at least carried on, and worth beginning late."""


def describe_service(settings: Settings, bed_url: str, bed_start_url: str | None) -> dict[str, Any]:
    """Where Supabase is, and the bounds of the music. Nothing in it is secret."""
    return {
        "supabaseUrl": settings.supabase_url,
        "functionsUrl": functions_url(settings),
        "publishableKey": settings.supabase_anon_key.get_secret_value(),
        "realtime": settings.realtime,
        "mediaHosts": media_hosts(settings),
        "bedUrl": bed_url,
        "bedStartUrl": bed_start_url,
        "settings": {
            "journeySecondsMin": settings.journey_s_min,
            "journeySecondsMax": settings.journey_s_max,
            "carriedSecondsMin": settings.segment_s_min * CARRIED_SHARE,
            "pieceSecondsMin": settings.segment_s_min * PIECE_SHARE,
            "crossfadeSeconds": settings.crossfade_s,
        },
    }


def functions_url(settings: Settings) -> str:
    """Where the page calls the functions: here, as the browser that reads the page sees it.

    Not at the project: without forwarders it has no such functions (docs/deployment.md).
    """
    return f"{settings.public_url}/functions/v1" if settings.public_url else "functions/v1"


def describe_presets() -> list[dict[str, Any]]:
    """The twenty presets as cards show them, in the order in which they are offered."""
    return [_describe(preset) for preset in all_presets()]


def _describe(preset: Preset) -> dict[str, Any]:
    return {
        "key": preset.key,
        "slug": preset.slug,
        "group": preset.group.value,
        "groupName": GROUP_NAMES[preset.group].model_dump(),
        "title": preset.title.model_dump(),
        "from": preset.from_feeling.model_dump(),
        "to": preset.to_feeling.model_dump(),
        "minutes": preset.minutes.model_dump(),
        "text": preset.card.model_dump(),
        "firstTitle": preset.segments[0].title.model_dump(),
        "contraindications": [note.model_dump() for note in preset.contraindications],
        "emotion": preset.emotion,
    }
