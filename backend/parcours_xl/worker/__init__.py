"""The worker: takes what is due from the queues and does it."""
