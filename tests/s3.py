"""A server of the S3 protocol on loopback, moto's, in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sockets import free_port

SERVE = """
import sys, time
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=int(sys.argv[1]))
server.start()
print("serves", flush=True)
sys.stdin.read()
server.stop()
"""
KEYS = {"AWS_ACCESS_KEY_ID": "ours", "AWS_SECRET_ACCESS_KEY": "canary-of-s3", "AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True)
class Storage:
    """A running server with one bucket, `bucket`.

    Attributes:
        address: of the server.
    """

    address: str

    @property
    def environment(self) -> dict[str, str]:
        """What its users have in their environment."""
        return {**KEYS, "AWS_ENDPOINT_URL": self.address, "AWS_DEFAULT_REGION": "us-east-1"}

    @property
    def client(self) -> Any:
        """Another program's way to it."""
        import boto3

        keys = {"aws_access_key_id": "ours", "aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"]}
        return boto3.client("s3", endpoint_url=self.address, region_name="us-east-1", **keys)

    def names(self) -> list[str]:
        """Of all files in the bucket."""
        listing = self.client.list_objects_v2(Bucket="bucket").get("Contents", [])
        return [entry["Key"] for entry in listing]


@contextmanager
def s3_server() -> Iterator[Storage]:
    """A server for the length of the block."""
    port = free_port()
    words = [sys.executable, "-c", SERVE, str(port)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, text=True, env=os.environ | KEYS, **pipes) as process:  # type: ignore[call-overload]
        assert "serves\n" in iter(process.stdout.readline, "")
        storage = Storage(f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + 30
        while True:
            try:
                storage.client.create_bucket(Bucket="bucket")
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield storage
        process.stdin.close()
