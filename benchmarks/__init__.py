"""How quick and how lean the service is: `make bench`, `make bench-capacity`."""
