"""The disk, and the user's own settings of pip and uv."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from checkouts import LOCK


def test_too_little_disk_space_is_told_in_one_message(script, tmp_path):
    setup = script("setup_venv")
    with pytest.raises(setup.SetupError, match=r"too little disk space: .*new needs about 1000000000\.0 GB and has"):
        setup.check_room(tmp_path / "new", 10**18)


def test_what_the_cache_holds_needs_no_room(script, tmp_path):
    setup = script("setup_venv")
    (tmp_path / "cache").mkdir()
    with (tmp_path / "cache" / "sparse").open("w") as file:
        file.truncate(10**12)
    needed = shutil.disk_usage(tmp_path).free + 10**12 // 2
    setup.check_room(tmp_path, needed, tmp_path / "cache")
    with pytest.raises(setup.SetupError):
        setup.check_room(tmp_path, needed)


def test_the_whole_entry_of_uv_is_taken_from_the_lock(script):
    entry = script("setup_venv").uv_requirement()
    following = LOCK[LOCK.index(entry) + len(entry) :]
    assert entry.startswith("uv==")
    assert entry.count("--hash=sha256:") > 1
    assert re.match(r"\n(    #|\w)", following)


def pip_configuration(tmp_path: Path, text: str, **variables: str) -> str:
    (tmp_path / "pip.conf").write_text(text)
    environ = {"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), **variables}
    command = (sys.executable, "-m", "pip", "config", "list")
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout


def test_the_mirror_of_pip_serves_uv_too_but_not_local_wheels(script, tmp_path):
    listing = pip_configuration(
        tmp_path,
        "[global]\nindex-url = https://mirror.example/simple\ncert = /etc/mirror.pem\ntimeout = 60\n"
        "trusted-host =\n  a.example\n  b.example\nfind-links = /wheels\nextra-index-url = https://more.example\n",
    )
    told = script("pip_settings").uv_variables(listing, {})
    assert {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "SSL_CERT_FILE": "/etc/mirror.pem",
        "UV_HTTP_TIMEOUT": "60",
        "UV_INSECURE_HOST": "a.example b.example",
    }.items() <= told.items()
    assert not any(text in value for value in told.values() for text in ("/wheels", "more.example"))


def test_pips_environment_outranks_its_file_and_the_section_of_install_that_of_all(script, tmp_path):
    text = "[install]\nindex-url = https://install.example\n[global]\nindex-url = https://global.example\n"
    of_file = pip_configuration(tmp_path, text)
    of_environment = pip_configuration(tmp_path, text, PIP_INDEX_URL="https://environment.example")
    uv_variables = script("pip_settings").uv_variables
    assert uv_variables(of_file, {})["UV_DEFAULT_INDEX"] == "https://install.example"
    assert uv_variables(of_environment, {})["UV_DEFAULT_INDEX"] == "https://environment.example"


def test_what_the_user_told_uv_stays(script):
    listing = "global.index-url='https://mirror.example'\nglobal.cert='/etc/mirror.pem'\n"
    user = {"UV_INDEX_URL": "https://other.example", "SSL_CERT_FILE": "/etc/other.pem"}
    assert script("pip_settings").uv_variables(listing, user) == {}
