"""What handlers and worker share. Each function takes what it needs and holds no state."""
