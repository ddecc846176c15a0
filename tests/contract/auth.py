"""Auth through supabase-py. A function's name is the behaviour it shows."""

import asyncio
import secrets

import pytest
from supabase_auth.errors import AuthApiError, AuthInvalidJwtError, AuthWeakPasswordError

from tests.contract.behaviours import REUSE_INTERVAL_S
from tests.contract.context import ContractContext, new_email


def refused(code: str, status: int) -> pytest.RaisesExc[AuthApiError]:
    """Expects an Auth error with this code and status."""
    return pytest.raises(AuthApiError, check=lambda e: (e.code, e.status) == (code, status))


async def signing_up_answers_a_session_and_a_confirmed_user(context: ContractContext) -> None:
    if not context.target.lets_sign_up:
        pytest.skip("this project confirms addresses by mail")
    client = await context.client()
    email = new_email()
    answer = await client.auth.sign_up(
        {
            "email": email,
            "password": "long enough",
            "options": {"data": {"first_name": "Ada"}},
        }
    )
    context.user_ids.append(answer.user.id)
    assert answer.session.token_type == "bearer"
    assert answer.session.expires_in == 3600
    assert answer.user.email == email
    assert answer.user.email_confirmed_at is not None
    assert answer.user.user_metadata["first_name"] == "Ada"
    assert answer.user.app_metadata == {"provider": "email", "providers": ["email"]}
    assert [identity.provider for identity in answer.user.identities] == ["email"]


async def an_address_that_is_taken_is_refused(context: ContractContext) -> None:
    person = await context.person()
    with refused("email_exists", 422):
        await context.service.auth.admin.create_user({"email": person.email.upper()})


async def signing_in_with_the_password_answers_a_session(context: ContractContext) -> None:
    client, person = await context.client(), await context.person()
    answer = await client.auth.sign_in_with_password(person.credentials)
    assert answer.user.id == person.id
    assert answer.user.last_sign_in_at is not None
    assert answer.session.access_token
    assert answer.session.refresh_token


async def a_wrong_password_is_refused(context: ContractContext) -> None:
    client, person = await context.client(), await context.person()
    with refused("invalid_credentials", 400):
        await client.auth.sign_in_with_password({"email": person.email, "password": "a guess"})


async def an_unknown_address_is_refused_like_a_wrong_password(context: ContractContext) -> None:
    client = await context.client()
    with refused("invalid_credentials", 400):
        await client.auth.sign_in_with_password({"email": new_email(), "password": "a guess"})


async def an_unconfirmed_address_may_not_sign_in(context: ContractContext) -> None:
    client, person = await context.client(), await context.person(email_confirm=False)
    with refused("email_not_confirmed", 400):
        await client.auth.sign_in_with_password(person.credentials)


async def a_refresh_token_is_exchanged_for_a_new_one(context: ContractContext) -> None:
    client, person = await context.signed_in()
    before = await client.auth.get_session()
    after = (await client.auth.refresh_session()).session
    assert after.refresh_token != before.refresh_token
    assert after.user.id == person.id


async def a_reused_refresh_token_is_refused(context: ContractContext) -> None:
    client, _ = await context.signed_in()
    used = (await client.auth.get_session()).refresh_token
    await client.auth.refresh_session()
    await client.auth.refresh_session()
    await asyncio.sleep(REUSE_INTERVAL_S + 1)
    with refused("refresh_token_already_used", 400):
        await client.auth.refresh_session(used)


async def a_refresh_token_may_be_used_again_at_once(context: ContractContext) -> None:
    """Whoever lost the answer asks again, and is given the very token that was made for it."""
    client, _ = await context.signed_in()
    used = (await client.auth.get_session()).refresh_token
    made = (await client.auth.refresh_session(used)).session.refresh_token
    assert (await client.auth.refresh_session(used)).session.refresh_token == made


async def a_malformed_refresh_token_is_refused(context: ContractContext) -> None:
    client = await context.client()
    with refused("validation_failed", 400):
        await client.auth.refresh_session("no token")


async def get_user_answers_whose_token_it_is(context: ContractContext) -> None:
    client, person = await context.signed_in_before()
    user = (await client.auth.get_user()).user
    assert (user.id, user.email, user.role) == (person.id, person.email, "authenticated")
    assert not user.is_anonymous


async def a_token_that_was_tampered_with_is_refused(context: ContractContext) -> None:
    client, _ = await context.signed_in_before()
    header, claims, signature = (await client.auth.get_session()).access_token.split(".")
    with refused("bad_jwt", 403):
        await client.auth.get_user(f"{header}.{claims}.{signature[::-1]}")


async def the_api_keys_are_nobody(context: ContractContext) -> None:
    client = await context.client()
    for key in (context.target.anon_key, context.target.service_role_key):
        with refused("bad_jwt", 403):
            await client.auth.get_user(key)


async def updating_a_user_merges_the_metadata(context: ContractContext) -> None:
    client, _ = await context.signed_in_before()
    await client.auth.update_user({"data": {"mood": "calm", "theme": "dark"}})
    user = (await client.auth.update_user({"data": {"mood": "glad", "theme": None}})).user
    assert user.user_metadata["mood"] == "glad"
    assert "theme" not in user.user_metadata


async def a_new_password_replaces_the_old_one(context: ContractContext) -> None:
    client, person = await context.signed_in()
    password = secrets.token_urlsafe(12)
    await client.auth.update_user({"password": password})
    with refused("invalid_credentials", 400):
        await client.auth.sign_in_with_password(person.credentials)
    await client.auth.sign_in_with_password({"email": person.email, "password": password})


async def a_short_password_is_refused_with_its_reason(context: ContractContext) -> None:
    client, _ = await context.signed_in_before()
    with pytest.raises(AuthWeakPasswordError) as refusal:
        await client.auth.update_user({"password": "tiny"})
    assert "length" in refusal.value.reasons
    assert refusal.value.status == 422


async def an_anonymous_sign_in_answers_an_anonymous_user(context: ContractContext) -> None:
    if not context.target.lets_stay_anonymous:
        pytest.skip("this project has no anonymous users")
    client = await context.client()
    answer = await client.auth.sign_in_anonymously()
    context.user_ids.append(answer.user.id)
    assert answer.user.is_anonymous
    claims = (await client.auth.get_claims(answer.session.access_token))["claims"]
    assert claims["is_anonymous"] is True
    assert claims["role"] == "authenticated"


async def the_token_of_a_session_that_ended_is_refused(context: ContractContext) -> None:
    client, _ = await context.signed_in()
    token = (await client.auth.get_session()).access_token
    await client.auth.sign_out()
    with refused("session_not_found", 403):
        await client.auth.get_user(token)


async def get_claims_verifies_a_token(context: ContractContext) -> None:
    client, person = await context.signed_in_before()
    session = await client.auth.get_session()
    claims = (await client.auth.get_claims(session.access_token))["claims"]
    assert claims["sub"] == person.id
    assert claims["aud"] == claims["role"] == "authenticated"
    assert claims["iss"] == f"{context.target.url}/auth/v1"
    assert claims["email"] == person.email
    assert claims["session_id"]
    header, payload, signature = session.access_token.split(".")
    with pytest.raises((AuthInvalidJwtError, AuthApiError)):
        await client.auth.get_claims(f"{header}.{payload}.{signature[::-1]}")


async def the_service_key_creates_finds_and_deletes_a_user(context: ContractContext) -> None:
    admin = context.service.auth.admin
    person = await context.person(user_metadata={"first_name": "Ada"})
    found = (await admin.get_user_by_id(person.id)).user
    assert found.email == person.email
    assert found.user_metadata["first_name"] == "Ada"
    await admin.delete_user(person.id)
    context.user_ids.remove(person.id)
    with refused("user_not_found", 404):
        await admin.get_user_by_id(person.id)


async def a_user_that_is_deleted_is_not_found(context: ContractContext) -> None:
    client, person = await context.signed_in()
    token = (await client.auth.get_session()).access_token
    await context.service.auth.admin.delete_user(person.id)
    context.user_ids.remove(person.id)
    with refused("user_not_found", 403):
        await client.auth.get_user(token)


async def a_soft_deleted_user_keeps_an_id_and_nothing_personal(context: ContractContext) -> None:
    client, person = await context.signed_in()
    token = (await client.auth.get_session()).access_token
    admin = context.service.auth.admin
    await admin.delete_user(person.id, should_soft_delete=True)
    left = (await admin.get_user_by_id(person.id)).user
    assert person.email not in (left.email, str(left.identities))
    assert left.user_metadata == {}
    with refused("session_not_found", 403):
        await client.auth.get_user(token)
    with refused("invalid_credentials", 400):
        await (await context.client()).auth.sign_in_with_password(
            {"email": person.email, "password": person.password}
        )


async def a_banned_user_neither_signs_in_nor_stays(context: ContractContext) -> None:
    client, person = await context.signed_in()
    admin = context.service.auth.admin
    await admin.update_user_by_id(person.id, {"ban_duration": "1h"})
    with refused("user_banned", 400):
        await client.auth.refresh_session()
    await admin.update_user_by_id(person.id, {"ban_duration": "none"})
    await client.auth.refresh_session()


async def only_the_service_key_administers_users(context: ContractContext) -> None:
    client, person = await context.client(), await context.person()
    with refused("not_admin", 403):
        await client.auth.admin.get_user_by_id(person.id)
