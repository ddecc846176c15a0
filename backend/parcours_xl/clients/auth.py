"""Who a user's token belongs to, by supabase-py's `get_claims`.

`get_claims` verifies the signature and the expiry; everything else is checked here
(docs/vendors.md#supabase-keys-and-tokens).
"""

import asyncio
import hmac
import time
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

import httpx
import jwt
import pydantic
from supabase_auth import AsyncGoTrueClient
from supabase_auth.errors import (
    AuthApiError,
    AuthError,
    AuthRetryableError,
    AuthUnknownError,
)
from supabase_auth.types import JWK, JWKSet

from parcours_xl.clients.supabase_errors import Verdict, judge_auth
from parcours_xl.errors import PermanentError, RetryableError

JWKS_S_MAX, JWKS_STALE_S_MAX = 600, 3600
JWKS_REFETCH_S_MIN = 60
TOKEN_CHARS_MAX = 8192
ASYMMETRIC = ("ES256", "RS256")
LEEWAY_S = 5

# No answer, or one that is not Auth's own: whoever asks is not to blame.
_UNAVAILABLE = (
    AuthRetryableError,
    AuthUnknownError,
    httpx.TransportError,
    pydantic.ValidationError,
)
_UNREADABLE = (ValueError, TypeError, KeyError, RecursionError)


class NotSignedIn(PermanentError):
    """Sign in: this needs the access token of a user."""

    status = 401

    def __init__(self) -> None:
        super().__init__(self.__doc__ or "")


class AuthUnavailable(RetryableError):
    """Users cannot be verified right now. Please try again."""

    def __init__(self) -> None:
        super().__init__(self.__doc__ or "")


class Auth:
    """Verifies users' tokens, locally wherever the project's keys allow it.

    ES256 and RS256 by the project's JWKS, kept 10 minutes, and up to an hour while Auth does not
    give them; HS256 by the JWT secret where it is known, else by Auth's own `get_user`.
    """

    def __init__(
        self,
        client: AsyncGoTrueClient,
        http: httpx.AsyncClient,
        *,
        auth_url: str,
        issuer: str,
        jwt_secret: str | None,
        service_role_key: str,
    ):
        self._client = client
        self._http = http
        self._jwks_url = f"{auth_url}/.well-known/jwks.json"
        self._issuer = issuer
        self._jwt_secret = jwt_secret
        self._service_role_key = service_role_key
        self._jwks: JWKSet = {"keys": []}
        self._fetched_at = self._tried_at = -float("inf")
        self._fetching: asyncio.Task[None] | None = None

    async def verify_user(self, token: str) -> UUID:
        """The id of the signed-in user. Raises NotSignedIn or AuthUnavailable."""
        if not token or len(token) > TOKEN_CHARS_MAX:
            raise NotSignedIn
        return self._check(await self._read_claims(token))

    def is_service_role(self, *credentials: str) -> bool:
        """Whether one of these (a bearer, an apikey) is the configured service-role key."""
        key = self._service_role_key.encode()
        return any(hmac.compare_digest(given.encode(), key) for given in credentials)

    async def _read_claims(self, token: str) -> Mapping[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") == "HS256":
                if self._jwt_secret:
                    return _decode_with_secret(token, self._jwt_secret)
            elif header.get("alg") not in ASYMMETRIC or not isinstance(header.get("kid"), str):
                raise NotSignedIn
            else:
                await self._find_key(header["kid"])
            answer = await self._client.get_claims(jwt=token, jwks=self._jwks)
        except _UNAVAILABLE as error:
            raise AuthUnavailable from error
        except AuthApiError as error:
            ours = judge_auth(error.status, error.code) is Verdict.OURS
            raise (NotSignedIn if ours else AuthUnavailable) from error
        except (AuthError, jwt.PyJWTError, *_UNREADABLE) as error:
            raise NotSignedIn from error
        if answer is None:
            raise NotSignedIn
        return answer["claims"]

    async def _find_key(self, kid: str) -> None:
        """Refresh the JWKS when old, or for an unknown key; once a minute at most."""
        now = time.monotonic()
        age_s, since_try_s = now - self._fetched_at, now - self._tried_at
        if age_s > JWKS_STALE_S_MAX:
            await self._refresh()
        elif since_try_s > JWKS_REFETCH_S_MIN and (age_s > JWKS_S_MAX or not self._knows(kid)):
            try:
                await self._refresh()
            except (*_UNAVAILABLE, AuthUnavailable):
                if not self._knows(kid):
                    raise
        if not self._knows(kid):
            raise NotSignedIn

    async def _refresh(self) -> None:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch_keys())
        # One fetch for all who wait for it; one who leaves does not end it for the others.
        await asyncio.shield(self._fetching)

    def _knows(self, kid: str) -> bool:
        return any(key.get("kid") == kid for key in self._jwks["keys"])

    async def _fetch_keys(self) -> None:
        self._tried_at = time.monotonic()
        try:
            response = await self._http.get(self._jwks_url)
            if response.status_code != 200:
                raise AuthUnavailable
            keys = cast(list[JWK], list(map(dict, response.json()["keys"])))
            self._jwks = {"keys": keys}
            self._fetched_at = time.monotonic()
        except _UNREADABLE as error:
            raise AuthUnavailable from error
        finally:
            self._fetching = None

    def _check(self, claims: Mapping[str, Any]) -> UUID:
        audience, expires_at = claims.get("aud"), claims.get("exp")
        audiences = audience if isinstance(audience, list) else [audience]
        if (
            claims.get("role") != "authenticated"
            or "authenticated" not in audiences
            or claims.get("iss") != self._issuer
            or not isinstance(expires_at, int | float)
            or not expires_at > time.time() - LEEWAY_S
        ):
            raise NotSignedIn
        try:
            return UUID(str(claims.get("sub")))
        except ValueError:
            raise NotSignedIn from None


def _decode_with_secret(token: str, secret: str) -> Mapping[str, Any]:
    return jwt.decode(
        token, secret, algorithms=["HS256"], audience="authenticated", leeway=LEEWAY_S
    )
