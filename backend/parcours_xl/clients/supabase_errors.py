"""What an answer of PostgREST, Auth or Storage means: ours, the caller's, or later.

The codes are PostgREST's (docs.postgrest.org, "Errors"), PostgreSQL's (appendix A) and Storage's
(supabase.com/docs, "Storage error codes"). A hosted project answers a good key with "JWT issued at
future" now and then, and takes the same call a second later: whatever is not certainly a mistake of
ours is later.
"""

from enum import Enum

from parcours_xl.errors import RetryableError


class Verdict(Enum):
    """What to do about an error.

    LATER: it may work in a moment. KEY: the service key was refused: in a moment as well, and wrong
    when that lasts. OURS: we asked for what cannot be had, or the deployment is not as it should.
    """

    LATER = "later"
    KEY = "key"
    OURS = "ours"


LATER, KEY, OURS = Verdict.LATER, Verdict.KEY, Verdict.OURS

POSTGREST: dict[str, Verdict] = {
    # The database is not to be had, or no connection to it is free.
    "PGRST000": LATER,
    "PGRST001": LATER,
    "PGRST002": LATER,
    "PGRST003": LATER,
    # The request itself; 106 and 125: an address that this PostgREST does not have.
    "PGRST100": OURS,
    "PGRST101": OURS,
    "PGRST102": OURS,
    "PGRST103": OURS,
    "PGRST105": OURS,
    "PGRST106": OURS,
    "PGRST107": OURS,
    "PGRST108": OURS,
    "PGRST111": OURS,
    "PGRST112": OURS,
    "PGRST114": OURS,
    "PGRST115": OURS,
    "PGRST116": OURS,
    "PGRST117": OURS,
    "PGRST118": OURS,
    "PGRST119": OURS,
    "PGRST120": OURS,
    "PGRST121": OURS,
    "PGRST122": OURS,
    "PGRST123": OURS,
    "PGRST124": OURS,
    "PGRST125": OURS,
    "PGRST126": OURS,
    "PGRST127": OURS,
    "PGRST128": OURS,
    # The schema cache: after a migration or a restart it does not know yet what is there. What is
    # missing for good is the doctor's to say ("migrations").
    "PGRST200": LATER,
    "PGRST201": OURS,
    "PGRST202": LATER,
    "PGRST203": OURS,
    "PGRST204": LATER,
    "PGRST205": LATER,
    # Keys: 300, PostgREST has not read its own yet; 301 and 303, ours was refused, or the clocks of
    # the gateway and PostgREST differ; 302, the gateway passed none on.
    "PGRST300": LATER,
    "PGRST301": KEY,
    "PGRST302": KEY,
    "PGRST303": KEY,
    # PostgREST broke.
    "PGRSTX00": LATER,
}

SQLSTATES: dict[str, Verdict] = {
    "25006": LATER,  # read-only: the disk is full, or a replica answers
    "25P03": LATER,  # idle in a transaction for too long
    "3D000": LATER,  # the database is being restored
    "42501": OURS,  # the key's role may not: it is not the service's
    "55006": LATER,  # in use
    "55P03": LATER,  # a lock was not to be had
    "57014": LATER,  # the statement took too long
}
"""A whole code decides before its class does."""

SQLSTATE_CLASSES: dict[str, Verdict] = {
    "08": LATER,  # no connection
    "28": LATER,  # PostgREST's own log-in was refused: a password is being changed
    "40": LATER,  # rolled back: deadlock, serialization
    "53": LATER,  # no memory, disk or connections left
    "57": LATER,  # an operator stops the server
    "58": LATER,  # the system under it failed
    "XX": LATER,  # a bug of the server's, or of the pooler's
}

STATUSES: dict[int, Verdict] = {
    401: KEY,
    402: LATER,  # the project is over its quota
    403: KEY,
    408: LATER,
    425: LATER,
    429: LATER,
}
"""Of an answer that is not PostgREST's: somebody in front of it gave it. 5xx is LATER."""

STORAGE_REFUSES_FILE = frozenset({"413", "415", "422"})
"""The statuses, in the body, of a file that is too large or of a kind that is not taken."""
STORAGE_KEY_UNKNOWN = frozenset({"not_found", "NoSuchKey", "Object not found"})
"""The file itself is missing. Any other 404 is an unavailable bucket, tenant or gateway."""

AUTH_LATER = frozenset(
    {
        "unknown",
        "unexpected_failure",
        "conflict",
        "over_request_rate_limit",
        "request_timeout",
        "hook_timeout",
        "hook_timeout_after_retry",
    }
)
"""Auth's own codes that say nothing about whoever asks."""

FUNCTION_UNKNOWN = "PGRST202"
NOT_ALLOWED = "42501"


class SupabaseUnavailable(RetryableError):
    """The service cannot reach its database right now. Please try again."""

    def __init__(self) -> None:
        super().__init__(SupabaseUnavailable.__doc__ or "")


class KeyRefused(SupabaseUnavailable):
    """The service key was refused. It may be the gateway's clock, so it is tried again."""


class FunctionUnknown(SupabaseUnavailable):
    """PostgREST does not know an SQL function: not yet, or its migration was not applied."""


def judge(code: str, status: int) -> Verdict:
    """The verdict on an error of PostgREST's. code: of the body, or empty; status: HTTP."""
    if code.startswith("PGRST"):
        known = POSTGREST.get(code)
    else:
        known = SQLSTATES.get(code) or (SQLSTATE_CLASSES.get(code[:2]) if len(code) == 5 else None)
    if known is not None:
        return known
    if status >= 500:
        return LATER
    if code and code != str(status):
        # PostgREST's or PostgreSQL's own, and of a kind that says that the request is wrong.
        return OURS
    return STATUSES.get(status, LATER)


def judge_auth(status: int, code: str | None) -> Verdict:
    """The verdict on an error of Auth's. OURS: what was asked is refused, a token for one."""
    if status >= 500 or status in (402, 408, 425, 429) or code in AUTH_LATER:
        return LATER
    # Auth names its reason; a gateway that refuses the key for a moment names none.
    return KEY if status == 401 and not code else OURS
