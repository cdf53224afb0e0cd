"""What is measured of a page for people who do not see it, use no mouse, or have a phone."""

from __future__ import annotations

from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE: Final = ("serious", "critical")
_FOCUSABLE: Final = (
    "a[href], button:not([disabled]), input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
)


def findings(page: Page) -> list[str]:
    """Return the serious and critical findings of axe, each with the first elements it is about."""
    # Axe-core comes by the debugging protocol, which the page's Content-Security-Policy does not concern.
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
        for one in violations
        if one["impact"] in GRAVE
    ]


def sideways(page: Page) -> list[str]:
    """Return what makes a page wider than its window, if it is."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
            [...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > innerWidth + 1
              && !one.parentElement.closest(".scroll, pre, .chart")).slice(0, 5)
              .map(one => `${one.tagName}.${one.className}: ${one.getBoundingClientRect().right}`)"""
    )
    return found


def reached_by_tab(page: Page, most: int = 60) -> tuple[str, int]:
    """Press Tab through a page; return the text of the first stop, and how many controls were reached."""
    first, seen = "", set()
    for number in range(most):
        page.keyboard.press("Tab")
        place, text, is_shown = page.evaluate(
            f"""() => {{ const all = [...document.querySelectorAll("{_FOCUSABLE}")], one = document.activeElement;
                const box = one.getBoundingClientRect();
                return [all.indexOf(one), one.textContent.trim(), box.width > 0 && box.height > 0]; }}"""
        )
        if number == 0:
            first = text
        if place in seen or place < 0:
            break
        assert is_shown, f"the focus is on something that cannot be seen: {text}"
        seen.add(place)
    return first, len(seen)
