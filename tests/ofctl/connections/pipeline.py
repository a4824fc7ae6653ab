# SPDX-License-Identifier: Apache-2.0
"""What of a packet's state comes along through ct(table=N), and what becomes of the packet that stays behind."""
from frames import tcp, udp
from rig import TELL, expect

A, B = "10.1.1.1:1000", "10.1.1.2:2000"


def registers(side):
    """Registers, metadata and the stack come along."""
    side.flows("""
table=0,priority=10,udp,in_port=1,actions=load:0x11->NXM_NX_REG0[],load:0x22->NXM_NX_REG15[],set_field:0x33->metadata,push:NXM_NX_REG0[],push:NXM_NX_REG15[],load:0x44->NXM_NX_REG0[],ct(table=1)
table=1,priority=10,udp,reg0=0x44,reg15=0x22,metadata=0x33,actions=pop:NXM_NX_REG1[],pop:NXM_NX_REG2[],move:NXM_NX_REG1[0..7]->NXM_OF_ETH_SRC[0..7],move:NXM_NX_REG2[0..7]->NXM_OF_ETH_SRC[8..15],ct(zone=5,table=2)
table=2,priority=10,udp,reg1=0x22,reg2=0x11,metadata=0x33,in_port=1,actions=output:2
""")
    (port, packet), = side.send(1, udp(A, B))
    expect("the stack", (port, packet.frame[10:12].hex()), (2, "1122"))


def packet_changes(side):
    """What was written into the packet before is tracked, and seen behind."""
    side.flows(f"""
table=0,priority=10,udp,in_port=1,actions=mod_nw_src:10.9.9.9,mod_tp_dst:5353,dec_ttl,ct(commit,table=1)
table=0,priority=10,udp,in_port=2,actions=ct(table=1)
table=1,priority=10,udp,ct_state=+new,nw_src=10.9.9.9,tp_dst=5353,nw_ttl=63,actions={TELL},output:2
table=1,priority=10,udp,ct_state=+est,actions={TELL},output:1
""")
    (_, packet), = side.send(1, udp(A, B, b"x"))
    expect("changed", packet.text, "udp 10.9.9.9:1000 > 10.1.1.2:5353 b'x'")
    expect("an answer to what was changed", side.states(2, udp("10.1.1.2:5353", "10.9.9.9:1000")), "est|rpl|trk")


def action_set(side):
    """It comes along, and is also carried out for what stays behind. (Open vSwitch 3.1 falls over an assertion.)"""
    side.flows("""
table=0,priority=10,udp,in_port=1,actions=write_actions(set_field:02:cc:00:00:00:77->eth_dst,output:2),goto_table:1
table=0,priority=10,udp,in_port=3,actions=write_actions(set_field:02:cc:00:00:00:78->eth_dst,output:2),goto_table:1
table=1,priority=10,udp,actions=ct(commit,table=2)
table=2,priority=10,udp,in_port=1,ct_state=+new,actions=write_actions(output:3)
table=2,priority=10,udp,in_port=3,ct_state=+rpl,actions=output:1
""")
    expect("changed there", side.targets(1, udp(A, B)), "2: 77; 3: 77")
    expect("used there", side.targets(3, udp(B, A)), "1: 00; 2: 78; 2: 78")


def one_after_the_other(side):
    """Two zones in a row: the second knows nothing of the first; ct_state is always that of the last one."""
    side.flows(f"""
table=0,priority=10,udp,in_port=1,actions=ct(commit,zone=1),ct(commit,zone=2),output:2
table=0,priority=10,udp,in_port=2,actions=ct(zone=1,table=1)
table=0,priority=10,udp,in_port=3,actions=ct(zone=1,table=1)
table=1,priority=10,udp,in_port=2,ct_state=+est+rpl,ct_zone=1,actions=ct(zone=2,table=2)
table=1,priority=10,udp,in_port=3,ct_zone=1,actions=ct(zone=3,table=2)
table=2,priority=10,udp,in_port=2,ct_state=+est+rpl,ct_zone=2,actions={TELL},output:1
table=2,priority=10,udp,in_port=3,ct_state=+new,ct_zone=3,actions={TELL},output:1
""")
    expect("both committed", side.out(1, udp(A, B)), "2: udp 10.1.1.1:1000 > 10.1.1.2:2000")
    expect("both answered", side.states(2, udp(B, A)), "est|rpl|trk zone=2")
    expect("a third zone", side.states(3, udp(A, B)), "new|trk zone=3")


def what_stays_behind(side):
    """Goes on at once, untracked; also behind resubmit, and where it was tracked before."""
    side.flows(f"""
table=0,priority=10,udp,in_port=1,actions=ct(commit,table=1),{TELL},output:2,resubmit(,2)
table=0,priority=10,udp,in_port=2,actions=resubmit(,3),output:1
table=1,priority=10,udp,actions=ct(table=4),{TELL},output:3
table=2,priority=10,udp,ct_state=-trk,actions=output:3
table=2,priority=10,udp,ct_state=+trk,actions=output:2
table=3,priority=10,udp,actions=ct(table=2),mod_tp_src:7
table=4,priority=10,udp,ct_state=+trk,actions={TELL},output:2
""")
    got = sorted((port, packet.state()) for port, packet in side.send(1, udp(A, B)))
    expect("of port 1", got, [(2, "new|trk"), (2, "untracked"), (3, "untracked"), (3, "untracked")])
    expect("of port 2", side.out(2, udp(B, A)), "1: udp 10.1.1.2:7 > 10.1.1.1:1000")


def groups(side):
    """ct in buckets: of all of them, and of the one that is chosen."""
    side.flows(
        f"""
table=0,priority=10,udp,in_port=1,actions=group:1
table=0,priority=10,udp,in_port=2,actions=ct(zone=4,table=1)
table=0,priority=10,tcp,in_port=1,actions=group:2
table=0,priority=10,tcp,in_port=2,actions=ct(zone=6,nat,table=1)
table=1,priority=10,ip,in_port=1,actions={TELL},output:3
table=1,priority=10,ip,in_port=2,actions={TELL},output:1
""",
        groups="""
group_id=1,type=all,bucket=ct(commit,zone=4,table=1),bucket=set_field:9->udp_dst,output:2,bucket=ct(commit,zone=5,table=1)
group_id=2,type=select,bucket=ct(commit,zone=6,nat(dst=10.1.1.102),table=1)
""",
    )
    got = sorted((port, packet.state(), packet.target) for port, packet in side.send(1, udp(A, B)))
    expect("all", got, [(2, "untracked", "10.1.1.2:9"), (3, "new|trk zone=4", B), (3, "new|trk zone=5", B)])
    expect("answered", side.states(2, udp(B, A)), "est|rpl|trk zone=4")
    (_, packet), = side.send(1, tcp(A, B, "S", 1))
    expect("one of them", (packet.state(), packet.target), ("new|trk|dnat zone=6", "10.1.1.102:2000"))
    (_, packet), = side.send(2, tcp("10.1.1.102:2000", A, "SA", 1, 2))
    expect("answered", (packet.state(), packet.source), ("est|rpl|trk|snat zone=6", B))


def clone_and_clear(side):
    """clone() keeps what the tracker does to itself; ct_clear forgets."""
    side.flows(f"""
table=0,priority=10,udp,in_port=1,actions=clone(ct(commit,nat(src=10.1.1.240),table=1)),output:3
table=0,priority=10,udp,in_port=2,actions=ct(nat,table=2)
table=1,priority=10,udp,actions={TELL},output:2
table=2,priority=10,udp,ct_state=+est,actions=ct_clear,resubmit(,3)
table=3,priority=10,udp,ct_state=+trk,actions=drop
table=3,priority=10,udp,ct_state=-trk,ct_mark=0,ct_zone=0,actions={TELL},output:1
""")
    expect("clone", side.out(1, udp(A, B)), "2: udp 10.1.1.240:1000 > 10.1.1.2:2000; 3: udp 10.1.1.1:1000 > 10.1.1.2:2000")
    expect("ct_clear", side.states(2, udp(B, "10.1.1.240:1000")), "untracked")


def force(side):
    """A commit with force makes who sends now the one who has begun."""
    side.flows(f"""
table=0,priority=10,udp,in_port=1,actions=ct(commit,table=1)
table=0,priority=10,udp,in_port=2,actions=ct(commit,force,table=1)
table=0,priority=10,udp,in_port=3,actions=ct(table=1)
table=1,priority=10,udp,in_port=3,actions={TELL},output:1
table=1,priority=9,udp,actions={TELL},output:3
""")
    expect("1 begins", side.states(1, udp(A, B)), "new|trk")
    expect("2 answers", side.states(3, udp(B, A)), "est|rpl|trk")
    expect("2 by force", side.states(2, udp(B, A)), "new|trk")
    expect("1 answers", side.states(3, udp(A, B)), "est|rpl|trk")
    expect("1 cannot commit what is there", side.states(1, udp(A, B)), "est|rpl|trk")


def vlan(side):
    """Tags are no part of a connection, and stay."""
    side.flows(f"""
table=0,priority=10,udp,in_port=1,dl_vlan=7,actions=ct(commit,table=1)
table=0,priority=10,udp,in_port=2,actions=ct(nat,table=1)
table=1,priority=10,udp,in_port=1,dl_vlan=7,ct_state=+new,actions=strip_vlan,output:2
table=1,priority=10,udp,in_port=2,ct_state=+est,actions={TELL},output:1
""")
    frame = udp(A, B, b"x")
    expect("tagged", side.out(1, frame[:12] + bytes.fromhex("81000007") + frame[12:]), "2: udp %s > %s b'x'" % (A, B))
    expect("not tagged", side.states(2, udp(B, A)), "est|rpl|trk")


def packet_out(side):
    """What a controller sends is tracked like what comes in."""
    side.flows(f"""
table=0,priority=10,udp,in_port=1,actions=ct(commit,table=1)
table=0,priority=10,udp,in_port=2,actions=ct(table=1)
table=1,priority=10,udp,actions={TELL},output:3
""")

    def sent(actions, frame):
        side.packet_out(1, actions, frame)
        return "; ".join(sorted(packet.state() for packet in side.settle(2)[3]))

    expect("by the tables", sent("resubmit(,0)", udp(A, B)), "new|trk")
    expect("is answered", side.states(2, udp(B, A)), "est|rpl|trk")
    expect("by an action", sent("ct(zone=3,commit,table=1)", udp(A, B)), "new|trk zone=3")
    expect("again", sent("ct(zone=3,table=1),output:3", udp(A, B)), "new|trk zone=3; untracked")


def changed_flows(side):
    """New flows are in force for connections that are there, at once."""
    side.flows(f"""
table=0,priority=10,udp,actions=ct(commit,table=1)
table=1,priority=10,udp,ct_state=+new,actions=output:2
table=1,priority=10,udp,ct_state=+est,actions=output:1
""")
    for _ in range(3):
        expect("begins", side.out(1, udp(A, B)), "2: udp %s > %s" % (A, B))
    expect("is answered", side.out(2, udp(B, A)), "1: udp %s > %s" % (B, A))
    side.ofctl("add-flow", "br0", "table=1,priority=11,udp,ct_state=+est,actions=output:3")
    side.revalidate()
    expect("another flow", side.out(2, udp(B, A)), "3: udp %s > %s" % (B, A))
    side.ofctl("del-flows", "br0", "table=1,udp,ct_state=+est")
    side.revalidate()
    expect("no flow", side.out(2, udp(B, A)), "")


def original(side):
    """A table is asked by the addresses and ports that the connection began with: one rule for both ways."""
    side.flows("""
table=0,priority=10,udp,in_port=1,actions=ct(commit,nat(dst=10.1.1.2:2000),table=1)
table=0,priority=10,udp,in_port=2,actions=ct(nat,table=1)
table=0,priority=10,udp,in_port=3,actions=ct(table=3)
table=0,priority=10,udp6,in_port=1,actions=ct(commit,nat(dst=[fd01::2]:2000),table=1)
table=0,priority=10,udp6,in_port=2,actions=ct(nat,table=1)
table=1,priority=10,udp,ct_state=-inv+trk,actions=resubmit(,2,ct)
table=1,priority=10,udp6,ct_state=-inv+trk,actions=resubmit(,2,ct)
table=2,priority=20,udp,nw_dst=10.1.1.2,actions=output:3
table=2,priority=10,udp,nw_src=10.1.1.1,nw_dst=10.1.1.100,tp_dst=53,ct_state=-rpl-inv+trk,ct_nw_proto=17,ct_nw_dst=10.1.1.2,ct_tp_dst=2000,actions=mod_tp_dst:7,goto_table:4
table=2,priority=10,udp,nw_src=10.1.1.1,nw_dst=10.1.1.100,tp_dst=53,ct_state=+rpl,ct_nw_src=10.1.1.100,actions=resubmit(,4)
table=2,priority=10,udp6,ipv6_dst=fd01::100,tp_dst=53,actions=goto_table:4
table=3,priority=10,udp,ct_state=+trk-inv,actions=output:2,ct_clear,resubmit(,2,ct),output:1
table=4,priority=10,udp,nw_dst=10.1.1.2,actions=output:2
table=4,priority=10,udp,nw_src=10.1.1.100,actions=output:1
table=4,priority=10,udp6,ipv6_dst=fd01::2,actions=output:2
table=4,priority=10,udp6,ipv6_src=fd01::100,actions=output:1
""")
    for _ in range(2):
        expect("there", side.out(1, udp(A, "10.1.1.100:53")), "2: udp %s > 10.1.1.2:7" % A)
        expect("back", side.out(2, udp(B, A)), "1: udp 10.1.1.100:53 > %s" % A)
        expect("another", side.out(1, udp(A, "10.1.1.100:54")), "")
        expect("there, IPv6", side.out(1, udp("[fd01::1]:1000", "[fd01::100]:53")), "2: udp [fd01::1]:1000 > [fd01::2]:2000")
        expect("back, IPv6", side.out(2, udp("[fd01::2]:2000", "[fd01::1]:1000")), "1: udp [fd01::100]:53 > [fd01::1]:1000")
        untracked = udp("10.1.1.3:5", "10.1.1.100:53")
        expect("of no connection", side.out(3, untracked), "1: {0}; 2: {0}".format("udp 10.1.1.3:5 > 10.1.1.100:53"))


action_set.only = "weft"
SCENES = [registers, packet_changes, action_set, one_after_the_other, what_stays_behind, groups, clone_and_clear, force]
SCENES += [vlan, packet_out, changed_flows, original]
