"""The built page a listener uses, and what it asks of the service before anything else."""
