"""Who a user's token belongs to: verified as this project's keys allow, and never a 500."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.responses import HTMLResponse, JSONResponse, Response

from parcours_dev.supabase.keys import new_signing_key, public_key
from parcours_dev.supabase.project import LocalProject
from parcours_xl.clients import auth as auth_adapter
from parcours_xl.clients.auth import Auth, AuthUnavailable, NotSignedIn
from parcours_xl.clients.clients import Clients, open_clients
from tests.fixtures.relay import Relay
from tests.fixtures.service import MakeSettings
from tests.fixtures.users import Forger, Person, sign_up
from tests.real.project import RealProject

pytestmark = pytest.mark.anyio

KEY_SET = "/.well-known/jwks.json"
GET_USER = "/auth/v1/user"


@asynccontextmanager
async def opened(make_settings: MakeSettings, **wishes: object) -> AsyncIterator[Auth]:
    async with open_clients(make_settings(openai_api_key=None, **wishes)) as clients:
        yield clients.auth


@pytest.fixture
async def auth(make_settings: MakeSettings, relay: Relay) -> AsyncIterator[Auth]:
    """Verifies users by the project's keys, which it has not fetched yet."""
    async with opened(make_settings, supabase_url=relay.url) as auth:
        yield auth


@pytest.fixture
def asymmetric(stack: LocalProject | RealProject) -> None:
    """The project signs tokens with a key whose public half it shows."""
    if isinstance(stack, RealProject):
        stack.require_asymmetric_keys()


@pytest.fixture(scope="module")
async def auth_with_secret(
    make_settings: MakeSettings, stack: LocalProject, running_relay: Relay
) -> AsyncIterator[Auth]:
    """Knows the project's JWT secret."""
    wishes = {"supabase_url": running_relay.url, "supabase_jwt_secret": stack.jwt_secret}
    async with opened(make_settings, **wishes) as auth:
        yield auth


# By the project's key set


@pytest.mark.usefixtures("asymmetric")
async def test_a_users_token_is_verified_here(auth: Auth, owner: Person, relay: Relay) -> None:
    assert await auth.verify_user(owner.token) == owner.id
    assert relay.asked == [("GET", f"/auth/v1{KEY_SET}")]


async def test_an_anonymous_user_is_a_user(auth: Auth, stack: LocalProject) -> None:
    somebody = await sign_up(stack, anonymous=True)
    assert await auth.verify_user(somebody.token) == somebody.id


@pytest.mark.usefixtures("asymmetric")
async def test_the_key_set_is_fetched_once_however_many_ask_at_once(
    auth: Auth, owner: Person, relay: Relay
) -> None:
    await asyncio.gather(*(auth.verify_user(owner.token) for _ in range(20)))
    await auth.verify_user(owner.token)
    assert relay.count(KEY_SET) == 1


@pytest.mark.usefixtures("asymmetric")
async def test_the_key_set_is_fetched_anew_when_it_is_old(
    auth: Auth, owner: Person, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    await auth.verify_user(owner.token)
    monkeypatch.setattr(auth_adapter, "JWKS_S_MAX", 0)
    monkeypatch.setattr(auth_adapter, "JWKS_REFETCH_S_MIN", 0)
    await auth.verify_user(owner.token)
    assert relay.count(KEY_SET) == 2


@pytest.mark.usefixtures("asymmetric")
async def test_an_old_key_set_serves_while_auth_gives_no_other_and_no_longer_than_an_hour(
    auth: Auth, owner: Person, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    await auth.verify_user(owner.token)
    relay.broken[KEY_SET] = Response(status_code=503)
    monkeypatch.setattr(auth_adapter, "JWKS_S_MAX", 0)
    monkeypatch.setattr(auth_adapter, "JWKS_REFETCH_S_MIN", 0)
    assert await auth.verify_user(owner.token) == owner.id
    assert relay.count(KEY_SET) == 2, "it was asked for"
    monkeypatch.setattr(auth_adapter, "JWKS_STALE_S_MAX", 0)
    with pytest.raises(AuthUnavailable):
        await auth.verify_user(owner.token)


@pytest.mark.usefixtures("asymmetric")
async def test_a_foreign_key_asks_once_a_minute_even_while_auth_does_not_answer(
    auth: Auth,
    owner: Person,
    forger: Forger,
    relay: Relay,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await auth.verify_user(owner.token)
    relay.broken[KEY_SET] = Response(status_code=503)
    foreign = forger.sign(forger.claims(owner.id), new_signing_key())
    monkeypatch.setattr(auth_adapter, "JWKS_REFETCH_S_MIN", 0)
    with pytest.raises(AuthUnavailable):
        await auth.verify_user(foreign)
    monkeypatch.setattr(auth_adapter, "JWKS_REFETCH_S_MIN", 60)
    for _ in range(3):
        with pytest.raises(NotSignedIn):
            await auth.verify_user(foreign)
    assert relay.count(KEY_SET) == 2


async def test_a_foreign_key_does_not_make_the_key_set_be_fetched_within_the_minute(
    auth: Auth, owner: Person, forger: Forger, relay: Relay
) -> None:
    await auth.verify_user(owner.token)
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            await auth.verify_user(forger.sign(forger.claims(owner.id), new_signing_key()))
    assert relay.count(KEY_SET) == 1


@pytest.mark.usefixtures("asymmetric")
async def test_many_foreign_keys_at_once_make_it_be_fetched_once(
    auth: Auth,
    owner: Person,
    forger: Forger,
    relay: Relay,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await auth.verify_user(owner.token)
    monkeypatch.setattr(auth_adapter, "JWKS_REFETCH_S_MIN", 0.1)
    await asyncio.sleep(0.1)
    tokens = [forger.sign(forger.claims(owner.id), new_signing_key()) for _ in range(20)]
    outcomes = await asyncio.gather(*map(auth.verify_user, tokens), return_exceptions=True)
    assert all(isinstance(outcome, NotSignedIn) for outcome in outcomes)
    assert relay.count(KEY_SET) == 2


async def test_a_rotated_key_is_accepted_after_the_minute(
    auth: Auth,
    owner: Person,
    stack: LocalProject,
    forger: Forger,
    relay: Relay,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await auth.verify_user(owner.token)
    rotated = new_signing_key()
    keys = [*stack.jwks_public["keys"], public_key(rotated)]
    relay.broken[KEY_SET] = JSONResponse({"keys": keys})
    token = forger.sign(forger.claims(owner.id), rotated)
    with pytest.raises(NotSignedIn):
        await auth.verify_user(token)
    monkeypatch.setattr(auth_adapter, "JWKS_REFETCH_S_MIN", 0)
    assert await auth.verify_user(token) == owner.id


async def test_a_token_signed_with_rs256_is_verified_too(
    auth: Auth, owner: Person, forger: Forger, relay: Relay
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    shown = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    relay.broken[KEY_SET] = JSONResponse({"keys": [shown | {"kid": "rsa", "alg": "RS256"}]})
    token = jwt.encode(forger.claims(owner.id), key, algorithm="RS256", headers={"kid": "rsa"})
    assert await auth.verify_user(token) == owner.id


# By the JWT secret, or by Auth itself


async def test_hs256_is_verified_here_with_the_secret(
    auth_with_secret: Auth, owner: Person, forger: Forger, relay: Relay
) -> None:
    token = forger.sign_with_secret(forger.claims(owner.id))
    assert await auth_with_secret.verify_user(token) == owner.id
    assert relay.asked == []


async def test_hs256_is_verified_by_auth_without_the_secret(
    auth: Auth, owner: Person, forger: Forger, relay: Relay
) -> None:
    token = forger.sign_with_secret(forger.claims(owner.id))
    assert await auth.verify_user(token) == owner.id
    assert relay.asked == [("GET", GET_USER)]


async def test_a_project_with_a_secret_and_a_key_set_takes_both(
    auth_with_secret: Auth, owner: Person
) -> None:
    assert await auth_with_secret.verify_user(owner.token) == owner.id


async def test_a_user_whom_auth_does_not_know_is_nobody(auth: Auth, forger: Forger) -> None:
    with pytest.raises(NotSignedIn):
        await auth.verify_user(forger.sign_with_secret(forger.claims(uuid4())))


# What is not a user's token

BAD_CLAIMS: dict[str, dict[str, object]] = {
    "expired": {"exp": 1_700_000_000},
    "without-expiry": {"exp": None},
    "with-an-expiry-of-words": {"exp": "tomorrow"},
    "with-an-expiry-that-is-no-number": {"exp": float("nan")},
    "of-another-audience": {"aud": "anon"},
    "of-no-audience": {"aud": None},
    "of-audiences-that-are-none": {"aud": [1, None]},
    "of-an-audience-that-is-a-number": {"aud": 5},
    "of-an-audience-that-is-an-object": {"aud": {"authenticated": True}},
    "of-another-issuer": {"iss": "https://elsewhere.supabase.co/auth/v1"},
    "of-no-issuer": {"iss": None},
    "of-the-role-anon": {"role": "anon"},
    "of-the-role-service-role": {"role": "service_role"},
    "of-no-role": {"role": None},
    "of-a-list-of-roles": {"role": ["authenticated"]},
    "of-nobody": {"sub": None},
    "of-an-empty-subject": {"sub": ""},
    "of-a-subject-that-is-no-uuid": {"sub": "somebody@example.org"},
    "of-a-subject-that-is-an-object": {"sub": {}},
}


@pytest.fixture(params=list(BAD_CLAIMS.values()), ids=list(BAD_CLAIMS))
def bad_claims(request: pytest.FixtureRequest, forger: Forger, owner: Person) -> dict[str, object]:
    return forger.claims(owner.id, **request.param)


async def test_a_well_signed_token_must_be_a_users(
    clients: Clients, forger: Forger, bad_claims: dict[str, object]
) -> None:
    with pytest.raises(NotSignedIn):
        await clients.auth.verify_user(forger.sign(bad_claims))


async def test_a_token_of_the_secret_must_be_a_users(
    auth_with_secret: Auth, forger: Forger, bad_claims: dict[str, object]
) -> None:
    with pytest.raises(NotSignedIn):
        await auth_with_secret.verify_user(forger.sign_with_secret(bad_claims))


async def test_a_token_that_auth_accepts_must_be_a_users(
    clients: Clients, forger: Forger, bad_claims: dict[str, object]
) -> None:
    with pytest.raises(NotSignedIn):
        await clients.auth.verify_user(forger.sign_with_secret(bad_claims))


async def test_an_audience_may_be_one_of_several(
    clients: Clients, forger: Forger, owner: Person
) -> None:
    token = forger.sign(forger.claims(owner.id, aud=["other", "authenticated"]))
    assert await clients.auth.verify_user(token) == owner.id


def forged_tokens(stack: LocalProject, forger: Forger, owner: Person) -> dict[str, str]:
    claims = forger.claims(owner.id)
    header, payload, signature = owner.token.split(".")
    kid = stack.signing_key["kid"]

    def with_header(content: object) -> str:
        return f"{encoded(content)}.{payload}.{signature}"

    return {
        "unsigned": jwt.encode(claims, "", algorithm="none"),
        "unsigned, in capitals": f"{encoded({'alg': 'NONE'})}.{payload}.",
        "with its signature cut off": f"{header}.{payload}.",
        "with two parts": f"{header}.{payload}",
        "with four parts": f"{owner.token}.{signature}",
        "with another payload": f"{header}.{encoded(claims)}.{signature}",
        "with a payload that is a list": f"{header}.{encoded([])}.{signature}",
        "with a payload too deep to be read": f"{header}.{DEEP}.{signature}",
        "with a header too deep to be read": f"{DEEP}.{payload}.{signature}",
        "of HS256 with a payload too deep to be read": (
            f"{encoded({'alg': 'HS256'})}.{DEEP}.{signature}"
        ),
        "with a header that is a list": with_header([]),
        "with a header without algorithm": with_header({"kid": kid}),
        "with a kid that is a number": with_header({"alg": "ES256", "kid": 1}),
        "with a kid that is null": with_header({"alg": "ES256", "kid": None}),
        "without a kid": forger.sign(claims, kid=None),
        "of RS256 under our kid": with_header({"alg": "RS256", "kid": kid}),
        "of ES512 under our kid": with_header({"alg": "ES512", "kid": kid}),
        "of a list of algorithms": with_header({"alg": ["ES256"], "kid": kid}),
        "signed by another key under our kid": forger.sign(claims, new_signing_key(), kid=kid),
        "of HS256 with our public key as secret": confused(stack, payload),
        "of another secret": forger.sign_with_secret(claims, "another secret, long enough too."),
        "that is the anon key": stack.anon_key,
        "that is the service-role key": stack.service_role_key,
        "that is a publishable key": "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH",
        "that is a secret key": "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz",
        "that is nothing": "",
        "of blanks": "   ",
        "of dots": "..",
        "of one word": "bearer",
        "of no base64": "@@.@@.@@",
        "of other letters": "é.é.é",
        "of control characters": "a\x00.b.c",
        "that is huge": f"{header}.{'A' * 100_000}.{signature}",
        "that is too long": f"{header}.{payload}.{'A' * 8192}",
    }


DEEP = base64.urlsafe_b64encode(b"[" * 4000).rstrip(b"=").decode()


def encoded(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def confused(stack: LocalProject, payload: str) -> str:
    """HS256 with what everybody may read as its secret: the public key, as PEM."""
    key = jwt.PyJWK(stack.jwks_public["keys"][0]).key
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    message = f"{encoded({'alg': 'HS256', 'kid': stack.signing_key['kid']})}.{payload}"
    digest = hmac.digest(pem, message.encode(), hashlib.sha256)
    return f"{message}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


async def test_nothing_else_is_a_users_token(
    clients: Clients,
    auth_with_secret: Auth,
    stack: LocalProject,
    forger: Forger,
    owner: Person,
) -> None:
    for name, token in forged_tokens(stack, forger, owner).items():
        for verifier in (clients.auth, auth_with_secret):
            with pytest.raises(NotSignedIn):
                pytest.fail(f"a token {name} is {await verifier.verify_user(token)}'s")


# Auth away


@pytest.fixture(
    params=[
        HTMLResponse("<h1>Bad Gateway</h1>", 502),
        HTMLResponse("<h1>Internal Server Error</h1>", 500),
        HTMLResponse("<h1>Sign in to the Wi-Fi</h1>", 200),
        HTMLResponse("<h1>Forbidden by the firewall</h1>", 403),
        JSONResponse({"message": "upstream"}, 503),
        JSONResponse({"code": 500, "error_code": "unexpected_failure", "msg": "oops"}, 500),
        JSONResponse({"code": 429, "error_code": "over_request_rate_limit", "msg": "slow"}, 429),
        JSONResponse([]),
        JSONResponse({"keys": None}),
    ],
    ids=["502", "500", "portal", "firewall", "503", "json-500", "429", "a-list", "no-keys"],
)
def error(request: pytest.FixtureRequest) -> Response:
    answer: Response = request.param
    return answer


@pytest.mark.usefixtures("asymmetric")
async def test_no_key_set_is_our_error_and_not_the_users(
    auth: Auth, owner: Person, relay: Relay, error: Response
) -> None:
    relay.broken[KEY_SET] = error
    with pytest.raises(AuthUnavailable):
        await auth.verify_user(owner.token)
    relay.broken.clear()
    assert await auth.verify_user(owner.token) == owner.id


async def test_an_auth_that_does_not_answer_sanely_is_our_error(
    auth: Auth, owner: Person, forger: Forger, relay: Relay, error: Response
) -> None:
    relay.broken[GET_USER] = error
    with pytest.raises(AuthUnavailable):
        await auth.verify_user(forger.sign_with_secret(forger.claims(owner.id)))


async def test_an_auth_out_of_reach_is_our_error(
    make_settings: MakeSettings, owner: Person, forger: Forger, dead_port: int
) -> None:
    wishes = {"supabase_url": f"http://127.0.0.1:{dead_port}"}
    async with opened(make_settings, **wishes) as auth:
        tokens = [owner.token, forger.sign_with_secret(forger.claims(owner.id))]
        outcomes = await asyncio.gather(
            *(auth.verify_user(token) for token in tokens * 3), return_exceptions=True
        )
    assert all(isinstance(outcome, AuthUnavailable) for outcome in outcomes)


@pytest.mark.usefixtures("asymmetric")
async def test_users_whose_key_is_known_do_not_notice_that_auth_is_unavailable(
    auth: Auth, owner: Person, relay: Relay
) -> None:
    await auth.verify_user(owner.token)
    relay.broken["/"] = Response(status_code=503)
    assert await auth.verify_user(owner.token) == owner.id


# The service role


async def test_the_service_role_is_whoever_holds_its_key(
    clients: Clients, stack: LocalProject
) -> None:
    key = stack.service_role_key
    assert clients.auth.is_service_role(key, "")
    assert clients.auth.is_service_role("", key)
    for other in ("", stack.anon_key, key[:-1], f"{key} ", "é", key.swapcase()):
        assert not clients.auth.is_service_role(other, other)
