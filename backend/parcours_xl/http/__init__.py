"""What the doors share: who is asking, what they sent, how they are answered."""
