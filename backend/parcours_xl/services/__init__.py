"""The verbs that doors and worker share. Each takes what it needs and holds no state."""
