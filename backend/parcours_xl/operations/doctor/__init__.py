"""The doctor: one class for each thing that it checks, with its findings and their repair."""
