#!/usr/bin/env bash
# The real tools that CI needs: tshark and Suricata 7 to be compared with, a browser, and what makes a wire, from Debian, by the machine's own mirror.
set -eu
export DEBIAN_FRONTEND=noninteractive
if ! command -v tshark >/dev/null; then
  apt-get update -q
  apt-get install -y -q --no-install-recommends tshark
fi
if ! command -v ip >/dev/null; then
  apt-get update -q
  apt-get install -y -q --no-install-recommends iproute2
fi
if ! command -v chromium >/dev/null; then
  apt-get update -q
  apt-get install -y -q --no-install-recommends chromium
fi
if ! command -v suricata >/dev/null; then
  # bookworm's own Suricata is 6; 7 is in its backports. The mirror is read from the machine, never written here.
  . /etc/os-release
  list=/etc/apt/sources.list.d/droidrange-backports.list
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $VERSION_CODENAME" | head -n 1)
  [ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/$')
  echo "deb $mirror $VERSION_CODENAME-backports main" > "$list"
  trap 'rm -f "$list"' EXIT
  apt-get update -q
  apt-get install -y -q --no-install-recommends -t "$VERSION_CODENAME-backports" suricata
fi
tshark --version | head -n 1
suricata -V
chromium --version
