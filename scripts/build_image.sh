#!/bin/sh
# Build the container image of docker/Dockerfile with whichever of docker, podman and buildah is here. Further words go
# to its `build`.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
export DOCKER_BUILDKIT=1
for tool in docker podman buildah; do
    if "$tool" info >/dev/null 2>&1; then
        "$tool" build --file docker/Dockerfile --tag "actsweep:$version" --tag actsweep:latest "$@" .
        exit
    fi
done
echo 'actsweep: an image is built by docker, podman or buildah; none of them works here' >&2
exit 2
