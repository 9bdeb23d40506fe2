"""Whether a cluster may be used, asked in bounded time; Ray itself tries for minutes, its job client without end."""

import http.client
import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from actsweep.cluster.access import TOKEN_HINT, is_loopback, require_token, token
from actsweep.cluster.reach import host_and_port, resolved, unreachable
from actsweep.errors import RequestError

if TYPE_CHECKING:
    import grpc

ANSWER_SECONDS = 5.0
_QUESTION = "/ray.rpc.NodeInfoGcsService/GetClusterId"  # what Ray's own clients ask first; its request is empty


def require_cluster(address: str) -> None:
    """Refuse a cluster that does not answer, one that refuses the token, and one off loopback that asks for none.

    Args:
        address: host:port of a Ray, the URL of a job server, or auto for the cluster of this machine.

    Raises:
        RequestError: it is refused.
    """
    require_token(address)
    if reason := unreachable(address, ANSWER_SECONDS):
        what = "no job server answers: " if is_job_server(address) else ""
        raise RequestError(f"cluster.address={address}: {what}{reason}")
    found = resolved(address)
    if is_job_server(found):
        is_open = _takes_any_job(found)
    elif os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return  # only Ray has the certificates to ask
    else:
        is_open = _is_open(found)
    if is_open and not is_loopback(found):
        raise RequestError(
            f"cluster.address={address}: this cluster runs the code of anyone, for it asks for no token; start it with "
            "RAY_AUTH_MODE=token"
        )


def is_job_server(address: str) -> bool:
    """Whether an address is that of a job server, not of a Ray itself."""
    return address.startswith(("http://", "https://"))


def _takes_any_job(address: str) -> bool:
    """Whether a job server answers to those who show no token."""
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/api/jobs/", timeout=ANSWER_SECONDS):
            return True
    except urllib.error.HTTPError:
        return False
    except http.client.HTTPException as error:
        raise RequestError(f"cluster.address={address}: what answers there is no job server") from error
    except (OSError, ValueError) as error:
        raise RequestError(f"cluster.address={address}: no job server answers ({error})") from error


def _is_open(found: str) -> bool:
    """Whether a Ray answers to those who show no token."""
    import grpc

    answer = _answer(found, "")
    if answer == grpc.StatusCode.UNAUTHENTICATED:
        if not token():
            raise RequestError(f"cluster.address={found}: the cluster asks for a token; {TOKEN_HINT}")
        if _answer(found, token()) != grpc.StatusCode.OK:
            raise RequestError(f"cluster.address={found}: the cluster does not accept this token; {TOKEN_HINT}")
    elif answer != grpc.StatusCode.OK:
        raise RequestError(f"cluster.address={found}: no Ray cluster answers ({answer.value[1]})")
    return bool(answer == grpc.StatusCode.OK)


def _answer(found: str, shown: str) -> "grpc.StatusCode":
    import grpc

    host, port = host_and_port(found)
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    metadata = (("authorization", f"Bearer {shown}"),) if shown else ()
    with grpc.insecure_channel(target, options=(("grpc.enable_http_proxy", 0),)) as channel:
        try:
            channel.unary_unary(_QUESTION)(b"", timeout=ANSWER_SECONDS, metadata=metadata)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK
