#!/usr/bin/env bash
# A Docker engine for the live tests: installed if absent, started if it does not run. Prints the pid of what it started.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
need=()
command -v dockerd >/dev/null || need+=(docker.io)
command -v mmdebstrap >/dev/null || need+=(mmdebstrap)
if [ ${#need[@]} -gt 0 ]; then
  { apt-get update -q && apt-get install -y -q --no-install-recommends "${need[@]}"; } >&2
fi
if docker info >/dev/null 2>&1; then exit 0; fi
# a pid file of a machine that is no more must not keep the engine from starting
pidfile=/var/run/docker.pid
if [ -e "$pidfile" ] && ! kill -0 "$(cat "$pidfile")" 2>/dev/null; then rm -f "$pidfile"; fi
dockerd >/tmp/droidrange-ci-dockerd.log 2>&1 &
engine=$!
for _ in $(seq 60); do
  if docker info >/dev/null 2>&1; then echo "$engine"; exit 0; fi
  kill -0 "$engine" 2>/dev/null || break
  sleep 1
done
echo "no Docker engine: the end of what dockerd said follows" >&2
tail -n 20 /tmp/droidrange-ci-dockerd.log >&2
exit 1
