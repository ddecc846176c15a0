"""`parcours demo`: one journey, lived from the outside as a frontend lives it."""
