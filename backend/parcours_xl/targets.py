"""What operators hold a deployment to (docs/specification.md#targets)."""

from typing import Annotated, Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

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
"""So many rounds without an answer of Supabase are an outage, not a moment's trouble."""

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
