"""Debian's Chromium, headless, and what pages say in it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from processes import wait_for


def program() -> str:
    """Where Chromium is; it is installed where the tests may do that."""
    if shutil.which("chromium") is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            assert "CI" not in os.environ, "chromium is missing"
            pytest.skip("chromium is not installed")
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "chromium"], check=True, timeout=300)
    return str(shutil.which("chromium"))


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for the length of the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """A page in a browser, which notes what it says and asks for.

    Args:
        browser: the browser.
        width: of the window, in pixels.
        scheme: light or dark.
    """

    def __init__(self, browser: Browser, width: int = 1200, scheme: Any = "light") -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.said.append(f"dialog: {dialog.message}") or dialog.dismiss())
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, address: str) -> Page:
        """Load a page and wait until all its figures are drawn."""
        self.page.goto(address)
        self.until("[...document.querySelectorAll('.plot')].every(plot => plot.querySelector('.main-svg'))")
        return self.page

    def until(self, condition: str, seconds: float = 20.0) -> None:
        """Wait until an expression holds in the page; Playwright's own way would need eval, which our pages forbid."""
        wait_for(lambda: self.page.evaluate(condition), seconds)
