"""The full journey where a name is asked for, and an anonymous listener who keeps theirs."""

import json
import re
from uuid import uuid4

from tests.browser.deployment import Deployment
from tests.browser.listener import Listener
from tests.browser.screens import FIRST_CARD, no_anonymous_listeners
from tests.browser.words import WRITTEN
from tests.fixtures.waiting import wait_until

PASSWORD = "une phrase assez longue"
PIECES = 4


def test_from_sign_up_to_the_end(listener: Listener, deployment: Deployment) -> None:
    page, email = listener.page, f"{uuid4()}@example.org"
    deployment.tune(speed=300)
    card = page.get_by_role("listitem").get_by_role("link").nth(FIRST_CARD)
    title = card.locator(".card-title").inner_text()
    card.click()
    page.get_by_role("radio", name="Forte").check(force=True)
    with no_anonymous_listeners(listener), page.expect_request("**/parcours-xl-create") as asked:
        listener.press("start")
        page.get_by_text("Votre choix est gardé").filter(has_text=title).wait_for()
        listener.press("no account")
        listener.say("email", email)
        listener.say("new password", PASSWORD)
    listener.wait_for_music()
    options = json.loads(asked.value.post_data or "{}")
    run = deployment.last_run()
    assert options["presetKey"] == run["preset_key"]
    assert options["emotionState"].endswith("-0.8"), "how strong it is was asked on the card"
    [owner] = deployment.query(
        "select email, is_anonymous from auth.users where id = %s", run["user_id"]
    )
    assert (owner["email"], owner["is_anonymous"]) == (email, False)

    wait_until(lambda: deployment.last_run()["status"] == "ready", 60)
    _hear_the_last_seconds(listener)
    listener.wait_for_title("La musique est terminée")
    page.get_by_role("radio", name="8", exact=True).check(force=True)
    page.get_by_role("heading", name="Quelqu'un peut vous répondre").wait_for()
    page.get_by_text("C'est noté.").wait_for()
    wait_until(lambda: deployment.last_run()["suds_end"] == 8, 60)
    listener.press("home")
    listener.follow("runs")
    page.locator(".run").filter(has_text=title).wait_for()
    assert listener.errors == []


def test_an_anonymous_listener_keeps_their_journeys(
    listener: Listener, deployment: Deployment
) -> None:
    page, email = listener.page, f"{uuid4()}@example.org"
    listener.tap_start()
    page.locator(WRITTEN).wait_for()
    owner = deployment.last_run()["user_id"]
    listener.press("stop")
    page.get_by_text("Vos parcours ne sont gardés que dans ce navigateur.").wait_for()
    listener.follow("keep")
    listener.say("email", email)
    listener.say("new password", PASSWORD)
    page.get_by_text("C'est fait. Vous retrouverez vos parcours sur tous vos appareils.").wait_for()

    [kept] = deployment.query("select id, is_anonymous from auth.users where email = %s", email)
    assert (kept["id"], kept["is_anonymous"]) == (owner, False)
    listener.follow("runs")
    page.locator(".run").first.wait_for()
    assert "ne sont gardés que dans ce navigateur" not in listener.text()


def _hear_the_last_seconds(listener: Listener) -> None:
    """Forward to the last piece, then to its end."""
    here = re.search(r"Morceau (\d)", listener.page.get_by_role("heading", level=1).inner_text())
    assert here, "the title says which piece it is"
    listener.press("more")
    for piece in range(int(here[1]) + 1, PIECES + 1):
        listener.press("next piece")
        listener.wait_for_title(f"Morceau {piece} sur {PIECES}")
    listener.page.get_by_role("slider").first.press("End")
    listener.press("close")
