"""What can go wrong with the embedded Supabase."""


class LocalTrouble(Exception):
    """The embedded Supabase cannot go on; the message is one sentence for the person in front."""
