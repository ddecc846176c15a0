"""What operators do: report, alerts, doctor, rollout (docs/runbook.md)."""
