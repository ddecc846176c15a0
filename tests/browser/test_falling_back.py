"""When a source fails or the network goes, the music goes on."""

import pytest
from playwright.sync_api import Route

from tests.browser.deployment import Deployment
from tests.browser.listener import Listener, Open
from tests.browser.recording import Recording
from tests.browser.screens import answered

NO_NETWORK = "La connexion est coupée. La musique déjà reçue continue."
SECOND = "Morceau 2 sur"
KEPT = """async () => {
  await navigator.serviceWorker.ready;
  const pages = async () => (await (await caches.open("parcours-xl-page-1")).keys()).length;
  while ((await pages()) === 0) await new Promise((next) => setTimeout(next, 20));
}"""
"""Until the page has been kept for later."""
SIGNED = "address.includes('/object/sign/')"


def never_silent(heard: Recording) -> bool:
    """From the first sound until now."""
    first = heard.first_sound(-60)
    assert first is not None
    return heard.between(first + 0.05, heard.ends).silences() == []


def is_heard(heard: Recording, hertz: float) -> bool:
    """Loud enough to be music, not the skirt of another tone."""
    return bool(heard.tone(hertz).max() > 0.02)


def test_where_signing_fails_the_previews_are_the_music(
    listener: Listener, deployment: Deployment
) -> None:
    with answered(listener.page, "**/sign-track", 500, {"error": "away"}):
        listener.start_with_a_final_soon()
        listener.wait_for_title(SECOND)
        listener.listen_for(1)
        heard = listener.recording()

    assert never_silent(heard)
    for place in (0, 1):
        preview, _ = deployment.tones(place)
        assert is_heard(heard, preview)
    assert not is_heard(heard, deployment.tones(0)[1])
    assert not [address for address in listener.fetched if "/object/sign/" in address]
    assert [address for address in listener.fetched if "/sign-track" in address], "it was asked"


def test_an_address_that_has_expired_is_signed_once_more(
    listener: Listener, deployment: Deployment
) -> None:
    signed: list[str] = []

    def spoil_the_first(route: Route) -> None:
        answer = route.fetch()
        url = answer.json()["url"]
        # Storage refuses a broken signature with the very words it has for an expired one.
        signed.append(url if signed else f"{url}x")
        route.fulfill(response=answer, json={"url": signed[-1]})

    listener.page.route("**/sign-track", spoil_the_first)
    listener.start_with_a_final_soon()
    listener.wait_for_playing(f"playing.length === 1 && playing[0].{SIGNED}")
    listener.listen_for(1)
    heard = listener.recording()

    assert len(signed) == 2
    assert all(address in listener.fetched for address in signed)
    assert is_heard(heard, deployment.tones(0)[1]), "the same piece's final, from the fresh address"
    assert never_silent(heard)


@pytest.mark.parametrize("what", ["the browser is offline", "the gateway is away"])
def test_without_a_network_the_music_goes_on_and_everything_comes_back_alone(
    listener: Listener, deployment: Deployment, what: str
) -> None:
    listener.tap_start()
    listener.wait_for_music()
    if what == "the browser is offline":
        listener.context.set_offline(True)
    else:
        deployment.tcp_proxy.cut()
    listener.wait_for_words(NO_NETWORK)
    listener.listen_for(1)
    listener.context.set_offline(False)
    deployment.tcp_proxy.recover()
    listener.page.get_by_text(NO_NETWORK).first.wait_for(state="hidden")
    listener.wait_for_title(SECOND, 60)
    listener.listen_for(1)

    assert never_silent(listener.recording())


def test_a_preview_host_without_cors_is_heard_past_the_graph_then_crossed(
    listener: Listener, deployment: Deployment
) -> None:
    deployment.fail("no_cors", times=0, match={"media": "stream"})
    listener.start_with_a_final_soon()
    listener.wait_for_playing("playing.some(({ graph, volume }) => !graph && volume > 0.3)")
    [preview] = [one for one in listener.playing() if not one.graph]
    assert "/streams/" in preview.address
    listener.wait_for_playing(f"playing.some(({{ graph, address }}) => graph && {SIGNED})")
    final = next(one for one in listener.playing() if one.graph)
    listener.wait_for_playing("playing.every(({ graph }) => graph)")
    listener.listen_for(1)

    assert final.at > 2, "at the same place, not from its beginning"
    assert listener.recording().first_sound() is not None, "now it is in the graph"


def test_help_is_there_signed_out_and_without_a_network(open_listener: Open) -> None:
    listener = open_listener(bed=False, offline_page=True)
    listener.page.evaluate(KEPT)
    listener.context.set_offline(True)
    listener.page.reload()
    listener.press("help")

    for number in ("15", "112", "3114"):
        link = listener.page.get_by_role("dialog").locator(f'a.help-line[href="tel:{number}"]')
        assert link.is_visible()
    assert not [address for address in listener.fetched if "/auth/v1/" in address], "signed out"
