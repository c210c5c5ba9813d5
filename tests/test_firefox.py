"""One chapter in Firefox, over http and from a folder: Python in the page answers, too."""

import pytest
from engines import wait_for
from test_python_in_page import CHAPTER, OVER, WRONG_AXIS


@pytest.mark.parametrize("place", ["http", "file"])
def test_a_chapter(firefox, site, site_url, place):
    address = site_url + CHAPTER if place == "http" else (site / CHAPTER).as_uri()
    firefox.navigate(address)
    wait_for(firefox, "return document.documentElement.dataset.set")
    wait_for(firefox, "return document.querySelector('.explorer-host').dataset.alive")
    wait_for(
        firefox,
        """return [...document.fonts].some((font) =>
        font.family.includes("Book Math") && font.status === "loaded")""",
    )
    index = firefox.execute_script(
        """return [...document.querySelectorAll(".cell")].find((cell) =>
        cell.querySelector(".py-bar") && cell.textContent.includes("check.e_step(my_e_step)"))
        .className.match(/code-(\\d+)/)[1]"""
    )
    firefox.execute_script(f"document.querySelector('.code-{index} .py-edit').click()")
    area = wait_for(firefox, f"return document.querySelector('.code-{index} textarea')")
    area.clear()
    area.send_keys(WRONG_AXIS)
    firefox.execute_script(f"document.querySelector('.code-{index} .py-run').click()")
    wait_for(firefox, f"return ({OVER.strip()})([{index}])")
    output = firefox.execute_script(
        f"return document.querySelector('.code-{index} > .cell_output').textContent"
    )
    assert "you normalized over the points" in output
