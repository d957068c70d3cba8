"""A gateway with tokens, and what the page makes of it."""

import hashlib

import pytest
from playwright.sync_api import expect

from browser import shot
from mesh import Gateway
from programs import DEMO

TOKEN = "token-of-this-test-alone"


@pytest.fixture
def guarded(mesh, tmp_path):
    """A gateway that lets in one token."""
    tokens = tmp_path / "tokens"
    tokens.write_text(f"token sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()} tester analyze\n")
    tokens.chmod(0o600)
    gateway = Gateway(mesh, tmp_path, "--tokens", tokens)
    yield gateway
    gateway.stop()


def test_the_page_asks_for_a_token_and_keeps_it_for_the_tab(guarded, visit):
    page = visit(guarded.url)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This gateway asks who you are.")
    shot(page, "token")
    assert dialog.bounding_box()["height"] < 300
    dialog.get_by_label("Token").fill("something else")
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("The gateway asks for a token")

    page.get_by_role("button", name="Token", exact=True).click()
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
