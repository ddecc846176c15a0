"""The two families of errors: permanent, and worth a retry.

Clients turn each vendor's error into one of these; a handler answers with their status, the worker
gives up or tries again. The message may be shown to the caller: it carries no secret, no token and
no address.
"""


class ParcoursError(Exception):
    """Something went wrong that the caller should hear about. status: the HTTP status."""

    status = 500

    def __init__(self, message: str, *, status: int | None = None, code: int | None = None):
        super().__init__(message)
        self.message = message
        self.status = status or type(self).status
        self.code = code


class PermanentError(ParcoursError):
    """It will never work as it was asked."""

    status = 400


class RetryableError(ParcoursError):
    """It may work later. wait_s: how long to wait, in seconds, where that is known."""

    status = 503

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: int | None = None,
        wait_s: float | None = None,
    ):
        super().__init__(message, status=status, code=code)
        self.wait_s = wait_s
