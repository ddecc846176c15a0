"""What can stop the embedded Supabase."""


class LocalError(Exception):
    """The embedded Supabase cannot go on; the message is one sentence for the person in front."""
