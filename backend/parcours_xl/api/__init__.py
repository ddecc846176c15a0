"""The HTTP API: one module for each documented function, and what they share."""
