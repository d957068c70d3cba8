import contextlib
import os
import shutil
import subprocess

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from browser import CHROMIUM, SCREENSHOTS, Errors
from http_camera import HTTPCamera
from mesh import Gateway, Mesh
from programs import DEMO, FRAMEMESH, PATIENCE


@pytest.fixture(scope="session")
def mesh(tmp_path_factory):
    assert FRAMEMESH.is_file(), f"{FRAMEMESH} is missing: make build"
    mesh = Mesh(tmp_path_factory.mktemp("mesh"))
    yield mesh
    mesh.stop()


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)


@pytest.fixture(scope="session")
def long_video(tmp_path_factory):
    """The demo's video five times over: 1,250 frames, so that there is time to look at its job."""
    path = tmp_path_factory.mktemp("video") / "digits, five times.mp4"
    ffmpeg("-stream_loop", 4, "-i", DEMO / "digits.mp4", "-c", "copy", path)
    return path


@pytest.fixture
def changing_video(tmp_path):
    """A second at 30 frames a second, which are the frames from 0 on, then two at 3, from 30 on."""
    path = tmp_path / "changing.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=30:duration=3", "-vf", r"select=lt(t\,1)+not(mod(n\,10))",
           "-vsync", "vfr", "-c:v", "libx264", "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture
def wide_video(tmp_path):
    """The first frames of the demo's video, 640×480, whose pixels are 4:3."""
    path = tmp_path / "wide.mp4"
    ffmpeg("-i", DEMO / "digits.mp4", "-vf", "setsar=4/3", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-frames:v", 20, path)
    return path


@pytest.fixture(scope="session")
def camera_file(tmp_path_factory):
    """What Chromium's fake camera shows: the demo's video again and again."""
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    ffmpeg("-i", DEMO / "digits.mp4", "-c:v", "mjpeg", "-q:v", 3, path)
    return path


@pytest.fixture
def http_camera(tmp_path):
    """A camera on the network with the first seconds of the demo's video."""
    ffmpeg("-t", 2, "-i", DEMO / "digits.mp4", "-q:v", 3, tmp_path / "%03d.jpg")
    camera = HTTPCamera([path.read_bytes() for path in sorted(tmp_path.glob("*.jpg"))])
    yield camera
    camera.stop()


@pytest.fixture
def caller(mesh, tmp_path):
    """A gateway that calls cameras of this machine, and soon says that they are silent."""
    gateway = Gateway(
        mesh, tmp_path, "--stream-allow", "127.0.0.1", "--limit", "stream-stall=1s", "--limit", "stream-attempts=6",
        "--limit", "stream-longest-reconnect=1s")
    yield gateway
    gateway.stop()


class Chromium:
    """Chromium with a camera that shows `camera_file`; started again for the next test where it has crashed."""

    def __init__(self, playwright, camera_file):
        self._launch = lambda: playwright.chromium.launch(
            executable_path=CHROMIUM,
            # As root, which containers are, there is no sandbox; the page comes from this machine.
            args=["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
                  f"--use-file-for-fake-video-capture={camera_file}"])
        self._browser = self._launch()

    def new_context(self, **options):
        if not self._browser.is_connected():
            self._browser = self._launch()
        return self._browser.new_context(**options)

    def close(self):
        self._browser.close()


@pytest.fixture(scope="session")
def browser(camera_file):
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir(parents=True)
    with sync_playwright() as playwright:
        browser = Chromium(playwright, camera_file)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Opens pages, `visit(url)`, and looks at what they must not say."""
    contexts, errors = [], []

    def visit(url, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "accept_downloads": True, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        errors.append(Errors(page))
        page.goto(url)
        return page

    yield visit
    for context in contexts:
        # Of a browser that has crashed there is nothing to close; its test has failed.
        with contextlib.suppress(PlaywrightError):
            context.close()
    assert [error.found for error in errors if error.found] == []


@pytest.fixture
def page(mesh, visit):
    return visit(mesh.url)


def pytest_terminal_summary(terminalreporter):
    if SCREENSHOTS.is_dir() and any(SCREENSHOTS.iterdir()):
        terminalreporter.write_line(f"screenshots: {os.path.relpath(SCREENSHOTS)}")
