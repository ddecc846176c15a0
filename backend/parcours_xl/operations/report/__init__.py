"""`parcours report`: figures, and how they are shown."""
