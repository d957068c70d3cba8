import os
import shutil
import subprocess

import pytest
from playwright.sync_api import sync_playwright

from browser import CHROMIUM, SCREENSHOTS, Errors
from mesh import DEMO, FRAMEMESH, PATIENCE, Mesh


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


@pytest.fixture(scope="session")
def camera_file(tmp_path_factory):
    """What Chromium's fake camera shows: the demo's video again and again."""
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    ffmpeg("-i", DEMO / "digits.mp4", "-c:v", "mjpeg", "-q:v", 3, path)
    return path


@pytest.fixture(scope="session")
def browser(camera_file):
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir(parents=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            # As root, which containers are, there is no sandbox; the page comes from this machine.
            args=["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
                  f"--use-file-for-fake-video-capture={camera_file}"])
        yield browser
        browser.close()


@pytest.fixture
def page(mesh, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    errors = Errors(page)
    page.goto(mesh.url)
    yield page
    context.close()
    assert errors.found == []


def pytest_terminal_summary(terminalreporter):
    if SCREENSHOTS.is_dir() and any(SCREENSHOTS.iterdir()):
        terminalreporter.write_line(f"screenshots: {os.path.relpath(SCREENSHOTS)}")
