"""Tokens of the embedded project: signed with its ES256 key, or with its HS256 secret."""

import hashlib
import hmac
from typing import Any

import jwt

from parcours_dev.supabase.keys import public_key
from parcours_dev.supabase.project import LocalProject

Claims = dict[str, Any]


class Keyring:
    """Signs users' tokens and signed URLs, and verifies every token the project gave out."""

    def __init__(self, project: LocalProject) -> None:
        self._signing_key = jwt.PyJWK(project.signing_key)
        self._public_key = jwt.PyJWK(public_key(project.signing_key))
        self._has_hs256_tokens = project.has_hs256_tokens
        self._secret = project.jwt_secret.encode()
        # Its own secret, so that a signed URL's token is never an API key of the project.
        self._url_secret = hmac.digest(self._secret, b"storage-url-signing-key", hashlib.sha256)

    def sign(self, claims: Claims) -> str:
        """An access token as Auth gives it out: ES256 with the key's `kid`, or HS256."""
        if self._has_hs256_tokens:
            return jwt.encode(claims, self._secret, algorithm="HS256")
        headers = {"kid": self._signing_key.key_id}
        return jwt.encode(claims, self._signing_key, algorithm="ES256", headers=headers)

    def verify(self, token: str) -> Claims:
        """The claims of an access token or API key.

        Raises jwt.InvalidTokenError when it is not of this project, or is no longer valid.
        """
        header = jwt.get_unverified_header(token)
        if header.get("alg") == "HS256":
            return self._decode(token, self._secret, "HS256")
        if header.get("kid") != self._public_key.key_id:
            raise jwt.InvalidTokenError("no known key has this kid")
        return self._decode(token, self._public_key, "ES256")

    def sign_url(self, claims: Claims) -> str:
        """The token of a signed URL."""
        return jwt.encode(claims, self._url_secret, algorithm="HS256")

    def verify_url(self, token: str) -> Claims:
        """The claims of a signed URL's token; raises jwt.InvalidTokenError."""
        return self._decode(token, self._url_secret, "HS256")

    @staticmethod
    def _decode(token: str, key: jwt.PyJWK | bytes, algorithm: str) -> Claims:
        # Audience and issuer are for whoever serves users to judge; here it is who signed it.
        claims: Claims = jwt.decode(
            token, key, algorithms=[algorithm], options={"verify_aud": False}
        )
        return claims
