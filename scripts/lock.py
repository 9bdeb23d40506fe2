"""Write requirements.lock anew for pyproject.toml: pins that still fit stay, unless `--upgrade` is given.

One lock holds the dependencies, every extra and the development tools, for all accepted Pythons; it names no index.
"""

import os
import subprocess
import sys

from setup_venv import LOCK, PYTHON, ROOT, VENV, pip_variables

COMMAND = (
    *(VENV / "bin" / "uv", "pip", "compile", "--python", PYTHON, "--quiet", "pyproject.toml"),
    *("--all-extras", "--group", "dev", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-emit-index-url", "--no-header", "--output-file", LOCK.name),
)

if __name__ == "__main__":
    sys.exit(
        subprocess.run((*COMMAND, *sys.argv[1:]), cwd=ROOT, env=os.environ | pip_variables(), check=False).returncode
    )
