#!/usr/bin/env bash
# Installs what the tests beside it run against, outside of the repository: Azurite (Azure Blob Storage, from npm)
# and LocalStack (Amazon S3, from PyPI). Takes a second where everything is there already.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${EXPORTJOBS_EMULATORS:-${XDG_CACHE_HOME:-$HOME/.cache}/exportjobs-emulators}
azurite=3.37.0

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    echo "Node.js is missing; install it with: sudo apt-get install nodejs npm" >&2
    exit 1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends nodejs npm
fi
command -v uv >/dev/null || python3 -m pip install --quiet uv

mkdir -p "$folder"
manifest=$folder/azurite/node_modules/azurite/package.json
if ! grep -qs "\"version\": \"$azurite\"" "$manifest"; then
  rm -rf "$folder/azurite"
  npm install --prefix "$folder/azurite" --ignore-scripts --no-audit --no-fund --loglevel=error "azurite@$azurite"
fi

[[ -x $folder/localstack/bin/python ]] || uv venv --quiet --python 3.11 "$folder/localstack"
uv pip sync --quiet --python "$folder/localstack/bin/python" "$here/localstack.txt"
