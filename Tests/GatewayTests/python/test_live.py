"""Live streams on the page, with Chromium's fake camera."""

from playwright.sync_api import expect

from browser import draw, painted, shot, show
from mesh import until



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
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#live-list")).not_to_contain_text("shown above")
    until("the stream is gone or over", lambda: all(
        stream["state"] == "ended" for stream in mesh.get_json("/v1/streams")["streams"]))
