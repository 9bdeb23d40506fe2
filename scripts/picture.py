"""Write the pictures of a report that README shows: its first screen, and the curves, from the folder of a study.

Chromium draws it, so what is seen is what a reader would see.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1000, 1180  # pixels
OUT = Path(__file__).resolve().parent.parent / "docs" / "pictures"


def main(words: list[str]) -> int:
    """Write the pictures of the study in the folder that the one word names."""
    report = Path(words[0] if len(words) == 1 else "") / "report.html"
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not report.is_file() or program is None:
        print("picture: needs the folder of a study that has a report, and Chromium: make picture RUN=outputs/NAME")
        return 2
    OUT.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(report.absolute().as_uri())
        for plot in page.locator(".plot").all():
            plot.locator(".main-svg").first.wait_for()
        page.screenshot(path=OUT / "report.png")
        page.locator("#figure-0").screenshot(path=OUT / "curves.png")
        browser.close()
    print(f"pictures: {OUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
