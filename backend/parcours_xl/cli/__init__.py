"""The `parcours` command. Each subcommand imports what it needs only when it is called."""
