/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's side of the underlay over rtnetlink: links, addresses, routes and neighbours, asked and
 * monitored. Called by underlay.c in the control thread. */
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/if.h>
#include <string.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include "base/log.h"
#include "overlay/vxlan/underlay_private.h"

enum {
	EVENTS_BUFFER = 4 << 20,
	RESOLVED_STATES = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT
};

/* ---- small conversions ---- */

static bool ip_from_attr(const struct nlattr *a, struct ip_addr *ip)
{
	uint32_t v4;

	if (!a)
		return false;
	if (nla_len(a) == 4) {
		memcpy(&v4, nla_data(a), 4);
		*ip = ip_from_v4(v4);
		return true;
	}
	if (nla_len(a) != 16)
		return false;
	memcpy(ip->b, nla_data(a), 16);
	return true;
}

static int put_ip(struct nl_msg *msg, int type, const struct ip_addr *ip)
{
	return ip_is_v4(ip) ? nla_put(msg, type, 4, ip->b + 12) : nla_put(msg, type, 16, ip->b);
}

static uint8_t family_of(const struct ip_addr *ip)
{
	return ip_is_v4(ip) ? AF_INET : AF_INET6;
}

static bool mac_from_attr(const struct nlattr *a, struct mac *mac)
{
	if (!a || nla_len(a) != 6)
		return false;
	memcpy(mac->b, nla_data(a), 6);
	return true;
}

/* ---- links and addresses ---- */

static struct link *link_find(struct underlay *u, int ifindex)
{
	for (uint32_t i = 0; i < u->nlinks; i++)
		if (u->links[i].ifindex == ifindex)
			return &u->links[i];
	return NULL;
}

/* True when something a path depends on has changed. */
static bool on_link(struct underlay *u, struct nlmsghdr *h)
{
	struct nlattr *tb[IFLA_MAX + 1];
	const struct ifinfomsg *info = nlmsg_data(h);
	struct link now = {0}, *old;

	if (nlmsg_parse(h, sizeof(*info), tb, IFLA_MAX, NULL) || info->ifi_family != AF_UNSPEC)
		return false;
	now.ifindex = info->ifi_index;
	now.up = info->ifi_flags & IFF_UP;
	now.ethernet = info->ifi_type == ARPHRD_ETHER && mac_from_attr(tb[IFLA_ADDRESS], &now.mac);
	if (tb[IFLA_MTU] && nla_len(tb[IFLA_MTU]) >= 4)
		now.mtu = nla_get_u32(tb[IFLA_MTU]);
	old = link_find(u, now.ifindex);
	if (h->nlmsg_type == RTM_DELLINK) {
		if (!old)
			return false;
		*old = u->links[--u->nlinks];
		return true;
	}
	if (!old && u->nlinks < LINKS_MAX) {
		old = &u->links[u->nlinks++];
		memset(old, 0, sizeof(*old));
	}
	if (!old || !memcmp(old, &now, sizeof(now)))
		return false;
	memcpy(old, &now, sizeof(now));
	return true;
}

static bool on_address(struct underlay *u, struct nlmsghdr *h)
{
	struct nlattr *tb[IFA_MAX + 1];
	const struct ifaddrmsg *info = nlmsg_data(h);
	struct address now = {0};
	uint32_t i;

	if (nlmsg_parse(h, sizeof(*info), tb, IFA_MAX, NULL))
		return false;
	now.ifindex = (int)info->ifa_index;
	if (!ip_from_attr(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS], &now.ip))
		return false;
	for (i = 0; i < u->naddresses; i++)
		if (!memcmp(&u->addresses[i], &now, sizeof(now)))
			break;
	if (h->nlmsg_type == RTM_DELADDR) {
		if (i < u->naddresses)
			u->addresses[i] = u->addresses[--u->naddresses];
	} else if (i == u->naddresses && i < ADDRESSES_MAX) {
		u->addresses[u->naddresses++] = now;
	}
	return true; /* also a change of flags: a tentative address became usable */
}

/* ---- neighbours ---- */

struct neighbour {
	int ifindex;
	struct ip_addr ip;
	struct mac mac;
	bool resolved, stale;
};

static bool parse_neighbour(struct nlmsghdr *h, struct neighbour *n)
{
	struct nlattr *tb[NDA_MAX + 1];
	const struct ndmsg *info = nlmsg_data(h);

	memset(n, 0, sizeof(*n));
	if (nlmsg_parse(h, sizeof(*info), tb, NDA_MAX, NULL) ||
	    (info->ndm_family != AF_INET && info->ndm_family != AF_INET6) ||
	    !ip_from_attr(tb[NDA_DST], &n->ip))
		return false;
	n->ifindex = info->ndm_ifindex;
	n->resolved = h->nlmsg_type == RTM_NEWNEIGH && info->ndm_state & RESOLVED_STATES &&
	              mac_from_attr(tb[NDA_LLADDR], &n->mac) && !mac_is_multicast(n->mac);
	n->stale = info->ndm_state & NUD_STALE;
	return true;
}

static void on_neighbour(struct underlay *u, struct nlmsghdr *h)
{
	struct neighbour n;

	if (parse_neighbour(h, &n))
		underlay_neighbour_changed(u, n.ifindex, &n.ip, n.resolved, n.stale, n.mac);
}

/* ---- requests ---- */

struct answer {
	int (*use)(struct nlmsghdr *h, void *arg);
	void *arg;
	int err;
	bool end;
};

static int on_answer(struct nl_msg *msg, void *arg)
{
	struct answer *a = arg;

	return a->use ? a->use(nlmsg_hdr(msg), a->arg) : NL_OK;
}

static int on_refused(struct sockaddr_nl *from, struct nlmsgerr *err, void *arg)
{
	struct answer *a = arg;

	a->err = err->error;
	a->end = true;
	return NL_STOP;
}

static int on_end(struct nl_msg *msg, void *arg)
{
	((struct answer *)arg)->end = true;
	return NL_STOP;
}

/* Sends `msg` (consumed) and hands every answer to `use`. The kernel answers within the send, so nothing
 * waits here. 0 or -errno. */
static int request(struct underlay *u, struct nl_msg *msg, int (*use)(struct nlmsghdr *h, void *arg),
                   void *arg)
{
	struct answer answer = {.use = use, .arg = arg};
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	if (!cb) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_answer, &answer);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, &answer);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, &answer);
	nl_cb_err(cb, NL_CB_CUSTOM, on_refused, &answer);
	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	ret = nl_send_auto(u->ask, msg);
	nlmsg_free(msg);
	while (ret >= 0 && !answer.end)
		ret = nl_recvmsgs(u->ask, cb);
	nl_cb_put(cb);
	if (answer.err)
		return answer.err;
	return answer.end ? 0 : -EIO;
}

static int use_route(struct nlmsghdr *h, void *arg)
{
	struct nlattr *tb[RTA_MAX + 1], *metrics[RTAX_MAX + 1];
	const struct rtmsg *info = nlmsg_data(h);
	struct route *route = arg;

	if (h->nlmsg_type != RTM_NEWROUTE || nlmsg_parse(h, sizeof(*info), tb, RTA_MAX, NULL) ||
	    info->rtm_type != RTN_UNICAST || !tb[RTA_OIF])
		return NL_OK; /* local, blackhole, multicast ...: no way */
	route->err = 0;
	route->ifindex = (int)nla_get_u32(tb[RTA_OIF]);
	if (tb[RTA_GATEWAY])
		ip_from_attr(tb[RTA_GATEWAY], &route->next_hop);
	else if (tb[RTA_VIA] && nla_len(tb[RTA_VIA]) == 2 + 16) /* IPv4 over an IPv6 next hop, RFC 5549 */
		memcpy(route->next_hop.b, (uint8_t *)nla_data(tb[RTA_VIA]) + 2, 16);
	route->mtu = UINT32_MAX;
	if (tb[RTA_METRICS] && !nla_parse_nested(metrics, RTAX_MAX, tb[RTA_METRICS], NULL) &&
	    metrics[RTAX_MTU])
		route->mtu = nla_get_u32(metrics[RTAX_MTU]);
	return NL_OK;
}

static int build_route(struct nl_msg *msg, const struct pair *pair)
{
	uint8_t bits = ip_is_v4(&pair->remote) ? 32 : 128;
	struct rtmsg info = {
	        .rtm_family = family_of(&pair->remote), .rtm_dst_len = bits, .rtm_src_len = bits};

	if (nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) || put_ip(msg, RTA_DST, &pair->remote) ||
	    put_ip(msg, RTA_SRC, &pair->local))
		return -ENOMEM;
	return 0;
}

void kernel_route(struct underlay *u, const struct pair *pair, struct route *route)
{
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);
	const struct link *link;
	int err;

	*route = (struct route){.err = -ENETUNREACH, .next_hop = pair->remote};
	if (!msg)
		return;
	if (build_route(msg, pair)) {
		nlmsg_free(msg);
		return;
	}
	err = request(u, msg, use_route, route);
	if (err)
		route->err = err;
	if (route->err)
		return;
	link = link_find(u, route->ifindex);
	if (!link || !link->ethernet || !link->up) {
		route->err = -ENETDOWN;
		return;
	}
	route->device = link->mac;
	if (link->mtu < route->mtu)
		route->mtu = link->mtu;
}

static int build_neighbour(struct nl_msg *msg, const struct remote *r, uint8_t flags)
{
	struct ndmsg info = {
	        .ndm_family = family_of(&r->route.next_hop),
	        .ndm_ifindex = r->route.ifindex,
	        .ndm_flags = flags,
	};

	if (nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) || put_ip(msg, NDA_DST, &r->route.next_hop))
		return -ENOMEM;
	return 0;
}

static int use_neighbour(struct nlmsghdr *h, void *arg)
{
	struct remote *r = arg;
	struct neighbour n;

	if (parse_neighbour(h, &n) && n.ifindex == r->route.ifindex && ip_equal(&n.ip, &r->route.next_hop)) {
		r->resolved = n.resolved;
		r->stale = n.stale;
		r->mac = n.mac;
	}
	return NL_OK;
}

static void neighbour_request(struct underlay *u, struct remote *r, int type, int flags, uint8_t ndm_flags)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (!msg)
		return;
	if (build_neighbour(msg, r, ndm_flags))
		nlmsg_free(msg);
	else
		request(u, msg, type == RTM_GETNEIGH ? use_neighbour : NULL, r);
}

void kernel_neighbour(struct underlay *u, struct remote *r)
{
	r->resolved = r->stale = false;
	neighbour_request(u, r, RTM_GETNEIGH, 0, 0);
}

void kernel_resolve(struct underlay *u, const struct remote *r)
{
	neighbour_request(u, (struct remote *)r, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, NTF_USE);
}

/* ---- dump and monitor ---- */

static int use_link(struct nlmsghdr *h, void *arg)
{
	if (h->nlmsg_type == RTM_NEWLINK)
		on_link(arg, h);
	return NL_OK;
}

static int use_address(struct nlmsghdr *h, void *arg)
{
	if (h->nlmsg_type == RTM_NEWADDR)
		on_address(arg, h);
	return NL_OK;
}

int kernel_dump(struct underlay *u)
{
	static const struct {
		int type;
		int (*use)(struct nlmsghdr *h, void *arg);
	} what[] = {{RTM_GETLINK, use_link}, {RTM_GETADDR, use_address}};
	int err = 0;

	u->nlinks = u->naddresses = 0;
	for (unsigned i = 0; i < 2 && !err; i++) {
		struct nl_msg *msg = nlmsg_alloc_simple(what[i].type, NLM_F_DUMP);
		struct ifinfomsg any = {.ifi_family =
		                                AF_UNSPEC}; /* longer than ifaddrmsg, equal where it counts */

		if (!msg ||
		    nlmsg_append(msg, &any, i ? sizeof(struct ifaddrmsg) : sizeof(any), NLMSG_ALIGNTO)) {
			nlmsg_free(msg);
			return -ENOMEM;
		}
		err = request(u, msg, what[i].use, u);
	}
	return err;
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct underlay *u = arg;
	bool changed = false;

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		changed = on_link(u, h);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		changed = on_address(u, h);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWRULE:
	case RTM_DELRULE:
		changed = true;
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		on_neighbour(u, h);
		break;
	}
	if (changed)
		underlay_all_dirty(u);
	return NL_OK;
}

/* A few rounds only, so that a storm of events leaves the loop its turn: the poll fires again. */
void kernel_read_events(struct underlay *u)
{
	for (int i = 0; i < 16; i++) {
		int err = nl_recvmsgs_default(u->events);

		if (err == -NLE_AGAIN || err == -NLE_INTR)
			return;
		if (err < 0) { /* -NLE_NOMEM is ENOBUFS: events were lost */
			u->dump_again = true;
			return;
		}
	}
}

static struct nl_sock *open_socket(void)
{
	struct nl_sock *s = nl_socket_alloc();

	if (s && nl_connect(s, NETLINK_ROUTE)) {
		nl_socket_free(s);
		return NULL;
	}
	return s;
}

int kernel_open(struct underlay *u, struct error *e)
{
	int err;

	u->ask = open_socket();
	u->events = open_socket();
	if (!u->ask || !u->events)
		return error_set(e, EIO, "underlay: cannot open rtnetlink");
	nl_socket_disable_seq_check(u->events);
	nl_socket_modify_cb(u->events, NL_CB_VALID, NL_CB_CUSTOM, on_event, u);
	nl_socket_set_buffer_size(u->events, EVENTS_BUFFER, 0);
	err = nl_socket_add_memberships(u->events, RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR,
	                                RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
	                                RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, 0);
	if (err || nl_socket_set_nonblocking(u->events))
		return error_set(e, EIO, "underlay: cannot monitor rtnetlink: %s", nl_geterror(err));
	err = kernel_dump(u);
	return err ? error_set(e, -err, "underlay: cannot read links and addresses: %s", strerror(-err)) : 0;
}

void kernel_close(struct underlay *u)
{
	nl_socket_free(u->ask);
	nl_socket_free(u->events);
}
