"""Videos on the page: watched while they run, with zones, through a fault, and their results."""

import json
import shutil
import subprocess

from playwright.sync_api import expect

from browser import MARKUP, border, draw, shot, show, unnamed
from programs import DEMO, until

# URLs of blobs that keep their bytes in memory.
COUNT_BLOBS = """() => {
    window.blobs = new Set();
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (blob) => { const url = createObjectURL.call(URL, blob); window.blobs.add(url); return url; };
    URL.revokeObjectURL = (url) => { window.blobs.delete(url); revokeObjectURL.call(URL, url); };
}"""

# Pixels of the overlay that are not empty, the most of all looks at it while the job ran.
LOOK_WHILE_RUNNING = """() => {
    window.paintedWhileRunning = 0;
    setInterval(() => {
        const canvas = document.querySelector('#video-stage canvas.overlay');
        if (document.getElementById('video-state').textContent !== 'running' || canvas.width === 0) return;
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let at = 3; at < data.length; at += 4) if (data[at] > 0) count += 1;
        window.paintedWhileRunning = Math.max(window.paintedWhileRunning, count);
    }, 250);
}"""

def boxes_of(mesh, job):
    """Of each frame, by its number."""
    _, _, body = mesh.send("GET", f"/v1/videos/{job}/results?format=jsonl")
    frames = [json.loads(line) for line in body.splitlines()]
    return {frame["sequence"]: [detection["box"] for detection in frame["detections"]] for frame in frames}


def test_a_video_is_watched_while_a_detector_dies_and_its_results_are_whole(mesh, page, long_video, tmp_path):
    show(page, "Video")
    expect(page.locator("#video-pipeline")).to_have_value("cascade+track")
    # The page looks itself: this process may be late.
    page.evaluate(LOOK_WHILE_RUNNING)
    page.set_input_files("#video-files", long_video)
    until("boxes are drawn over the running video", lambda: page.evaluate("window.paintedWhileRunning") > 500)
    expect(page.locator("#video-tracks tbody tr").first).to_be_visible()
    expect(page.locator("#video-name")).to_have_text(long_video.name)
    shot(page, "video-running")

    def job():
        return mesh.get_json("/v1/videos")["videos"][0]

    before = job()
    assert before["state"] == "running"
    mesh.kill("detector")
    # Or it comes to its end: there may be less than 50 frames left.
    until("the job goes on", lambda: (now := job())["state"] == "done" or
          now["progress"]["frames_done"] > before["progress"]["frames_done"] + 50)

    draw(page, "#video", "Draw a zone", [(0.15, 0.15), (0.85, 0.15)])
    page.keyboard.press("Enter")
    expect(page.locator("#video-tools-help")).to_contain_text("A zone needs 3 corners; so far there are 2.")
    page.keyboard.press("Escape")
    draw(page, "#video", "Draw a zone", [(0.15, 0.15), (0.85, 0.15), (0.85, 0.85), (0.15, 0.85)])
    page.keyboard.press("Enter")
    expect(page.locator("#video-areas input[aria-label='Name of zone-1']")).to_have_value("zone-1")

    # With the keyboard, from the middle to the right and down.
    page.locator("#video-tools").get_by_role("button", name="Draw a line").click()
    for key in ["ArrowUp"] * 30 + [" "] + ["ArrowDown"] * 60 + [" "]:
        page.keyboard.press(key)
    expect(page.locator("#video-areas input[aria-label='Name of line-1']")).to_have_value("line-1")

    expect(page.locator("#video-state")).to_have_text("done")
    expect(page.locator("#video-tracks tbody tr").first).to_be_visible()
    expect(page.locator("#video-events li").first).to_be_visible()
    boxes = boxes_of(mesh, job()["id"])

    def drawn(frame):
        """How much of each box of a frame is to be seen."""
        return [border(page, "#video-stage", box, [640, 480]) for box in boxes[frame]]

    for there, elsewhere in ((200, 100), (100, 200)):
        page.locator("#video-seek").fill(str(there))
        until("the boxes of the frame that was chosen are drawn", lambda: min(drawn(there)) > 0.9)
        # The same look at boxes that are not of this frame finds that they are not there.
        assert min(drawn(elsewhere)) < 0.5
    assert unnamed(page) == []
    shot(page, "video-done")

    found = {}
    for button in ("JSON lines", "CSV table", "MOT tracks", "Annotated video"):
        with page.expect_download() as download:
            page.locator("#video-downloads").get_by_role("button", name=button).click()
        found[button] = tmp_path / download.value.suggested_filename
        download.value.save_as(found[button])
    frames = [json.loads(line) for line in found["JSON lines"].read_text().splitlines()]
    assert [frame["sequence"] for frame in frames] == list(range(1250))
    assert {frame["status"] for frame in frames} == {"ok"}
    things = [(frame, detection) for frame in frames for detection in frame["detections"]]
    assert len(things) > 1250
    assert any("track_id" in detection for _, detection in things)
    rows = found["CSV table"].read_text().splitlines()
    assert rows[0].startswith("sequence,") and len(rows) == len(things) + 1
    assert len(found["MOT tracks"].read_text().splitlines()) == len(things)
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames", "-of", "json",
         found["Annotated video"]], check=True, capture_output=True)
    stream = json.loads(probe.stdout)["streams"][0]
    assert (stream["codec_name"], int(stream["nb_read_frames"])) == ("h264", 1250)

    # A page that knows nothing of the file shows the annotated video of the gateway.
    page.reload()
    page.locator("#video-list").get_by_role("button", name="Show").first.click()
    expect(page.locator("#video-stage video")).to_be_visible()
    expect(page.locator("#video-events li").first).to_be_visible()
    # Looked at from its beginning, not run through.
    expect(page.locator("#video-follow")).not_to_be_checked()
    expect(page.locator("#video-seek")).to_have_value("0")
    expect(page.locator("#video-list")).to_contain_text("1,250 / 1,250")
    question = page.get_by_role("alertdialog")
    page.locator("#video-list").get_by_role("button", name="Remove").first.click()
    expect(question).to_contain_text(long_video.name)
    shot(page, "video-remove")
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(page.locator("#video-list")).to_contain_text(long_video.name)
    page.locator("#video-list").get_by_role("button", name="Remove").first.click()
    question.get_by_role("button", name="Remove it").click()
    expect(page.locator("#video-list")).not_to_contain_text(long_video.name)


def test_a_video_of_changing_rate_is_shown_and_sought_by_the_times_of_its_frames(mesh, page, changing_video):
    show(page, "Video")
    page.set_input_files("#video-files", changing_video)
    expect(page.locator("#video-name")).to_have_text(changing_video.name)
    expect(page.locator("#video-state")).to_have_text("done")
    medium = page.locator("#video-stage video")
    expect(medium).to_be_visible()
    assert 2.6 < mesh.get_json("/v1/videos")["videos"][0]["video"]["duration"] < 3.1
    page.locator("#video-seek").fill("33")
    until("the frame that was chosen is on the screen", lambda: 2 <= medium.evaluate("video => video.currentTime") < 2.34)
    expect(page.locator("#video-time")).to_contain_text("0:02.0 / 0:")
    medium.evaluate("video => { video.currentTime = 1.5; }")
    expect(page.locator("#video-seek")).to_have_value("31")


def test_boxes_are_where_the_picture_is_though_its_pixels_are_not_square(mesh, page, wide_video):
    show(page, "Video")
    page.set_input_files("#video-files", wide_video)
    expect(page.locator("#video-name")).to_have_text(wide_video.name)
    expect(page.locator("#video-state")).to_have_text("done")
    medium = page.locator("#video-stage video")
    expect(medium).to_be_visible()
    # Stage and picture have the shape that is meant, and boxes, in pixels of the frame, are widened with them.
    assert medium.evaluate("video => getComputedStyle(video).objectFit") == "fill"
    shape = "element => element.clientWidth / element.clientHeight"
    until("the stage is as wide as the video", lambda: abs(page.locator("#video-stage").evaluate(shape) - 16 / 9) < 0.02)
    assert abs(medium.evaluate(shape) - 16 / 9) < 0.02
    boxes = boxes_of(mesh, mesh.get_json("/v1/videos")["videos"][0]["id"])[10]
    assert boxes
    page.locator("#video-seek").fill("10")
    until("the boxes of the frame that was chosen are drawn",
          lambda: min(border(page, "#video-stage", box, [640, 480]) for box in boxes) > 0.9)


def test_markup_in_a_video_s_name_stays_text(page, tmp_path):
    video = tmp_path / f"{MARKUP}.mp4"
    shutil.copy(DEMO / "digits.mp4", video)
    page.evaluate(COUNT_BLOBS)
    show(page, "Video")
    page.set_input_files("#video-files", video)
    expect(page.locator("#video-list")).to_contain_text("<img src=x onerror=")
    expect(page.locator("#video-name")).to_contain_text("<img src=x onerror=")
    assert page.evaluate("window.hit") is None
    assert page.locator("main b, main img[src=x]").count() == 0
    expect(page.locator("#video-stage video")).to_be_visible()
    assert page.evaluate("window.blobs.size") == 1
    # Others may have left videos of their own.
    row = page.locator("#video-list tr").filter(has_text="<img src=x onerror=")
    row.get_by_role("button", name="Remove").click(timeout=180_000)
    page.get_by_role("alertdialog").get_by_role("button", name="Remove it").click()
    expect(page.locator("#video-list")).not_to_contain_text("<img src=x onerror=")
    # What was only shown is not kept.
    assert page.evaluate("window.blobs.size") == 0
