# SPDX-License-Identifier: Apache-2.0
"""Helpers (`alg`): what control connections announce is related, and is let in and translated for it."""
import concurrent.futures
import ftplib
import socket

from frames import endpoint, tcp, told, udp
from rig import PATIENCE, TELL, address, address6, connected, expect, heard, to

V6 = socket.AF_INET6
# Only host 1 may begin; host 2 only what was announced. What is committed with `alg` gets mark 7.
GUARD = """
table=0,priority=10,{family},actions=ct({nat}table=1)
table=1,priority=20,ct_state=+trk+inv,actions=drop
table=1,priority=19,{proto},ct_state=+new+rel,actions=ct(commit,{nat}table=2)
table=1,priority=18,{proto},ct_state=+new,in_port=1,actions=ct(commit,alg={alg},{how}exec(set_field:7->ct_mark),table=2)
table=1,priority=17,ct_state=+est,actions=resubmit(,2)
table=2,priority=10,in_port=1,actions={out}
table=2,priority=10,in_port=2,actions={back}
"""


def guard(alg, how="", family="ip", kernels=True):
    """`how`: what the control connection is translated to; what was announced follows."""
    proto = {"ftp": "tcp", "tftp": "udp"}[alg] + ("6" if family == "ipv6" else "")
    out, back = (to(2), to(1)) if kernels else (TELL + ",output:2", TELL + ",output:1")
    nat, how = ("nat,", "nat(%s)," % how) if how else ("", "")
    return GUARD.format(alg=alg, how=how, nat=nat, family=family, proto=proto, out=out, back=back)


# ---- TFTP ----


def tftp_states(side):
    """Of made frames: the answer comes from another port, and from that alone who was asked."""
    side.flows(guard("tftp", kernels=False))
    expect("before", side.states(2, udp("10.1.1.2:3000", "10.1.1.1:1000")), "")
    expect("request", side.states(1, udp("10.1.1.1:1000", "10.1.1.2:69", b"\0\1file\0octet\0")), "new|trk mark=7")
    expect("to another port", side.states(2, udp("10.1.1.2:3000", "10.1.1.1:1001")), "")
    expect("from somebody else", side.states(2, udp("10.1.1.3:3000", "10.1.1.1:1000")), "")
    expect("answer", side.states(2, udp("10.1.1.2:3000", "10.1.1.1:1000")), "new|rel|trk mark=7")
    expect("acknowledged", side.states(1, udp("10.1.1.1:1000", "10.1.1.2:3000")), "est|rel|rpl|trk mark=7")
    expect("more", side.states(2, udp("10.1.1.2:3000", "10.1.1.1:1000")), "est|rel|trk mark=7")
    expect("another answer", side.states(2, udp("10.1.1.2:3001", "10.1.1.1:1000")), "new|rel|trk mark=7")


def tftp_without_helper(side):
    """Port 69 alone announces nothing."""
    side.flows(guard("tftp", kernels=False).replace("alg=tftp,", ""))
    expect("request", side.states(1, udp("10.1.1.1:1000", "10.1.1.2:69")), "new|trk mark=7")
    expect("answer", side.states(2, udp("10.1.1.2:3000", "10.1.1.1:1000")), "")


def tuples(side):
    """The original tuple of what was announced is that of the control connection."""
    side.flows(f"""
table=0,priority=10,udp,actions=ct(table=1)
table=1,priority=20,ct_state=+new+rel,udp,ct_nw_src=10.1.1.1,ct_nw_dst=10.1.1.2,ct_tp_src=1000,ct_tp_dst=69,actions=ct(commit,table=2)
table=1,priority=19,ct_state=+new-rel,udp,in_port=1,actions=ct(commit,alg=tftp,table=2)
table=1,priority=18,ct_state=+est+rel,udp,ct_nw_src=10.1.1.1,ct_nw_dst=10.1.1.2,ct_tp_src=1000,ct_tp_dst=69,actions={TELL},output:3
table=2,priority=20,ct_state=+rel,udp,ct_nw_src=10.1.1.1,ct_nw_dst=10.1.1.2,ct_tp_src=1000,ct_tp_dst=69,actions={TELL},output:1
table=2,priority=10,ct_state=-rel,udp,actions={TELL},output:2
""")
    expect("request", side.states(1, udp("10.1.1.1:1000", "10.1.1.2:69")), "new|trk")
    expect("answer", side.states(2, udp("10.1.1.2:3000", "10.1.1.1:1000")), "new|rel|trk")
    expect("acknowledged", side.states(1, udp("10.1.1.1:1000", "10.1.1.2:3000")), "est|rel|rpl|trk")


def forgotten(side):
    """With the control connection goes what it has announced."""
    side.flows(guard("tftp", kernels=False))
    side.states(1, udp("10.1.1.1:1000", "10.1.1.2:69"))
    side.ofctl("ct-flush", "br0", "ct_nw_src=10.1.1.1,ct_nw_proto=17,ct_tp_src=1000,ct_tp_dst=69")
    expect("answer", side.states(2, udp("10.1.1.2:3000", "10.1.1.1:1000")), "")


def tftp_exchange(side, where, port, family=socket.AF_INET):
    """Sockets: host 1 asks `where`, host 2 listens at `port` and answers from another one. The client as it is seen."""
    client, server = side.open(1, port=1000, family=family), side.open(2, port=port, family=family)
    client.sendto(b"\0\1file\0octet\0", where)
    side.settle()
    ((request, peer),) = heard(server)
    expect("request", request, b"\0\1file\0octet\0")
    answering = side.open(2, port=3000, family=family)
    answering.sendto(b"\0\3\0\1the file", peer)
    side.settle()
    ((data, source),) = heard(client)
    expect("data", (data, source), (b"\0\3\0\1the file", (where[0], 3000)))
    client.sendto(b"\0\4\0\1", source)
    side.settle()
    expect("acknowledged", heard(answering), [(b"\0\4\0\1", peer)])
    return told(endpoint(peer[0])[0], peer[1])


def tftp(side):
    side.flows(guard("tftp"))
    expect("IPv4", tftp_exchange(side, (address(2), 69), 69), "10.1.1.1:1000")
    side.close()
    side.flows(guard("tftp", family="ipv6"))
    expect("IPv6", tftp_exchange(side, (address6(2), 69), 69, V6), "[fd01::1]:1000")


def tftp_snat(side):
    side.flows(guard("tftp", "src=10.1.1.240"))
    expect("IPv4", tftp_exchange(side, (address(2), 69), 69), "10.1.1.240:1000")
    side.close()
    side.flows(guard("tftp", "src=fd01::240", "ipv6"))
    expect("IPv6", tftp_exchange(side, (address6(2), 69), 69, V6), "[fd01::240]:1000")


def tftp_dnat(side):
    side.flows(guard("tftp", "dst=10.1.1.2"))
    expect("IPv4", tftp_exchange(side, ("10.1.1.100", 69), 69), "10.1.1.1:1000")
    side.close()
    side.flows(guard("tftp", "dst=fd01::2", "ipv6"))
    expect("IPv6", tftp_exchange(side, ("fd01::100", 69), 69, V6), "[fd01::1]:1000")


def tftp_source_port(side):
    """What the client calls 1000 is 5000 to the server."""
    side.flows(guard("tftp", "src=10.1.1.240:5000-5000", kernels=False))
    expect("request", side.states(1, udp("10.1.1.1:1000", "10.1.1.2:69")), "new|trk|snat mark=7")
    answer = side.differs(ovs="", weft="new|rel|trk|dnat mark=7")
    expect("answer", side.states(2, udp("10.1.1.2:3000", "10.1.1.240:5000")), answer)


# ---- FTP ----


def ftp_states(side):
    """Of made frames: who may announce what, and what is told of it."""
    side.flows(f"""
table=0,priority=10,tcp,actions=ct(table=1)
table=1,priority=20,tcp,ct_state=+new-rel,in_port=1,actions=ct(commit,alg=ftp,exec(set_field:7->ct_mark),table=2)
table=1,priority=10,tcp,actions={TELL},output:3
table=2,priority=10,tcp,actions={TELL},output:3
""")
    client, server = "10.1.1.1:2000", "10.1.1.2:21"
    expect("SYN", side.states(1, tcp(client, server, "S", 999)), "new|trk mark=7")
    expect("SYN, ACK", side.states(2, tcp(server, client, "SA", 4999, 1000)), "est|rpl|trk mark=7")

    def says(text):
        return side.states(1, tcp(client, server, "PA", 1000, 5000, text))

    def answers(text):
        return side.states(2, tcp(server, client, "PA", 5000, 1000, text))

    def data(source, target):
        return side.states(2, tcp(source, target, "S", 1))

    expect("PORT", says(b"PORT 10,1,1,1,15,161\r\n"), "est|trk mark=7")
    expect("active", data("10.1.1.2:20", "10.1.1.1:4001"), "new|rel|trk mark=7")
    expect("from another port", data("10.1.1.2:2121", "10.1.1.1:4001"), "new|rel|trk mark=7")
    expect("to another port", data("10.1.1.2:20", "10.1.1.1:4002"), "new|trk")
    expect("from somebody else", data("10.1.1.3:20", "10.1.1.1:4001"), "new|trk")
    expect("227", answers(b"227 Entering Passive Mode (10,1,1,2,15,162).\r\n"), "est|rpl|trk mark=7")
    expect("passive", data("10.1.1.1:3000", "10.1.1.2:4002"), "new|rel|trk mark=7")
    for text in (b"PORT 10,1,1,3,15,165\r\n", b"PORT 10,1,1,1,15,256\r\n", b"PORT 10,1,1,1,15\r\n", b"port now\r\n"):
        expect("%s" % text, says(text), "est|inv|trk mark=7")
    text = b"227 Entering Passive Mode (10,1,1,3,15,165).\r\n"
    expect("%s" % text, answers(text), "est|rpl|inv|trk mark=7")
    expect("announced by others", data("10.1.1.2:20", "10.1.1.3:4005"), "new|trk")
    for text in (b"NOOP\r\n", b"PO", b"EPRT |1|10.1.1.1|4006|\r\n"):
        expect("%s" % text, says(text), "est|trk mark=7")
    later = side.differs(ovs="new|trk", weft="new|rel|trk mark=7")
    expect("EPRT over IPv4", data("10.1.1.2:20", "10.1.1.1:4006"), later)
    expect("229 over IPv4", answers(b"229 Entering Extended Passive Mode (|||4007|)\r\n"), "est|rpl|trk mark=7")
    expect("extended passive", data("10.1.1.1:3001", "10.1.1.2:4007"), later)
    side.ofctl("ct-flush", "br0", "ct_nw_src=10.1.1.1,ct_nw_proto=6,ct_tp_src=2000,ct_tp_dst=21")
    expect("after the end", data("10.1.1.2:22", "10.1.1.1:4001"), "new|trk")


class Server:
    """A small FTP server at host 2: one client, files that are what their names say; `said`: addresses in commands."""

    def __init__(self, side, family):
        self.side, self.family, self.said, self.peers = side, family, [], []
        self.listener = side.listener(2, 21, family)
        self.awaiting = self.where = None

    def serve(self):
        control, peer = self.side.accept(self.listener)
        self.peers.append(told(endpoint(peer[0])[0]))
        control.setblocking(True)
        control.settimeout(PATIENCE)
        control.send(b"220 here\r\n")
        for line in control.makefile("r", newline="\r\n"):
            word, _, rest = line.strip().partition(" ")
            control.send(getattr(self, word.lower())(rest).encode() + b"\r\n")
            if word == "RETR":
                self.transfer(rest)
                control.send(b"226 done\r\n")
            if word == "QUIT":
                return

    def user(self, _):
        return "230 welcome"

    def type(self, _):
        return "200 any"

    def noop(self, _):
        return "200 yes"

    def quit(self, _):
        return "221 bye"

    def retr(self, _):
        return "150 it comes"

    def port(self, rest):
        numbers = rest.split(",")
        return self.active(".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5]))

    def eprt(self, rest):
        _, _, host, port, _ = rest.split("|")
        return self.active(host, int(port))

    def active(self, host, port):
        self.said.append(host)
        self.where = (host, port)
        return "200 there"

    def passive(self):
        self.awaiting = self.side.listener(2, 0, self.family)
        return self.awaiting.getsockname()[:2]

    def pasv(self, _):
        host, port = self.passive()
        return "227 Entering Passive Mode (%s,%d,%d)." % (host.replace(".", ","), port >> 8, port & 255)

    def epsv(self, _):
        return "229 Entering Extended Passive Mode (|||%d|)" % self.passive()[1]

    def transfer(self, name):
        if self.awaiting:
            data, peer = self.side.accept(self.awaiting)
            self.awaiting = None
            self.peers.append(told(endpoint(peer[0])[0]))
        else:
            data = self.side.connect(2, self.where, 20, self.family)
            expect("data connection", connected(data), 0)
        data.send(name.encode() * 100)
        data.close()


class Client(ftplib.FTP):
    trust_server_pasv_ipv4_address = True  # the address in the text is the one that is connected to


def fetch(side, where, passive):
    """Host 1 gets two files from `where`; the addresses to which its data connections went, or those they came from."""
    with side.host(1):
        ftp = Client(timeout=PATIENCE)
        ftp.connect(*where)
        ftp.login()
        ftp.set_pasv(passive)
        peers = []
        for name in ("first", "second"):
            data = ftp.transfercmd("RETR " + name)
            peers.append(told(endpoint(data.getpeername()[0])[0]))
            content = b"".join(iter(lambda: data.recv(4096), b""))
            data.close()
            expect("file", content, name.encode() * 100)
            ftp.voidresp()
            ftp.voidcmd("NOOP")
        ftp.quit()
        return peers


def ftp_session(side, where, passive, family=socket.AF_INET):
    """(the client's addresses as the server sees them, those of the data connections as the client sees them, what the
    client has said)"""
    server = Server(side, family)
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        client = threads.submit(fetch, side, where, passive)
        server.serve()
        return sorted(set(server.peers)), sorted(set(client.result())), sorted(set(server.said))


def ftp_ways(side, how4, how6, server, client_there):
    """Active and passive, IPv4 and IPv6. `server`: its addresses as the client knows them, `client_there`: the client's as the
    server knows them."""
    for i, (family, how) in enumerate((("ip", how4), ("ipv6", how6))):
        kind = V6 if i else socket.AF_INET
        for passive in (False, True):
            side.flows(guard("ftp", how, family))
            got = ftp_session(side, (server[i], 21), passive, kind)
            side.close()
            expect("%s %s" % (family, "passive" if passive else "active"), got,
                   ([client_there[i]], [server[i]], [] if passive else [client_there[i]]))


CLIENT, SERVER = (address(1), address6(1)), (address(2), address6(2))


def ftp(side):
    ftp_ways(side, "", "", SERVER, CLIENT)


def ftp_snat(side):
    ftp_ways(side, "src=10.1.1.240", "src=fd01::240:1", SERVER, ("10.1.1.240", "fd01::240:1"))


def ftp_dnat(side):
    ftp_ways(side, "dst=10.1.1.2", "dst=fd01::2", ("10.1.1.100", "fd01::100"), CLIENT)


tftp_source_port.uncounted = ftp.uncounted = ftp_snat.uncounted = ftp_dnat.uncounted = True

SCENES = [tftp_states, tftp_without_helper, tuples, forgotten, tftp, tftp_snat, tftp_dnat, tftp_source_port]
SCENES += [ftp_states, ftp, ftp_snat, ftp_dnat]
