"""What tests of the page do with it and look at."""

from playwright.sync_api import expect

from programs import PATIENCE, ROOT

CHROMIUM = "/usr/bin/chromium"
# For people to look at; each run writes them anew.
SCREENSHOTS = ROOT / ".build/screenshots"
# As a file may be called by who means harm.
MARKUP = '<img src=x onerror="window.hit=1"> & <b>bold'

expect.set_options(timeout=PATIENCE * 1000)


class Errors:
    """What a page must not say: errors of its scripts, and what its content security policy forbade."""

    def __init__(self, page):
        self.found = []
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("console", lambda message: self._console(message))

    def _console(self, message):
        # A status that is not 2xx is told of as an error, too; what the page makes of it is looked at by the tests.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.found.append(f"console: {message.text}")


def shot(page, name):
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def painted(page, stage):
    """Pixels of the overlay that are not empty."""
    return page.evaluate("""(stage) => {
        const canvas = document.querySelector(`${stage} canvas.overlay`);
        if (!canvas || canvas.width === 0) return 0;
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let at = 3; at < data.length; at += 4) if (data[at] > 0) count += 1;
        return count;
    }""", stage)


def border(page, stage, box, frame):
    """How much of the left border of a box, in pixels of the frame, is painted on the overlay: 0 to 1."""
    return page.evaluate("""([stage, box, [width, height]]) => {
        const canvas = document.querySelector(`${stage} canvas.overlay`);
        const context = canvas.getContext('2d');
        const x = Math.round(box.x * canvas.width / width);
        const top = Math.ceil(box.y * canvas.height / height), bottom = Math.floor((box.y + box.height) * canvas.height / height);
        let hits = 0, rows = 0;
        for (let y = Math.max(0, top); y < Math.min(bottom, canvas.height); y += 1, rows += 1) {
            const { data } = context.getImageData(Math.max(0, x - 2), y, 5, 1);
            if ([3, 7, 11, 15, 19].some((at) => data[at] > 200)) hits += 1;
        }
        return rows === 0 ? 0 : hits / rows;
    }""", [stage, box, frame])


def show(page, name):
    page.get_by_role("tab", name=name).click()


def draw(page, stage, tool, points):
    """Clicks at points, in parts of the frame, with a tool of the stage."""
    page.locator(f"{stage}-tools").get_by_role("button", name=tool).click()
    canvas = page.locator(f"{stage}-stage canvas.overlay")
    canvas.evaluate("element => element.scrollIntoView({ block: 'center' })")
    place = canvas.bounding_box()
    for x, y in points:
        page.mouse.click(place["x"] + x * place["width"], place["y"] + y * place["height"], delay=20)


def unnamed(page):
    """Controls without a name, and names of more than one button that is shown."""
    return page.evaluate("""() => {
        const name = (element) => (element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent).trim();
        const controls = [...document.querySelectorAll('button, input, select, canvas:not([aria-hidden]), progress')];
        const shown = controls.filter((element) => element.tagName === 'BUTTON' && element.offsetParent !== null).map(name);
        return [
            ...controls.filter((element) => !name(element)).map((element) => element.outerHTML),
            ...shown.filter((each, index) => shown.indexOf(each) !== index),
        ];
    }""")


def keys(page, *names):
    for name in names:
        page.keyboard.press(name)


def lit(page, canvas):
    """How many different colours a few places of a picture have; 1 is a picture of nothing."""
    return page.evaluate("""(selector) => {
        const canvas = document.querySelector(selector);
        if (!canvas || canvas.width === 0) return 0;
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const found = new Set();
        for (let at = 0; at < data.length; at += 4 * 997) found.add(`${data[at]} ${data[at + 1]} ${data[at + 2]}`);
        return found.size;
    }""", canvas)
