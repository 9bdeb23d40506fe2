"""A W&B server on loopback, as much of one as the client needs; see README.md."""

from wandb_server.over_http import wandb_server
from wandb_server.server import ENTITY, KEY, Run, Server

__all__ = ["ENTITY", "KEY", "Run", "Server", "wandb_server"]
