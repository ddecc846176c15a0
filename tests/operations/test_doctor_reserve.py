"""What the doctor says of the reserve, and what `--fix` does about it."""

import pytest

from parcours_xl.clients.clients import Clients
from parcours_xl.operations.reserve import fill, plan_fill, read_limits
from parcours_xl.wiring import wire_reserve
from tests.fixtures.operator import Operator
from tests.fixtures.records import Records
from tests.fixtures.service import MakeSettings

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet", "suno")]

KEY = "00-universel-reset"


def found(operator: Operator, *words: str, **settings: str) -> dict[str, str]:
    told = operator.run("doctor", "--json", *words, **settings)
    [part] = [part for part in told.json["parts"] if part["part"] == "reserve"]
    return {finding["name"]: finding["message"] for finding in part["findings"]}


async def test_a_piece_without_a_file_is_found_and_taken_out(
    clients: Clients, make_settings: MakeSettings, operator: Operator, records: Records
) -> None:
    plan = await plan_fill(clients.reserve, 2, KEY)
    service = wire_reserve(clients, make_settings())
    await fill(service, clients.reserve, plan, read_limits(make_settings(), 2), lambda *_: None)
    assert found(operator) == {}
    assert "reserve_low" in found(operator, RESERVE_PER_PRESET="2"), "nineteen presets have none"

    [lost, _] = (await clients.reserve.read()).of(KEY).pieces
    await clients.storage.delete([f"reserve/{KEY}/{lost.id}.mp3"])
    assert found(operator) == {"reserve_lost": "pieces of the reserve without a file in Storage: 1"}
    found(operator, "--fix")
    assert found(operator) == {}
    assert (await clients.reserve.read()).of(KEY).ready == 1


@pytest.mark.parametrize("name", ["SUNO_API_KEY", "CALLBACK_BASE"])
def test_nothing_is_bought_without_the_settings_of_the_service(
    operator: Operator, records: Records, name: str
) -> None:
    told = operator.run("reserve", "fill", "--per-preset", 2, "--yes", **{name: ""})
    assert told.status == 2
    assert name in told.err
    assert records.all("select true from parcours.reserve_tasks") == []
