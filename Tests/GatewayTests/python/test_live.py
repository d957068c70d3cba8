"""Live streams on the page, with Chromium's fake camera."""

import json

from playwright.sync_api import expect

from browser import draw, keys, lit, painted, shot, show, unnamed
from programs import until


def test_the_camera_is_analysed_live_with_the_age_of_each_frame(mesh, page):
    show(page, "Live")
    page.get_by_role("button", name="Start").click()
    until("boxes are drawn over the camera's picture", lambda: painted(page, "#live-stage") > 500)
    expect(page.locator("#live-tiles")).to_contain_text("ms")
    draw(page, "#live", "Draw a zone", [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98)])
    page.keyboard.press("Enter")
    expect(page.locator("#live-events li").first).to_be_visible()
    expect(page.locator("#live-list")).to_contain_text("shown above")
    shot(page, "live")
    assert unnamed(page) == []
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#live-list")).not_to_contain_text("shown above")
    until("the stream is gone or over", lambda: all(
        stream["state"] == "ended" for stream in mesh.get_json("/v1/streams")["streams"]))


def test_a_camera_that_is_taken_away_is_told_and_its_stream_ends(mesh, page):
    page.evaluate("""() => {
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => (window.media = await open(wanted));
    }""")
    show(page, "Live")
    page.get_by_role("button", name="Start").click()
    until("boxes are drawn over the camera's picture", lambda: painted(page, "#live-stage") > 500)
    page.evaluate("window.media.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    expect(page.locator("#notices")).to_contain_text("There is no picture of the camera")
    expect(page.locator("#notices")).to_contain_text("The camera was taken away.")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    until("the stream is gone or over", lambda: all(
        stream["state"] == "ended" for stream in mesh.get_json("/v1/streams")["streams"]))


def test_a_camera_that_the_gateway_may_not_call_is_nobodys_token(page):
    show(page, "Live")
    page.get_by_label("Source").select_option(label="Camera on the network")
    page.get_by_label("Address").fill("rtsp://camera.example/stream")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#notices")).to_contain_text("This gateway does not allow that")
    expect(page.locator("#notices")).to_contain_text("--stream-allow")
    expect(page.locator("#notices")).not_to_contain_text("token")


MOVING = "#live-stage canvas:not(.overlay)"


def test_a_camera_on_the_network_is_watched_and_what_becomes_of_it_is_told(caller, http_camera, visit):
    page = visit(caller.url)
    show(page, "Live")
    expect(page.locator("#live-list")).to_contain_text("No streams yet.")
    page.get_by_label("Source").select_option(label="Camera on the network")
    page.get_by_label("Address").fill(http_camera.url)
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#live-status")).to_have_text("Live.")
    until("its picture is shown", lambda: lit(page, MOVING) > 20)
    age = page.locator("#live-tiles .tile").filter(has_text="Age of the frame shown").locator("b")
    expect(age).to_contain_text("ms")
    expect(page.locator("#live-list .pill")).to_have_text("live")
    shot(page, "live-network")

    # Somebody else looks on.
    other = visit(caller.url)
    show(other, "Live")
    other.get_by_role("button", name=f"Watch {http_camera.url}").click()
    until("its picture is shown to both", lambda: lit(other, MOVING) > 20)
    assert unnamed(other) == []
    other.get_by_role("button", name=f"Leave {http_camera.url}").click()

    http_camera.silent.set()
    expect(page.locator("#live-stage .stage-note")).to_contain_text("No new frames")
    # The picture is still there, and it is an old one.
    expect(page.locator("#live-tiles .tile.warn")).to_contain_text("Age of the frame shown")
    shot(page, "live-silent")
    http_camera.silent.clear()
    expect(page.locator("#live-status")).to_have_text("Live.")
    expect(page.locator("#live-stage .stage-note")).to_be_hidden()

    http_camera.stop()
    expect(page.locator("#live-status")).to_contain_text("The stream has failed")
    expect(page.locator("#live-list")).to_contain_text("failed")
    shot(page, "live-failed")
    page.get_by_role("button", name=f"Remove {http_camera.url}").click()
    expect(page.locator("#live-list")).to_contain_text("No streams yet.")


def test_corners_are_moved_with_the_keyboard_and_their_places_are_told(caller, http_camera, visit):
    page = visit(caller.url)
    show(page, "Live")
    page.get_by_label("Source").select_option(label="Camera on the network")
    page.get_by_label("Address").fill(http_camera.url)
    page.get_by_role("button", name="Start").click()
    until("its picture is shown", lambda: lit(page, MOVING) > 20)
    tools = page.locator("#live-tools")
    said = tools.get_by_role("status")

    # A triangle around the middle of 640 x 480, then its name is where the keyboard is.
    tools.get_by_role("button", name="Draw a zone").press("Enter")
    keys(page, *["Shift+ArrowUp"] * 3, " ", *["Shift+ArrowDown"] * 6, " ", *["Shift+ArrowRight"] * 4)
    expect(said).to_have_text("480, 360")
    keys(page, " ", "Enter")
    assert page.evaluate("document.activeElement.value") == "zone-1"

    tools.get_by_role("button", name="Move corners").press("Enter")
    expect(said).to_have_text("corner 1 of 3 of zone-1 at 320, 120")
    keys(page, " ")
    expect(said).to_have_text("corner 2 of 3 of zone-1 at 320, 360")
    keys(page, "ArrowLeft", "ArrowLeft", "ArrowDown")
    expect(said).to_have_text("310, 365")
    keys(page, "Shift+ ")
    expect(said).to_have_text("corner 1 of 3 of zone-1 at 320, 120")
    keys(page, "Escape")
    # Back where it came from.
    assert page.evaluate("document.activeElement.textContent") == "Move corners"

    def points():
        _, _, body = caller.send("GET", "/v1/streams")
        zones = json.loads(body)["streams"][0]["areas"]["zones"]
        return zones and zones[0]["points"]

    until("the gateway knows it", lambda: points() == [[320, 120], [310, 365], [480, 360]])
    shot(page, "live-corners")
