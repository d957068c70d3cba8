"""The page in Chromium, with a real mesh behind it: pictures, the mesh, and what holds for all of it."""

import json
import shutil
import threading

import pytest
from playwright.sync_api import expect

from browser import MARKUP, border, painted, shot, show, unnamed
from programs import DEMO, until

# ---- pictures ----


def test_a_picture_is_shown_with_boxes_a_table_and_where_the_time_went(mesh, page):
    picture = DEMO / "numbers-01.jpg"
    status, _, body = mesh.send(
        "POST", "/v1/images:analyze?pipeline=cascade", picture.read_bytes(), {"Content-Type": "image/jpeg"})
    assert status == 200
    result = json.loads(body)["results"][0]

    expect(page.locator("#picture-pipeline")).to_have_value("cascade")
    page.set_input_files("#picture-files", picture)
    rows = page.locator("#picture-table tbody tr")
    expect(rows).to_have_count(len(result["detections"]))
    assert [text.strip() for text in page.locator("#picture-table tbody tr td:first-child").all_inner_texts()] == [
        detection["label"] for detection in result["detections"]]
    frame = [result["width"], result["height"]]
    for detection in result["detections"]:
        until("the box is drawn where it is", lambda: border(page, "#picture-stage", detection["box"], frame) > 0.9)
    for hop in ("Coordinator", "Detector", "Classifier", "Gateway"):
        expect(page.locator("#picture-timing")).to_contain_text(hop)
    # The coordinator's own steps; what it waited for the nodes is theirs.
    parts = page.locator("#picture-timing .hop-bar").first.get_attribute("aria-label")
    assert [part.rsplit(" ", 2)[0] for part in parts.split(", ")] == ["waiting", "making one answer"]
    shot(page, "picture")

    # A row that is looked at stands out in the picture.
    before = painted(page, "#picture-stage")
    rows.first.focus()
    until("the box of the row is filled", lambda: painted(page, "#picture-stage") > before)


def test_pictures_come_by_drag_and_drop_and_a_bad_one_is_explained(page, tmp_path):
    bad = tmp_path / "broken.jpg"
    bad.write_bytes((DEMO / "numbers-02.jpg").read_bytes()[:2000])
    page.set_input_files("#picture-files", [DEMO / "numbers-03.jpg", bad])
    expect(page.locator("#notices")).to_contain_text("This file could not be read")
    expect(page.locator("#notices")).to_contain_text("broken.jpg (2.0 KiB)")
    expect(page.locator("#picture-strip")).to_contain_text("failed")
    expect(page.locator("#picture-strip")).to_contain_text("broken.jpg")
    shot(page, "picture-problem")
    page.locator("#notices").get_by_role("button", name="Close").click()
    expect(page.locator("#notices .notice")).to_have_count(0)

    content = list((DEMO / "numbers-04.jpg").read_bytes())
    page.evaluate("""(content) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(content)], 'dropped.jpg', { type: 'image/jpeg' }));
        document.getElementById('picture-drop').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    }""", content)
    expect(page.locator("#picture-name")).to_contain_text("dropped.jpg")
    expect(page.locator("#picture-table tbody tr").first).to_be_visible()


def test_of_more_pictures_than_there_is_room_for_those_that_are_taken_can_be_seen(page, tmp_path):
    pictures = [tmp_path / f"number-{number:02}.jpg" for number in range(53)]
    for picture in pictures:
        shutil.copy(DEMO / "numbers-01.jpg", picture)
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "images:analyze" in request.url else None)
    page.set_input_files("#picture-files", pictures)
    expect(page.locator("#notices")).to_contain_text("3 pictures were left out")
    expect(page.locator("#picture-name")).to_contain_text("number-03.jpg")
    expect(page.locator("#picture-status")).to_contain_text("Found")
    expect(page.locator("#picture-strip button")).to_have_count(50)
    expect(page.locator("#picture-strip button").first).to_contain_text("number-03.jpg")
    assert len(sent) == 50
    expect(page.locator("#picture-strip img.broken")).to_have_count(0)
    shown = "document.querySelector('#picture-stage img')"
    until("the picture that is chosen is shown", lambda: page.evaluate(f"{shown}?.complete && {shown}.naturalWidth > 0"))


def test_markup_in_a_file_name_stays_text(page, tmp_path):
    picture = tmp_path / f"{MARKUP}.jpg"
    shutil.copy(DEMO / "numbers-01.jpg", picture)
    page.set_input_files("#picture-files", [picture, picture])
    expect(page.locator("#picture-table tbody tr").first).to_be_visible()
    expect(page.locator("#picture-name")).to_contain_text("<img src=x onerror=")
    assert page.evaluate("window.hit") is None
    assert page.locator("main b, main img[src=x]").count() == 0


# ---- the mesh ----


def test_the_mesh_is_shown_as_it_is(mesh, page):
    stop = threading.Event()
    picture = (DEMO / "numbers-01.jpg").read_bytes()

    def load():
        while not stop.is_set():
            mesh.send("POST", "/v1/images:analyze?pipeline=cascade", picture, {"Content-Type": "image/jpeg"})

    thread = threading.Thread(target=load)
    thread.start()
    try:
        show(page, "Mesh")
        rows = page.locator("#mesh-nodes tbody tr")
        expect(rows).to_have_count(3)
        expect(page.locator("#mesh-nodes")).to_contain_text("digits-classifier")
        expect(page.locator("#mesh-graph svg path.flows").first).to_be_attached()
        expect(page.locator("#mesh-pipelines")).to_contain_text("cascade+track")
        shot(page, "mesh")
        calls = page.locator("#mesh-tiles .tile").filter(has_text="Calls a second").locator("b")
        until("the rate is not zero", lambda: float(calls.inner_text()) > 0)
    finally:
        stop.set()
        thread.join()


def test_a_mesh_that_is_not_seen_any_more_does_not_look_like_one_that_is(page):
    show(page, "Mesh")
    expect(page.locator("#mesh-nodes tbody tr")).to_have_count(3)
    expect(page.locator("#mesh-status")).to_have_text("")
    refusal = {"status": 503, "detail": "no coordinator answers"}
    page.route("**/v1/nodes", lambda route: route.fulfill(
        status=503, content_type="application/problem+json", body=json.dumps(refusal)))
    expect(page.locator("#mesh-status")).to_contain_text("No coordinator answers. Below is how it was at")
    shot(page, "mesh-lost")
    page.unroute("**/v1/nodes")
    expect(page.locator("#mesh-status")).to_have_text("")


def test_pipelines_are_there_as_soon_as_the_mesh_is(mesh, visit):
    page = visit(mesh.url)
    page.route("**/v1/pipelines", lambda route: route.fulfill(status=503, body=""))
    page.reload()
    expect(page.locator("#notices")).to_contain_text("The mesh is not ready")
    expect(page.locator("#picture-pipeline option")).to_have_count(0)
    page.unroute("**/v1/pipelines")
    expect(page.locator("#picture-pipeline")).to_have_value("cascade")


# ---- for everybody ----


def test_the_keyboard_reaches_everything(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "tab-picture"
    for name in ("video", "live", "mesh", "picture"):
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.id") == f"tab-{name}"
        expect(page.locator(f"#panel-{name}")).to_be_visible()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    assert unnamed(page) == []


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1280), ("light", 390), ("dark", 360)])
def test_it_is_readable_in_the_dark_and_on_a_phone(mesh, visit, scheme, width):
    page = visit(mesh.url, color_scheme=scheme, viewport={"width": width, "height": 780})
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    page.set_input_files("#picture-files", DEMO / "numbers-05.jpg")
    expect(page.locator("#picture-table tbody tr").first).to_be_visible()
    for name in ("picture", "video", "live", "mesh"):
        page.locator(f"#tab-{name}").click()
        if name == "mesh":
            expect(page.locator("#mesh-nodes tbody tr")).to_have_count(3)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        shot(page, f"{scheme}-{width}-{name}")
    # The switch wins over the system.
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


# ---- values behind the views, in the engine that runs them ----


def test_events_are_read_however_their_bytes_are_cut(page):
    text = ": keep-alive\n\nid: 7\nevent: frame\ndata: {\"a\":\ndata: 1}\n\r\ndata:x\r\n\r\nevent: nothing\n\nid: 8\rdata: y\r\r\n"
    seen = page.evaluate("""async (text) => {
        const { EventParser } = await import('/page/eventstream.js');
        return [1, 2, 3, text.length].map((size) => {
            const parser = new EventParser();
            const found = [];
            for (let at = 0; at < text.length; at += size) found.push(...parser.add(text.slice(at, at + size)));
            return found;
        });
    }""", text)
    for found in seen:
        assert found == [
            {"id": "7", "event": "frame", "data": '{"a":\n1}'}, {"id": "7", "event": "message", "data": "x"},
            {"id": "8", "event": "message", "data": "y"}]


def test_rates_come_from_counters_and_a_process_that_began_anew_counts_from_zero(page):
    rates = page.evaluate("""async () => {
        const { MeshHistory, linksOf } = await import('/page/meshmodel.js');
        const history = new MeshHistory();
        return [[0, 100], [1000, 150], [3000, 170], [4000, 5], [5000, 25]].map(([now, calls]) => {
            history.add(linksOf([{ address: 'c', nodes: [{ address: 'n', calls }] }]), now);
            return history.rateOf('n');
        });
    }""")
    assert rates == [0, 50, 10, 0, 20]


def test_counts_of_areas_follow_their_events(page):
    facts = page.evaluate("""async () => {
        const { AreaCounts } = await import('/page/areaevents.js');
        const counts = new AreaCounts();
        for (const event of [
            { type: 'enter', area: 'z' }, { type: 'enter', area: 'z' }, { type: 'leave', area: 'z' }, { type: 'count', area: 'z', count: 4 },
            { type: 'cross', area: 'l', direction: 'forward', count: 57 }, { type: 'cross', area: 'l', direction: 'backward', count: 3 },
            { type: 'cross', area: 'l', direction: 'forward', count: 58 },
        ]) counts.add(event);
        return Object.fromEntries([...counts.facts].map(([name, { text }]) => [name, text]));
    }""")
    assert facts == {"z": "4 inside, 2 entered, 1 left", "l": "58 forward, 3 backward"}


def test_labels_touch_their_boxes_and_cover_no_others(page):
    found = page.evaluate("""async () => {
        const { drawScene } = await import('/page/overlay.js');
        const draw = (width, height, detections, chosen) => {
            const canvas = document.createElement('canvas');
            [canvas.width, canvas.height, canvas.logical] = [width, height, { width, height }];
            const context = canvas.getContext('2d');
            const texts = [], plates = [];
            context.fillText = (text) => texts.push(text);
            context.fillRect = (...place) => plates.push(place);
            drawScene(context, 1, { detections, chosen });
            return { texts, plates };
        };
        const dog = {
            label: 'dog', track_id: 3, confidence: 0.68, class_id: 1, box: { x: 300, y: 200, width: 80, height: 60 },
            classes: [{ label: 'Saluki, gazelle hound', confidence: 0.24 }],
        };
        const many = Array.from({ length: 40 }, (_, index) => ({ ...dog, track_id: index }));
        const crowd = draw(640, 480, many);
        const small = draw(110, 80, [{ ...dog, box: { x: 10, y: 30, width: 30, height: 20 } }]);
        return { one: draw(640, 480, [dog]).texts, crowd, small: small.texts, chosen: draw(640, 480, many, 39).texts[0] };
    }""")
    assert found["one"] == ["#3 dog 68 % / Saluki 24 %"]
    assert found["small"] == ["#3 dog 68 %"]
    assert found["chosen"].startswith("#39 ")
    plates = found["crowd"]["plates"]
    assert 4 <= len(plates) < 40 and len(plates) == len(found["crowd"]["texts"])
    for x, y, width, height in plates:
        assert x <= 380 and x + width >= 300 and y <= 260 and y + height >= 200
    for index, (x, y, width, height) in enumerate(plates):
        for left, top, wide, high in plates[index + 1:]:
            assert x + width <= left or left + wide <= x or y + height <= top or top + high <= y


def test_what_is_near_on_the_screen_is_near_though_pixels_are_not_square(page):
    distances = page.evaluate("""async () => {
        const { Stage } = await import('/page/stage.js');
        const host = document.body.appendChild(document.createElement('div'));
        Object.assign(host.style, { position: 'absolute', width: '320px' });
        const stage = new Stage(host, 'a stage');
        stage.setSize(640, 480);
        const ofSquares = [stage.distance([0, 0], [20, 0]), stage.distance([0, 0], [0, 20])];
        // The stage is as wide as before: a pixel of the frame is half as high.
        stage.setAspect(2);
        const ofWide = [stage.distance([0, 0], [20, 0]), stage.distance([0, 0], [0, 20])];
        stage.setAspect(65535);
        return [...ofSquares, ...ofWide, stage.aspect];
    }""")
    assert distances == [10, 10, 10, 5, 1]


def test_moving_pictures_have_the_shape_of_their_pixels(page):
    shapes = page.evaluate("""async () => {
        const { showPictures } = await import('/page/movingpictures.js');
        const canvas = Object.assign(document.createElement('canvas'), { width: 4, height: 3 });
        canvas.getContext('2d').fillRect(0, 0, 4, 3);
        const picture = await new Promise((done) => { canvas.toBlob(done, 'image/jpeg'); });
        const part = (...more) => [
            ['Content-Type: image/jpeg', `Content-Length: ${picture.size}`, ...more, '', ''].join('\\r\\n'), picture, '\\r\\n'];
        const answer = new Blob([
            ...part('X-Frame-Sequence: 0', 'X-Pixel-Aspect: 1.5'), ...part('X-Frame-Sequence: 1')]);
        const { fetch } = window;
        window.fetch = async (path, ...more) => (path === '/moving' ? new Response(answer) : fetch(path, ...more));
        const shapes = [];
        const stage = { show() {}, setSize() {}, setAspect: (aspect) => shapes.push(aspect) };
        const stop = new AbortController();
        await showPictures('/moving', stage, {
            signal: stop.signal, onShown: ({ sequence }) => sequence === 1 && stop.abort(), onBreak() {},
        });
        return shapes;
    }""")
    assert shapes == [1.5, 1]


def test_the_newest_of_many_tracks_are_said_to_be_the_newest(page):
    told = page.evaluate("""async () => {
        const { showTracks } = await import('/page/videoparts.js');
        const host = document.createElement('div');
        const tracks = (count) => Array.from({ length: count }, (_, id) => ({ id, label: 'x', frames: 1, first: 0, last: 1 }));
        return [200, 237].map((count) => { showTracks(host, tracks(count), { of: (frame) => frame / 25 }, () => {}); return host.querySelector('.hint')?.textContent; });
    }""")
    assert told == [None, "The newest 200 of 237."]


def test_frames_of_a_changing_rate_are_found_by_their_times(page):
    found = page.evaluate("""async () => {
        const { FrameTimes } = await import('/page/frametimes.js');
        const times = new FrameTimes();
        times.rate = 30;
        const guessed = [times.at(0.5), times.of(15)];
        // Ten seconds at 30 frames a second, then ten at 3.
        for (let frame = 0; frame < 330; frame += 1) {
            times.add(frame, Math.round(frame < 300 ? frame * 1e6 / 30 : 1e7 + (frame - 300) * 1e6 / 3) / 1000);
        }
        const all = Array.from({ length: 330 }, (_, frame) => frame);
        return {
            guessed, shown: times.at(15), middle: times.within(315),
            lost: all.filter((frame) => times.at(times.of(frame)) !== frame || times.at(times.within(frame)) !== frame),
        };
    }""")
    assert found["guessed"] == [15, 0.5] and found["shown"] == 315 and found["lost"] == []
    assert abs(found["middle"] - 15.1667) < 0.001


def test_frames_that_did_not_come_are_spread_between_those_that_did(page):
    begins = page.evaluate("""async () => {
        const { FrameTimes } = await import('/page/frametimes.js');
        const times = new FrameTimes();
        times.add(4, 400);
        times.add(2, 250);
        return [0, 1, 2, 3, 4].map((frame) => times.of(frame));
    }""")
    assert begins == [0, 0.1, 0.25, 0.3, 0.4]


def test_problems_are_told_in_plain_words(page):
    told = page.evaluate("""async () => {
        const { Problem, sentence, explain } = await import('/page/problems.js');
        const large = new Problem({ status: 413, title: 'Content Too Large', detail: 'the body exceeds 16 MiB', limit: '16 MiB', limit_name: 'max-picture-bytes' });
        const bytes = new Problem({ status: 413, detail: 'the body has more than 16777216 bytes', limit: 16777216, limit_name: 'max-picture-bytes' });
        const forbidden = (field) => explain(new Problem({ status: 403, detail: 'no', field })).title;
        const before = [forbidden('source.url'), forbidden()];
        sessionStorage.setItem('framemesh.token', 'x');
        return [
            sentence(large), sentence(bytes), explain(new Problem({ status: 503, retryAfter: 2 })).advice, sentence(Problem.unreachable), ...before, forbidden(),
            explain(new Problem({ status: 503, limit_name: 'video-look-time' })).title,
        ];
    }""")
    assert told == [
        "This is too large. The body exceeds 16 MiB. Limit: max-picture-bytes.",
        "This is too large. The body has more than 16 MiB. Limit: max-picture-bytes.", "Try again in 2 s.",
        "The gateway does not answer.", "This gateway does not allow that", "This is not allowed from here",
        "This token may not do that", "The gateway took too long to look at this video"]
