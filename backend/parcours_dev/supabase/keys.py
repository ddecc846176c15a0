"""The keys of one embedded project, in the shapes that hosted Supabase gives them."""

import base64
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

# The issuer that every self-hosted and local Supabase puts into its legacy API keys.
API_KEY_ISSUER = "supabase-demo"
API_KEY_LIFETIME = timedelta(days=3650)

JsonWebKey = dict[str, Any]


def new_secret() -> str:
    """A random text of 43 characters, safe in URLs: a password, or an HS256 secret."""
    return secrets.token_urlsafe(32)


def new_signing_key() -> JsonWebKey:
    """A private ES256 key as a JWK with a `kid`, as Auth signs access tokens with."""
    key = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    return {**key, "kid": str(uuid4()), "alg": "ES256", "use": "sig", "key_ops": ["sign"]}


def public_key(signing_key: JsonWebKey) -> JsonWebKey:
    """The half of a signing key that may be shown to everybody."""
    shown = {name: signing_key[name] for name in ("kty", "crv", "x", "y", "kid", "alg", "use")}
    return {**shown, "key_ops": ["verify"], "ext": True}


def shared_key(jwt_secret: str) -> JsonWebKey:
    """The HS256 secret as a JWK, for a verifier that reads key sets only (PostgREST)."""
    encoded = base64.urlsafe_b64encode(jwt_secret.encode()).rstrip(b"=").decode()
    return {"kty": "oct", "k": encoded, "alg": "HS256", "use": "sig", "key_ops": ["verify"]}


def new_api_key(role: str, jwt_secret: str) -> str:
    """A legacy API key: an HS256 token of the role `anon` or `service_role`, good for ten years."""
    now = datetime.now(UTC)
    claims = {"iss": API_KEY_ISSUER, "role": role, "iat": now, "exp": now + API_KEY_LIFETIME}
    return jwt.encode(claims, jwt_secret, algorithm="HS256")
