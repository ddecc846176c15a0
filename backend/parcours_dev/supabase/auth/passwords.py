"""Passwords, kept as bcrypt hashes as supabase/auth keeps them."""

import bcrypt
from anyio import to_thread

from parcours_dev.supabase.auth.errors import invalid, unprocessable

PASSWORD_CHARACTERS_MIN = 6
PASSWORD_BYTES_MAX = 72  # bcrypt reads no further
BCRYPT_COST = 10


def check_password(password: str) -> None:
    """Raise AuthError when the password that a user chose is too short."""
    if len(password) < PASSWORD_CHARACTERS_MIN:
        message = f"Password should be at least {PASSWORD_CHARACTERS_MIN} characters."
        raise unprocessable("weak_password", message, weak_password={"reasons": ["length"]})


async def hash_password(password: str) -> str:
    """The hash to keep. It takes some 50 ms of a processor, in a thread of its own.

    Raises AuthError when the password is too long for bcrypt.
    """
    if len(password.encode()) > PASSWORD_BYTES_MAX:
        raise invalid(f"Password cannot be longer than {PASSWORD_BYTES_MAX} characters")
    salt = bcrypt.gensalt(BCRYPT_COST)
    return (await to_thread.run_sync(bcrypt.hashpw, password.encode(), salt)).decode()


async def matches(password: str, password_hash: str | None) -> bool:
    """Whether a password is the one that was hashed."""
    attempt = password.encode()
    if not password_hash or len(attempt) > PASSWORD_BYTES_MAX:
        return False
    return await to_thread.run_sync(bcrypt.checkpw, attempt, password_hash.encode())
