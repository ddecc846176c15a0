"""The HTTP doors: one file for each documented function, and nothing else in it."""
