"""A gateway with tokens, and what the page makes of it."""

import hashlib
import re
import subprocess

import pytest
from playwright.sync_api import expect

from browser import Errors, shot
from mesh import DEMO, FRAMEMESH, PATIENCE, until

TOKEN = "token-of-this-test-alone"


@pytest.fixture
def guarded(mesh, tmp_path):
    """The address of a gateway that lets in one token."""
    tokens, said = tmp_path / "tokens", tmp_path / "said"
    tokens.write_text(f"token sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()} tester analyze\n")
    tokens.chmod(0o600)
    command = [
        FRAMEMESH, "gateway", "--listen", "127.0.0.1:0", "--coordinator", mesh.coordinator, "--tokens", tokens,
        "--data", tmp_path / "data"]
    with said.open("wb") as output, (tmp_path / "log").open("wb") as log:
        gateway = subprocess.Popen(command, stdout=output, stderr=log)
    try:
        found = until("the gateway is ready", lambda: re.search(r"ready (\S+)\n", said.read_text()))
        yield f"http://{found[1]}"
    finally:
        gateway.terminate()
        gateway.wait(PATIENCE)


def test_the_page_asks_for_a_token_and_keeps_it_for_the_tab(guarded, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    errors = Errors(page)
    page.goto(guarded)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This gateway asks who you are.")
    shot(page, "token")
    dialog.get_by_label("Token").fill("something else")
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("The gateway asks for a token")

    page.get_by_role("button", name="Token").click()
    dialog.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("#picture-pipeline option").first).to_be_attached()
    page.reload()
    expect(page.locator("#picture-pipeline option").first).to_be_attached()
    page.set_input_files("#picture-files", DEMO / "numbers-01.jpg")
    expect(page.locator("#picture-table tbody tr").first).to_be_visible()

    # The nodes are for others.
    page.get_by_role("tab", name="Mesh").click()
    expect(page.locator("#mesh-status")).to_contain_text("This token may not do that.")
    context.close()
    assert errors.found == []
