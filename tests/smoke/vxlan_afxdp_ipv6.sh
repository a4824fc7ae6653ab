#!/bin/bash
# Weft against the kernel's VXLAN device over AF_XDP, IPv6 underlay. Topology and checks: tests/lib/vxlan_peer.sh.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/lib/vxlan_peer.sh"

vxlan_peer_run 6 afxdp
