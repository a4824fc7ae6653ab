# SPDX-License-Identifier: Apache-2.0
"""The switches that are compared. Each has a directory of its own; pN.sock in it is the socket of port N, on which
the switch listens. All of them live at the same time, and all but the one that is measured are stopped (SIGSTOP)."""
import json
import os
import re
import shutil
import signal
import subprocess
import time

import rows
from machine import GENERATOR_CORE, WORKER_CORE, set_realtime, tasks, thread_cpu_seconds, waited_seconds

OVS_VSWITCHD = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"


def wait_until(what, seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("%s: nothing after %d s" % (what, seconds))
        time.sleep(0.02)


class Switch:
    name = ""
    worker_thread = ""  # beginning of its name

    def __init__(self, root, build):
        self.dir = os.path.join(root, self.name)
        self.build = build
        self.processes = []
        os.mkdir(self.dir)

    def spawn(self, command, **more):
        log = open(os.path.join(self.dir, "log"), "ab")
        more.setdefault("stdin", subprocess.DEVNULL)
        p = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **more)
        log.close()
        self.processes.append(p)
        return p

    def log(self):
        with open(os.path.join(self.dir, "log"), errors="replace") as f:
            return f.read()

    def socket(self, port):
        return os.path.join(self.dir, "p%d.sock" % port)

    @property
    def pid(self):
        return self.processes[-1].pid

    def ip(self, *args):
        """ip(8) in the switch's network namespace."""
        subprocess.run(["nsenter", "-t", str(self.pid), "-n", "ip", *args], check=True)

    def pause(self):
        set_realtime(self.pid, 0)
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self, realtime=True):
        os.kill(self.pid, signal.SIGCONT)
        if realtime:
            set_realtime(self.pid, 2)

    def worker(self):
        for t in tasks(self.pid):
            with open("/proc/%d/task/%d/comm" % (self.pid, t)) as f:
                if f.read().startswith(self.worker_thread):
                    return t
        raise RuntimeError("%s: no worker thread" % self.name)

    def waited(self):
        return waited_seconds(self.worker())

    def cpu(self):
        return thread_cpu_seconds(self.worker())

    def busy(self):
        """(busy cycles, packets) so far; None: this switch does not tell."""
        return None

    def stop(self):
        for p in reversed(self.processes):
            try:
                os.kill(p.pid, signal.SIGCONT)
                p.terminate()
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
            except ProcessLookupError:
                pass


class Weft(Switch):
    name = "weft"
    worker_thread = "rte-worker"

    def start(self, ports):
        # Its own network namespace, for the tap of the uplink.
        self.spawn(["unshare", "-n", self.build + "/weftd", "--rundir", self.dir, "--state", self.dir + "/if.json", "--workers",
                    str(WORKER_CORE)])
        wait_until("weftd", 20, lambda: self.rpc("if", "list", check=False).returncode == 0)
        for p in range(ports):
            self.rpc("if", "add", "p%d" % p, "type=vhost-user", "role=server", "socket=" + self.socket(p))

    def open_tunnel(self, port):
        """A VXLAN interface on the bridge, and an uplink that is socket(port)."""
        self.rpc("if", "add", "up0", "type=vhost-user", "role=server", "socket=" + self.socket(port), "mtu=1600",
                 "exception=up0k")
        self.ip("link", "set", "up0k", "address", rows.VTEP_MACS[0], "up")
        self.ip("addr", "add", rows.VTEPS[0] + "/24", "dev", "up0k")
        self.ip("neigh", "add", rows.VTEPS[1], "lladdr", rows.VTEP_MACS[1], "dev", "up0k")
        self.rpc("if", "add", "vx0", "type=vxlan", "local=" + rows.VTEPS[0], "remote=" + rows.VTEPS[1],
                 "vni=%d" % rows.VNI, "ofport=%d" % rows.TUNNEL_OFPORT)

    def rpc(self, *args, check=True):
        return subprocess.run([self.build + "/weft", "--rundir", self.dir, "-o", "json", *args], check=check,
                              capture_output=True, text=True)

    def ofctl(self, *args):
        return subprocess.run([self.build + "/weft-ofctl", "--rundir", self.dir, *args], check=True,
                              capture_output=True, text=True).stdout

    def busy(self):
        w = json.loads(self.rpc("workers").stdout)[0]
        return w["busy_cycles"], w["packets"]

    def drops(self):
        return {(d["port"], d["reason"]): d["packets"] for d in json.loads(self.rpc("drops").stdout)}


class Testpmd(Switch):
    """Moves packets from one port to the other and back, without looking at them."""
    name = "testpmd"
    worker_thread = "rte-worker"
    tso = ""

    @staticmethod
    def missing():
        return None if shutil.which("dpdk-testpmd") else "dpdk-testpmd (package dpdk-dev)"

    def start(self, ports):
        r, w = os.pipe()
        vdevs = []
        for p in range(2):
            vdevs += ["--vdev", "net_vhost%d,iface=%s%s" % (p, self.socket(p), self.tso)]
        self.spawn(["dpdk-testpmd", "-l", "%d,%d" % (GENERATOR_CORE, WORKER_CORE), "--in-memory", "--no-pci",
                    "--no-telemetry", "-m", "192", *vdevs, "--", "-i", "--nb-cores=1", "--forward-mode=io",
                    "--rxd=1024", "--txd=1024", "--total-num-mbufs=16384", "--no-lsc-interrupt"], stdin=r)
        os.close(r)
        self.input = w
        wait_until("testpmd", 30, lambda: "testpmd>" in self.log())
        os.write(w, b"start\n")
        wait_until("testpmd", 10, lambda: "io packet forwarding" in self.log())

    def stop(self):
        os.close(self.input)
        super().stop()


class TestpmdTso(Testpmd):
    name = "testpmd-tso"
    tso = ",tso=1"


class Ovs(Switch):
    name = "ovs"
    worker_thread = "pmd"

    @staticmethod
    def missing():
        if not os.path.exists(OVS_VSWITCHD) or not shutil.which("ovsdb-tool"):
            return "Open vSwitch with DPDK (package openvswitch-switch-dpdk)"
        return None

    def vsctl(self, *args):
        subprocess.run(["ovs-vsctl", "--db=unix:%s/db.sock" % self.dir, "--timeout=30", *args], check=True,
                       capture_output=True)

    def start(self, ports):
        env = dict(os.environ, OVS_RUNDIR=self.dir, OVS_LOGDIR=self.dir)
        subprocess.run(["ovsdb-tool", "create", self.dir + "/conf.db", "/usr/share/openvswitch/vswitch.ovsschema"],
                       check=True)
        core = ["taskset", "-c", str(GENERATOR_CORE)]
        self.spawn([*core, "ovsdb-server", self.dir + "/conf.db", "--remote=punix:%s/db.sock" % self.dir,
                    "--unixctl=%s/db.ctl" % self.dir], env=env)
        wait_until("ovsdb-server", 10, lambda: os.path.exists(self.dir + "/db.sock"))
        self.vsctl("--no-wait", "init")
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
                   "other_config:pmd-cpu-mask=%x" % (1 << WORKER_CORE),
                   "other_config:dpdk-lcore-mask=%x" % (1 << GENERATOR_CORE), "other_config:dpdk-socket-mem=512",
                   "other_config:dpdk-extra=--in-memory --no-pci --no-telemetry")
        # Its own network namespace: a userspace bridge makes tap devices of well-known names.
        self.spawn(["unshare", "-n", *core, OVS_VSWITCHD, "unix:%s/db.sock" % self.dir,
                    "--unixctl=%s/v.ctl" % self.dir], env=env)
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev")
        for p in range(ports):
            self.vsctl("add-port", "br0", "p%d" % p, "--", "set", "Interface", "p%d" % p, "type=dpdkvhostuser",
                       "ofport_request=%d" % (p + 1))
            os.symlink("p%d" % p, self.socket(p))
        wait_until("ovs-vswitchd", 20, lambda: os.path.exists(self.socket(ports - 1)))

    def appctl(self, *args):
        return subprocess.run(["ovs-appctl", "-t", self.dir + "/v.ctl", *args], check=True, capture_output=True,
                              text=True).stdout

    def open_tunnel(self, port):
        self.vsctl("add-br", "br-phy", "--", "set", "bridge", "br-phy", "datapath_type=netdev",
                   "other-config:hwaddr=" + rows.VTEP_MACS[0], "--", "add-port", "br-phy", "p%d" % port, "--", "set",
                   "Interface", "p%d" % port, "type=dpdkvhostuser", "ofport_request=1")
        os.symlink("p%d" % port, self.socket(port))
        self.ip("addr", "add", rows.VTEPS[0] + "/24", "dev", "br-phy")
        self.ip("link", "set", "br-phy", "up")
        self.ofctl("del-flows", "br-phy")
        self.ofctl("add-flow", "br-phy", "in_port=1,actions=LOCAL")
        self.ofctl("add-flow", "br-phy", "in_port=LOCAL,actions=output:1")
        self.vsctl("add-port", "br0", "vx0", "--", "set", "Interface", "vx0", "type=vxlan",
                   "options:remote_ip=" + rows.VTEPS[1], "options:key=%d" % rows.VNI,
                   "ofport_request=%d" % rows.TUNNEL_OFPORT)
        wait_until("a route of ovs-vswitchd", 20, lambda: "br-phy" in self.appctl("ovs/route/lookup", rows.VTEPS[1]))
        self.appctl("tnl/neigh/set", "br-phy", rows.VTEPS[1], rows.VTEP_MACS[1])

    def ofctl(self, *args):
        return subprocess.run(["ovs-ofctl", "-O", "OpenFlow13", *args], check=True, capture_output=True, text=True,
                              env=dict(os.environ, OVS_RUNDIR=self.dir)).stdout

    def busy(self):
        out = self.appctl("dpif-netdev/pmd-stats-show").split("main thread")[0]
        cycles = re.search(r"processing cycles: (\d+)", out)
        packets = re.search(r"packets received: (\d+)", out)
        return (int(cycles.group(1)), int(packets.group(1))) if cycles and packets else None


PEERS = {s.name: s for s in (Testpmd, TestpmdTso, Ovs)}
