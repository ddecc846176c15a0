"""One embedded project: what it keeps, and what it draws anew."""

import json
import socket
import stat
from pathlib import Path

import jwt
import pytest

from parcours_dev.errors import LocalError
from parcours_dev.supabase.project import LocalProject, load_project, open_project


def port_fields(project: LocalProject) -> list[int]:
    names = ("port", "postgres_port", "postgrest_port", "postgrest_admin_port")
    more = ("functions_port", "suno_port", "openai_port")
    return [getattr(project, name) for name in names + more]


def test_keys_and_the_gateway_port_stay_when_a_project_is_opened_again(tmp_path: Path) -> None:
    first = open_project(tmp_path / "state", port=0)
    again = open_project(tmp_path / "state")
    for name in ("port", "database_password", "jwt_secret", "signing_key", "service_role_key"):
        assert getattr(again, name) == getattr(first, name)


def test_the_simulators_are_where_runs_in_flight_look_for_them(tmp_path: Path) -> None:
    first = open_project(tmp_path, port=0)
    again = open_project(tmp_path)
    assert (again.suno_url, again.openai_url) == (first.suno_url, first.openai_url)
    with socket.create_server(("127.0.0.1", first.suno_port)):
        moved = open_project(tmp_path)
    assert moved.suno_port != first.suno_port
    assert moved.openai_port == first.openai_port


def test_the_gateway_listens_where_clients_of_supabase_expect_it(tmp_path: Path) -> None:
    assert open_project(tmp_path).url == "http://127.0.0.1:54321"
    assert open_project(tmp_path, port=54400).url == "http://127.0.0.1:54400"


def test_every_server_gets_a_port_of_its_own(tmp_path: Path) -> None:
    ports = port_fields(open_project(tmp_path, port=0))
    assert len(set(ports)) == len(ports) == 7


def test_another_process_reads_the_very_same_project(tmp_path: Path) -> None:
    assert open_project(tmp_path, port=0) == load_project(tmp_path)


def test_the_project_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    open_project(tmp_path)
    assert stat.S_IMODE((tmp_path / "project.json").stat().st_mode) == 0o600


def test_no_secret_shows_in_the_project_s_own_text(tmp_path: Path) -> None:
    project = open_project(tmp_path)
    for secret in (project.database_password, project.jwt_secret, project.service_role_key):
        assert secret not in repr(project)


def test_api_keys_are_tokens_of_their_role_for_ten_years(tmp_path: Path) -> None:
    project = open_project(tmp_path)
    for role, key in (("anon", project.anon_key), ("service_role", project.service_role_key)):
        claims = jwt.decode(key, project.jwt_secret, algorithms=["HS256"])
        assert (claims["role"], claims["iss"]) == (role, "supabase-demo")
        assert claims["exp"] - claims["iat"] == 3650 * 24 * 3600


def test_the_public_key_set_verifies_what_the_signing_key_signed(tmp_path: Path) -> None:
    project = open_project(tmp_path)
    token = jwt.encode({"sub": "somebody"}, jwt.PyJWK(project.signing_key).key, "ES256")
    [public] = jwt.PyJWKSet.from_dict(project.jwks_public).keys
    assert jwt.decode(token, public.key, algorithms=["ES256"]) == {"sub": "somebody"}


def test_the_public_key_set_holds_nothing_private(tmp_path: Path) -> None:
    project = open_project(tmp_path)
    [key] = project.jwks_public["keys"]
    assert "d" not in key
    assert key["kid"] == project.signing_key["kid"]
    assert project.signing_key["d"] not in json.dumps(project.jwks_verification)


def test_a_damaged_project_file_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "project.json").write_text("{")
    with pytest.raises(LocalError, match=r"project\.json is damaged; start again with --fresh\.$"):
        open_project(tmp_path)


def test_a_project_file_of_an_older_shape_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "project.json").write_text('{"port": 54321}')
    with pytest.raises(LocalError, match="lacks anon_key, database_password"):
        open_project(tmp_path)


def test_a_state_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match=r"The state folder .* cannot be used"):
        open_project(tmp_path / "file" / "state")
