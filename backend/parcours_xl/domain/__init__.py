"""The domain: what a journey is made of. Pure: no clock, network, environment or log."""
