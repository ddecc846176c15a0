"""The operator's half of the runbook: see it, trust it, mend it, roll it out."""
