"""Our configuration groups in somebody else's Hydra application."""

import subprocess
import sys
from pathlib import Path

import yaml

PAGE = Path(__file__).parents[2] / "docs" / "training.md"
APPLICATION = """
import hydra
from omegaconf import OmegaConf

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(config):
    print(OmegaConf.to_yaml(config))

main()
"""


def test_an_application_composes_our_groups_as_the_page_says(tmp_path: Path) -> None:
    example = PAGE.read_text().partition("# conf/config.yaml\n")[2].partition("```")[0]
    (tmp_path / "application.py").write_text(APPLICATION)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text(example)
    command = [sys.executable, "application.py", "optimizer=sgd", "optimizer.lr=0.5", "hydra.run.dir=."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    optimizer = yaml.safe_load(done.stdout)["optimizer"]
    assert (optimizer["name"], optimizer["momentum"], optimizer["lr"]) == ("sgd", 0.9, 0.5)
