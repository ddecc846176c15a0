"""Suno and OpenAI as they answer over HTTP, for development and tests only."""
