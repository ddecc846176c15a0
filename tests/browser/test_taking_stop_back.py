"""Stop buys nothing more, and can be taken back."""

import pytest
from playwright.sync_api import Route

from tests.browser.deployment import Deployment
from tests.browser.listener import Listener, Open
from tests.fixtures.waiting import wait_until

PIECES = 4


def is_cancelled(deployment: Deployment) -> bool:
    return "cancelled_at" in deployment.last_run()["metadata"]


def count_runs(deployment: Deployment) -> int:
    return len(deployment.query("select id from parcours_runs"))


def is_started(deployment: Deployment) -> bool:
    started = "select true from parcours_events where run_id = %s and what = 'run.started'"
    return bool(deployment.query(started, deployment.last_run()["id"]))


def stop_while_composing(listener: Listener, deployment: Deployment) -> None:
    """As soon as the first piece has been bought, and the page knows the run, which it starts."""
    runs = count_runs(deployment)
    listener.tap_start()
    wait_until(lambda: count_runs(deployment) > runs)
    wait_until(lambda: sum(deployment.bought()) == 1 and is_started(deployment))
    listener.press("stop")


def test_what_was_not_bought_is_not_and_one_tap_has_it_after_all(
    listener: Listener, deployment: Deployment
) -> None:
    stop_while_composing(listener, deployment)
    wait_until(lambda: deployment.last_run()["status"] == "failed")
    assert is_cancelled(deployment)
    first, *others = deployment.segments()
    assert (first["status"], {other["status"] for other in others}) == ("complete", {"failed"})
    assert deployment.bought() == [1, 0, 0, 0]

    listener.page.evaluate("location.hash = 'runs'")
    listener.page.locator(".run").filter(has_text="Arrêté").wait_for()
    listener.page.evaluate("location.hash = 'listen'")
    listener.press("resume")
    listener.wait_for_music()
    wait_until(lambda: deployment.last_run()["status"] == "ready", 60)
    assert deployment.bought() == [1] * PIECES
    assert not is_cancelled(deployment)
    assert listener.errors == []


def test_a_stopped_journey_is_taken_up_from_the_list(
    listener: Listener, deployment: Deployment
) -> None:
    stop_while_composing(listener, deployment)
    wait_until(lambda: deployment.last_run()["status"] == "failed")
    listener.press("home")
    listener.follow("runs")
    listener.page.locator(".run").filter(has_text="Arrêté").get_by_role("button").click()
    listener.wait_for_music()
    wait_until(lambda: not is_cancelled(deployment))


def test_stop_and_resume_within_a_second_leave_the_run_composed(
    listener: Listener, deployment: Deployment
) -> None:
    stop_while_composing(listener, deployment)
    for _ in range(3):
        listener.press("resume")
        listener.press("stop")
    listener.press("resume")
    listener.wait_for_music()
    wait_until(lambda: deployment.last_run()["status"] == "ready", 60)
    assert deployment.bought() == [1] * PIECES


def test_the_music_comes_back_at_its_place(open_listener: Open, deployment: Deployment) -> None:
    deployment.tune(signal="chirp")
    listener = open_listener(bed=False)
    listener.tap_start()
    listener.wait_for_music()
    listener.listen_for(5)
    listener.press("stop")
    listener.listen_for(1)
    listener.press("resume")
    listener.wait_for_music()
    listener.listen_for(3)

    heard = listener.recording()
    stopped, resumed = heard.mark("click Stop").at, heard.mark("click Reprendre").at
    begun = heard.between(resumed, heard.ends).first_sound()
    assert begun is not None
    before = heard.place(stopped - 0.5, stopped)
    assert abs(heard.place(begun, begun + 0.5) - before) < 1
    assert heard.between(stopped + 0.1, resumed).first_sound(-90) is None


def test_a_second_tap_on_stop_does_not_take_it_back(listener: Listener) -> None:
    listener.tap_start()
    listener.wait_for_music()
    box = listener.button("stop").bounding_box()
    assert box is not None
    place = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    listener.page.mouse.dblclick(*place)
    listener.wait_for_button("resume")
    listener.page.mouse.click(*place)
    listener.listen_for(1)

    assert listener.button("resume").is_visible()
    assert listener.playing() == []


def test_a_tab_that_is_closed_right_after_stop_buys_nothing_more(
    listener: Listener, deployment: Deployment
) -> None:
    stop_while_composing(listener, deployment)
    listener.page.close()
    wait_until(lambda: is_cancelled(deployment))
    assert deployment.bought() == [1, 0, 0, 0]


def test_stop_without_a_network_is_told_when_it_is_back(
    listener: Listener, deployment: Deployment
) -> None:
    deployment.tune(complete_s=1e9)
    listener.tap_start()
    listener.wait_for_music()
    listener.context.set_offline(True)
    listener.press("stop")
    listener.listen_for(2)
    assert not is_cancelled(deployment)
    listener.context.set_offline(False)
    wait_until(lambda: is_cancelled(deployment))
    assert deployment.bought() == [1, 0, 0, 0]


@pytest.mark.parametrize("taken_back", [False, True])
def test_stop_before_the_run_is_known(
    listener: Listener, deployment: Deployment, taken_back: bool
) -> None:
    held: list[Route] = []
    runs = count_runs(deployment)
    listener.page.route("**/parcours-xl-create", lambda route: held.append(route))
    with listener.page.expect_request("**/parcours-xl-create"):
        listener.tap_start()
    listener.press("stop")
    listener.page.unroute("**/parcours-xl-create")
    if taken_back:
        listener.press("resume")
    held[0].continue_()
    if taken_back:
        listener.wait_for_music()
        assert not is_cancelled(deployment)
    else:
        wait_until(lambda: count_runs(deployment) > runs)
        wait_until(lambda: is_cancelled(deployment))
        # FIRST_SEGMENT_EARLY: create may have submitted the first piece before it was known.
        assert sum(deployment.bought()[1:]) == 0
    assert count_runs(deployment) == runs + 1
