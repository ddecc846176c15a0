"""`parcours demo`: one journey through the public API, as a frontend runs it."""
