"""The reserve is filled, given to a listener, and renewed."""

import asyncio

import httpx
import pytest

from parcours_xl.clients.clients import Clients
from parcours_xl.clients.operations_queries import Day, Gauges
from parcours_xl.clients.reserve import ReservePiece
from parcours_xl.domain.presets import find_preset
from parcours_xl.operations.reserve import FillPlan, fill, go_on_filling, plan_fill, read_limits
from parcours_xl.services.reserve import PIECE_TRIES_MAX, ReserveService
from parcours_xl.wiring import wire_reserve
from tests.fixtures.records import Records
from tests.fixtures.service import MakeSettings, endpoint
from tests.fixtures.users import Person
from tests.fixtures.vendors import Vendor

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("quiet", "suno")]

KEY = "00-universel-reset"


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    # The simulated Suno composes in a fraction of a second.
    monkeypatch.setattr("parcours_xl.operations.reserve.LOOK_EVERY_S", 0.1)


@pytest.fixture
def filler(clients: Clients, make_settings: MakeSettings) -> ReserveService:
    return wire_reserve(clients, make_settings())


async def filled(clients: Clients, filler: ReserveService, settings: MakeSettings) -> FillPlan:
    plan = await plan_fill(clients.reserve, 2, KEY)
    told: list[tuple[int, int]] = []
    ended = await fill(
        filler, clients.reserve, plan, read_limits(settings(), 2), lambda *step: told.append(step)
    )
    assert (ended.missing, ended.why) == ({}, None)
    assert told[0] == (0, 2) and told[-1] == (2, 2)
    return plan


async def pieces_of(clients: Clients) -> list[ReservePiece]:
    return (await clients.reserve.read()).of(KEY).pieces


async def ask(service: httpx.AsyncClient, who: Person, key: str = KEY) -> httpx.Response:
    return await service.post(
        endpoint("parcours-xl-reserve"), json={"presetKey": key}, headers=who.headers
    )


async def test_a_fill_costs_what_it_says_and_is_given_to_a_listener(
    clients: Clients,
    filler: ReserveService,
    make_settings: MakeSettings,
    service: httpx.AsyncClient,
    owner: Person,
) -> None:
    assert (await ask(service, owner)).json() == {"pieces": []}
    plan = await filled(clients, filler, make_settings)
    assert (plan.missing, plan.tasks, plan.credits) == ({KEY: 2}, 1, 12)
    assert (await clients.reserve.read()).spent == 12
    pieces = (await ask(service, owner, "universel-reset")).json()["pieces"]
    assert len(pieces) == 2
    async with httpx.AsyncClient() as player:
        for piece in pieces:
            assert set(piece) == {"id", "url", "seconds", "loudnessLufs"}
            assert piece["seconds"] > 1
            part = await player.get(piece["url"], headers={"range": "bytes=0-99"})
            assert (part.status_code, len(part.content)) == (206, 100)
            assert f"/reserve/{KEY}/{piece['id']}.mp3" in piece["url"]


async def test_who_may_ask_and_for_what(service: httpx.AsyncClient, owner: Person) -> None:
    asked = await service.post(endpoint("parcours-xl-reserve"), json={"presetKey": KEY})
    assert asked.status_code == 401
    assert (await ask(service, owner, "no-such-preset")).status_code == 400


async def test_a_second_fill_buys_nothing(
    clients: Clients, filler: ReserveService, make_settings: MakeSettings, suno: Vendor
) -> None:
    await filled(clients, filler, make_settings)
    assert (await plan_fill(clients.reserve, 2, KEY)).missing == {}
    outcome, _ = await filler.begin(find_preset(KEY), read_limits(make_settings(), 2))
    assert outcome == "full"


async def test_a_refusal_ends_the_fill_and_costs_nothing(
    clients: Clients, filler: ReserveService, make_settings: MakeSettings, suno: Vendor
) -> None:
    suno.fail("bad_key", times=0)
    plan = await plan_fill(clients.reserve, 2, KEY)
    ended = await fill(
        filler, clients.reserve, plan, read_limits(make_settings(), 2), lambda *_: None
    )
    assert (ended.missing, ended.why) == ({KEY: 2}, "refused")
    assert (await clients.reserve.read()).spent == 0


async def test_a_dropped_piece_is_gone_from_storage(
    clients: Clients, filler: ReserveService, make_settings: MakeSettings, records: Records
) -> None:
    await filled(clients, filler, make_settings)
    [piece, _] = (await clients.reserve.read()).of(KEY).pieces
    await filler.drop(piece.id)
    names = "select name from storage.objects where name like 'reserve/%%'"
    kept = [row["name"] for row in records.all(names)]
    assert not any(str(piece.id) in name for name in kept)
    [left] = (await clients.reserve.read()).of(KEY).pieces
    assert not left.missing


async def test_a_file_that_is_missing_is_told_and_not_given(
    clients: Clients,
    filler: ReserveService,
    make_settings: MakeSettings,
    service: httpx.AsyncClient,
    owner: Person,
) -> None:
    await filled(clients, filler, make_settings)
    [lost, kept] = (await clients.reserve.read()).of(KEY).pieces
    await clients.storage.delete([f"reserve/{KEY}/{lost.id}.mp3"])
    stock = (await clients.reserve.read()).of(KEY)
    assert (stock.ready, [piece.missing for piece in stock.pieces]) == (1, [True, False])
    given = (await ask(service, owner)).json()["pieces"]
    assert [piece["id"] for piece in given] == [str(kept.id)]


async def test_a_piece_whose_host_is_away_is_waited_for_and_not_bought_again(
    clients: Clients, filler: ReserveService, make_settings: MakeSettings, suno: Vendor
) -> None:
    limits = read_limits(make_settings(), 2)
    suno.fail("missing", times=0, status=503)
    assert (await filler.begin(find_preset(KEY), limits))[0] == "submitted"
    while not (await clients.reserve.read()).of(KEY).pieces:
        await filler.go_on()
    for _ in range(PIECE_TRIES_MAX):
        assert (await filler.go_on())["open"] == 2
    assert (await filler.begin(find_preset(KEY), limits))[0] == "full"
    suno.recover()
    assert (await filler.go_on())["stored"] == 2
    assert (await clients.reserve.read()).spent == 12


async def test_an_address_that_has_expired_is_asked_for_anew_and_nothing_is_bought_again(
    clients: Clients,
    filler: ReserveService,
    make_settings: MakeSettings,
    suno: Vendor,
    records: Records,
) -> None:
    suno.fail("missing", times=0, status=503)
    await filler.begin(find_preset(KEY), read_limits(make_settings(), 2))
    while not (await clients.reserve.read()).of(KEY).pieces:
        await filler.go_on()
    suno.recover()
    dead = f"{suno.url}/files/dead.mp3"
    records.do("update parcours.reserve_pieces set download_url = %s", dead)
    while any(piece.status == "storing" for piece in await pieces_of(clients)):
        await filler.go_on()
    assert [piece.status for piece in await pieces_of(clients)] == ["ready", "ready"]
    assert (await clients.reserve.read()).spent == 12


async def test_a_file_that_is_no_music_is_dropped_in_the_end(
    clients: Clients, filler: ReserveService, make_settings: MakeSettings, suno: Vendor
) -> None:
    suno.fail("html", times=0)
    await filler.begin(find_preset(KEY), read_limits(make_settings(), 2))
    while not (await clients.reserve.read()).of(KEY).pieces:
        await filler.go_on()
    while await pieces_of(clients):
        done = await filler.go_on()
        assert done["stored"] == 0


async def test_with_suno_down_ready_pieces_are_given_and_a_run_waits(
    clients: Clients,
    filler: ReserveService,
    make_settings: MakeSettings,
    service: httpx.AsyncClient,
    owner: Person,
    suno: Vendor,
) -> None:
    await filled(clients, filler, make_settings)
    suno.fail("maintenance", times=0, match={"call": "*"})
    created = await service.post(
        endpoint("parcours-xl-create"),
        json={"presetKey": KEY, "emotionState": "fear-0.8"},
        headers=owner.headers,
    )
    assert created.status_code == 200
    pieces = (await ask(service, owner)).json()["pieces"]
    assert len(pieces) == 2
    async with httpx.AsyncClient() as player:
        for piece in pieces:
            assert (await player.get(piece["url"])).status_code == 200
    outcome, _ = await filler.begin(find_preset(KEY), read_limits(make_settings(), 4))
    assert outcome == "refused", "nothing is bought while Suno is down"
    assert (await clients.reserve.read()).spent == 12


GAUGES = Gauges(
    credits=60,
    credits_read_at=None,
    account_refused_at=None,
    jobs_given_up=0,
    jobs_unreadable=0,
    day=Day(runs=0, credits=40),
    maintenance_due_at=None,
)


@pytest.mark.parametrize(
    ("left", "spares"),
    [(60, True), (59, False), (None, False)],
)
async def test_the_worker_buys_only_with_credits_to_spare(
    clients: Clients,
    filler: ReserveService,
    make_settings: MakeSettings,
    left: float | None,
    spares: bool,
) -> None:
    settings = make_settings(reserve_per_preset=1)
    await go_on_filling(filler, settings, GAUGES.model_copy(update={"credits": left}))
    assert (await clients.reserve.read()).spent == (12 if spares else 0)


async def test_two_who_fill_at_once_leave_every_piece_its_file(
    clients: Clients, filler: ReserveService, make_settings: MakeSettings, suno: Vendor
) -> None:
    suno.fail("missing", times=0, status=503)
    await filler.begin(find_preset(KEY), read_limits(make_settings(), 2))
    while not (await clients.reserve.read()).of(KEY).pieces:
        await filler.go_on()
    suno.recover()
    both = await asyncio.gather(filler.go_on(), filler.go_on())
    assert not any(done["dropped"] for done in both)
    assert (await clients.reserve.read()).of(KEY).ready == 2
