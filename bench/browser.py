"""How soon a page is usable in Chromium."""

import shutil
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

READY = "[...document.querySelectorAll('.plot')].every(plot => plot.querySelector('.main-svg'))"


def shown_seconds(page: Path) -> float:
    """Wall seconds from asking for a page until all its figures are drawn."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = browser.new_page()
        began = time.perf_counter()
        tab.goto(page.as_uri())
        tab.wait_for_function(READY)
        seconds = time.perf_counter() - began
        browser.close()
    return seconds
