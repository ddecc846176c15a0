"""The Auth stand-in beyond what clients show: its wire format, its sessions, its schema."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import jwt
import psycopg
import pytest

from parcours_dev.ports import choose_free_ports
from parcours_dev.supabase.gateway import create_gateway
from parcours_dev.supabase.project import LocalProject
from tests.dev.serving import serving

pytestmark = pytest.mark.anyio

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")
Session = dict[str, Any]


@pytest.fixture
async def auth(stack: LocalProject) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"apikey": stack.anon_key}
    url = f"{stack.url}/auth/v1"
    async with httpx.AsyncClient(
        base_url=url, headers=headers, trust_env=False, timeout=30
    ) as client:
        yield client


async def sign_up(auth: httpx.AsyncClient, **body: Any) -> Session:
    credentials = {"email": f"{uuid4().hex}@example.com", "password": "long enough"}
    answer = await auth.post("/signup", json=credentials | body)
    assert answer.status_code == 200, answer.text
    session: Session = answer.json()
    return session


async def refresh(auth: httpx.AsyncClient, token: str) -> httpx.Response:
    return await auth.post("/token?grant_type=refresh_token", json={"refresh_token": token})


def bearer(session: Session) -> dict[str, str]:
    return {"authorization": f"Bearer {session['access_token']}"}


async def test_every_moment_is_in_utc_as_rfc_3339(auth: httpx.AsyncClient) -> None:
    user = (await sign_up(auth))["user"]
    (identity,) = user["identities"]
    moments = [
        value for shown in (user, identity) for name, value in shown.items() if name.endswith("_at")
    ]
    assert len(moments) >= 8
    assert all(RFC3339.fullmatch(moment) for moment in moments)


async def test_an_access_token_has_hosted_claims_and_names_its_key(
    auth: httpx.AsyncClient, stack: LocalProject
) -> None:
    session = await sign_up(auth)
    (key,) = (await auth.get("/.well-known/jwks.json")).json()["keys"]
    assert "d" not in key
    assert jwt.get_unverified_header(session["access_token"])["kid"] == key["kid"]
    claims = jwt.decode(
        session["access_token"], jwt.PyJWK(key), algorithms=["ES256"], audience="authenticated"
    )
    assert claims["iss"] == f"{stack.url}/auth/v1"
    assert claims["exp"] - claims["iat"] == 3600 == session["expires_in"]
    assert claims["exp"] == session["expires_at"]
    assert claims["sub"] == session["user"]["id"]
    assert claims["amr"][0]["method"] == "password"
    expected = {"email", "phone", "app_metadata", "user_metadata", "role", "aal", "session_id"}
    assert expected | {"is_anonymous"} <= set(claims)


async def test_an_older_project_signs_with_its_secret_and_lets_nobody_stay_anonymous(
    stack: LocalProject,
) -> None:
    """As `parcours stack --hs256 --no-anonymous-users` has it."""
    older = replace(
        stack,
        port=choose_free_ports(1)[0],
        has_hs256_tokens=True,
        has_anonymous_users=False,
    )
    async with (
        serving(create_gateway(older), older.port),
        httpx.AsyncClient(
            base_url=f"{older.url}/auth/v1",
            headers={"apikey": older.anon_key},
            trust_env=False,
            timeout=30,
        ) as auth,
    ):
        session = await sign_up(auth)
        claims = jwt.decode(
            session["access_token"],
            older.jwt_secret,
            algorithms=["HS256"],
            audience="authenticated",
        )
        assert claims["sub"] == session["user"]["id"]
        assert (await auth.get("/user", headers=bearer(session))).status_code == 200
        assert (await auth.get("/.well-known/jwks.json")).json() == {"keys": []}
        allowed = (await auth.get("/settings")).json()["external"]
        assert allowed["anonymous_users"] is False
        refused = await auth.post("/signup", json={})
        assert refused.status_code == 422
        assert refused.json()["error_code"] == "anonymous_provider_disabled"


async def test_errors_have_a_shape_for_each_api_version(auth: httpx.AsyncClient) -> None:
    wrong = {"email": "nobody@example.com", "password": "a guess"}
    old = await auth.post("/token?grant_type=password", json=wrong)
    assert old.status_code == 400
    assert old.json() == {
        "code": 400,
        "error_code": "invalid_credentials",
        "msg": "Invalid login credentials",
    }
    version = {"x-supabase-api-version": "2024-01-01"}
    new = await auth.post("/token?grant_type=password", json=wrong, headers=version)
    assert new.json() == {"code": "invalid_credentials", "message": "Invalid login credentials"}
    assert new.headers["x-supabase-api-version"] == "2024-01-01"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/signup", b"", "bad_json"),
        ("/signup", b"{", "bad_json"),
        ("/signup", b"[]", "bad_json"),
        ("/signup", b'{"email": 7, "password": "long enough"}', "bad_json"),
        ("/signup", b'{"email": "ada@example.com"}', "validation_failed"),
        ("/signup", b'{"email": "not an address", "password": "long"}', "weak_password"),
        ("/signup", b'{"email": "not an address", "password": "long one"}', "validation_failed"),
        ("/signup", b'{"phone": "123", "password": "long one"}', "phone_provider_disabled"),
        ("/token?grant_type=magic", b"{}", "invalid_credentials"),
        ("/token?grant_type=password", b"{}", "validation_failed"),
        ("/token?grant_type=refresh_token", b"{}", "validation_failed"),
        (
            "/token?grant_type=refresh_token",
            b'{"refresh_token": "abcdefghijkl"}',
            "refresh_token_not_found",
        ),
    ],
)
async def test_a_request_that_makes_no_sense_says_why(
    auth: httpx.AsyncClient, path: str, body: bytes, code: str
) -> None:
    answer = await auth.post(path, content=body)
    assert answer.status_code in (400, 422)
    assert answer.json()["error_code"] == code


async def test_passwords_that_bcrypt_would_cut_are_refused(auth: httpx.AsyncClient) -> None:
    body = {"email": f"{uuid4().hex}@example.com", "password": "é" * 40}
    answer = await auth.post("/signup", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "validation_failed")


async def test_the_same_address_signs_up_once_even_at_once(auth: httpx.AsyncClient) -> None:
    body = {"email": f"{uuid4().hex}@example.com", "password": "long enough"}
    answers = await asyncio.gather(*(auth.post("/signup", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]


async def test_a_reused_refresh_token_ends_the_whole_session(
    auth: httpx.AsyncClient, stack: LocalProject
) -> None:
    stolen = (await sign_up(auth))["refresh_token"]
    first = (await refresh(auth, stolen)).json()["refresh_token"]
    current = (await refresh(auth, first)).json()["refresh_token"]
    assert (await refresh(auth, stolen)).status_code == 200, "used again within ten seconds"
    current = (await refresh(auth, current)).json()["refresh_token"]
    with psycopg.connect(stack.database_url("supabase_admin"), autocommit=True) as connection:
        age = (
            "update auth.refresh_tokens set updated_at = updated_at - interval '11 seconds'"
            " where token = any(%s)"
        )
        connection.execute(age, ([stolen],))
        reuse = await refresh(auth, stolen)
        connection.execute(age, ([current],))
    assert (reuse.status_code, reuse.json()["error_code"]) == (400, "refresh_token_already_used")
    assert (await refresh(auth, current)).json()["error_code"] == "refresh_token_already_used"


async def test_a_refresh_token_used_twice_at_once_has_one_successor(
    auth: httpx.AsyncClient,
) -> None:
    token = (await sign_up(auth))["refresh_token"]
    answers = await asyncio.gather(*(refresh(auth, token) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1


async def test_an_unconfirmed_address_signs_up_again(
    auth: httpx.AsyncClient, stack: LocalProject
) -> None:
    """A user whom the service key made is confirmed by signing up; the password stays as it was."""
    person = {"email": f"{uuid4().hex}@example.com", "password": "long enough"}
    key = {"authorization": f"Bearer {stack.service_role_key}"}
    made = (await auth.post("/admin/users", json=person, headers=key)).json()
    session = await sign_up(auth, email=person["email"], password="another one")
    assert session["user"]["id"] == made["id"]
    answer = await auth.post("/token?grant_type=password", json=person)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("scope", "this", "other"), [("local", 403, 200), ("others", 200, 403), ("global", 403, 403)]
)
async def test_signing_out_ends_the_sessions_that_were_meant(
    auth: httpx.AsyncClient, scope: str, this: int, other: int
) -> None:
    first = await sign_up(auth)
    credentials = {"email": first["user"]["email"], "password": "long enough"}
    second = (await auth.post("/token?grant_type=password", json=credentials)).json()
    answer = await auth.post(f"/logout?scope={scope}", headers=bearer(first))
    assert answer.status_code == 204
    assert (await auth.get("/user", headers=bearer(first))).status_code == this
    assert (await auth.get("/user", headers=bearer(second))).status_code == other
    refreshed = await refresh(auth, second["refresh_token"])
    assert refreshed.status_code == (200 if other == 200 else 400)


async def test_a_new_password_signs_out_everywhere_else(auth: httpx.AsyncClient) -> None:
    here = await sign_up(auth)
    credentials = {"email": here["user"]["email"], "password": "long enough"}
    there = (await auth.post("/token?grant_type=password", json=credentials)).json()
    change = {"password": "another one"}
    assert (await auth.put("/user", json=change, headers=bearer(here))).status_code == 200
    assert (await auth.get("/user", headers=bearer(here))).status_code == 200
    assert (await auth.get("/user", headers=bearer(there))).status_code == 403


async def test_an_anonymous_user_becomes_permanent_with_an_address(
    auth: httpx.AsyncClient,
) -> None:
    session = (await auth.post("/signup", json={"data": {"theme": "dark"}})).json()
    assert session["user"]["is_anonymous"] is True
    assert session["user"]["user_metadata"] == {"theme": "dark"}
    assert session["user"]["identities"] == []
    credentials = {"email": f"{uuid4().hex}@example.com", "password": "long enough"}
    user = (await auth.put("/user", json=credentials, headers=bearer(session))).json()
    assert user["is_anonymous"] is False
    assert user["id"] == session["user"]["id"]
    answer = await auth.post("/token?grant_type=password", json=credentials)
    assert answer.json()["user"]["id"] == user["id"]


async def test_a_request_without_a_token_is_told_so(auth: httpx.AsyncClient) -> None:
    answer = await auth.get("/user")
    assert (answer.status_code, answer.json()["error_code"]) == (401, "no_authorization")


async def test_tokens_signed_otherwise_are_refused(
    auth: httpx.AsyncClient, stack: LocalProject
) -> None:
    session = await sign_up(auth)
    claims = jwt.decode(session["access_token"], options={"verify_signature": False})
    kid = stack.signing_key["kid"]
    forged = [
        jwt.encode(claims, "x" * 32, algorithm="HS256"),
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"kid": kid}),
        jwt.encode(claims | {"exp": 1}, jwt.PyJWK(stack.signing_key), headers={"kid": kid}),
        jwt.encode(claims, jwt.PyJWK(stack.signing_key), headers={"kid": "another"}),
    ]
    for token in forged:
        answer = await auth.get("/user", headers={"authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["error_code"]) == (403, "bad_jwt")


async def test_other_requests_are_answered_while_passwords_are_hashed(
    auth: httpx.AsyncClient,
) -> None:
    signing_up = asyncio.gather(*(sign_up(auth) for _ in range(6)))
    answered = 0
    while not signing_up.done():
        assert (await auth.get("/health")).status_code == 200
        answered += 1
    await signing_up
    assert answered > 3


def test_policies_read_both_styles_of_claims(stack: LocalProject) -> None:
    user = str(uuid4())
    asked = "select auth.uid()::text, auth.role(), auth.email()"
    with psycopg.connect(stack.database_url()) as connection:
        assert connection.execute(asked).fetchone() == (None, None, None)
        connection.execute(
            "select set_config('request.jwt.claims', %s, true)",
            (f'{{"sub": "{user}", "role": "authenticated", "email": "ada@example.com"}}',),
        )
        told = (user, "authenticated", "ada@example.com")
        assert connection.execute(asked).fetchone() == told
        connection.rollback()
        for name, value in zip(("sub", "role", "email"), told, strict=True):
            connection.execute(f"select set_config('request.jwt.claim.{name}', '{value}', true)")
        assert connection.execute(asked).fetchone() == told


def test_the_project_may_read_its_users_but_not_write_them(stack: LocalProject) -> None:
    with psycopg.connect(stack.database_url()) as connection:
        connection.execute("select id, created_at, is_anonymous from auth.users limit 1")
        connection.execute("select raw_user_meta_data ->> 'sub' from auth.users limit 1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("delete from auth.users")


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_requests_cannot_read_users(stack: LocalProject, role: str) -> None:
    with psycopg.connect(stack.database_url("authenticator")) as connection:
        connection.execute(f"set role {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from auth.users")
