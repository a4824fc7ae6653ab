/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and attaches vxlan.bpf.c and fills its maps; called by port.c in the control thread. */
#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "ports/xdp/xdp.h"
#include "ports/xdp/vxlan.skel.h"

struct xdp_program {
	struct vxlan *skel;
	int link; /* fd: the only reference to the attachment */
	bool native;
	struct ip_addr vteps[XDP_VTEPS_MAX];
	unsigned nvteps;
};

static int attach_mode(int prog, int ifindex, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);

	return bpf_link_create(prog, ifindex, BPF_XDP, &opts);
}

int xdp_program_attach(int ifindex, bool steer_all, struct xdp_program **out, struct error *e)
{
	struct xdp_program *p = calloc(1, sizeof(*p));
	int err, prog;

	if (!p)
		return error_set(e, ENOMEM, "out of memory");
	p->link = -1;
	p->skel = vxlan__open();
	if (!p->skel) {
		err = error_set(e, errno, "cannot open the XDP program: %s", strerror(errno));
		goto err_free;
	}
	p->skel->rodata->steer_all = steer_all;
	err = vxlan__load(p->skel);
	if (err) {
		error_set(e, -err, "cannot load the XDP program: %s (CAP_BPF and CAP_NET_ADMIN are needed)",
		          strerror(-err));
		goto err_free;
	}
	prog = bpf_program__fd(p->skel->progs.steer);
	p->link = attach_mode(prog, ifindex, XDP_FLAGS_DRV_MODE);
	p->native = p->link >= 0;
	if (p->link == -EBUSY || p->link == -EEXIST) {
		err = error_set(e, EBUSY, "another XDP program is attached to the netdev");
		goto err_free;
	}
	if (p->link < 0)
		p->link = attach_mode(prog, ifindex, XDP_FLAGS_SKB_MODE);
	if (p->link < 0) {
		err = error_set(e, -p->link, "cannot attach the XDP program: %s", strerror(-p->link));
		goto err_free;
	}
	*out = p;
	return 0;

err_free:
	xdp_program_detach(p);
	return err;
}

void xdp_program_detach(struct xdp_program *p)
{
	if (!p)
		return;
	if (p->link >= 0)
		close(p->link);
	if (p->skel)
		vxlan__destroy(p->skel);
	free(p);
}

int xdp_program_add_queue(struct xdp_program *p, uint32_t id, struct xdp_queue *q)
{
	return bpf_map_update_elem(bpf_map__fd(p->skel->maps.sockets), &id, &q->fd, BPF_ANY);
}

static bool listed(const struct ip_addr *list, unsigned n, const struct ip_addr *a)
{
	for (unsigned i = 0; i < n; i++)
		if (ip_equal(&list[i], a))
			return true;
	return false;
}

int xdp_program_set_vteps(struct xdp_program *p, const struct ip_addr *vteps, unsigned n)
{
	int map = bpf_map__fd(p->skel->maps.vteps), err = 0;
	const uint8_t one = 1;

	if (n > XDP_VTEPS_MAX)
		return -E2BIG;
	for (unsigned i = 0; i < p->nvteps; i++)
		if (!listed(vteps, n, &p->vteps[i]))
			bpf_map_delete_elem(map, &p->vteps[i]);
	for (unsigned i = 0; i < n && !err; i++)
		err = bpf_map_update_elem(map, &vteps[i], &one, BPF_ANY);
	if (n)
		memcpy(p->vteps, vteps, n * sizeof(vteps[0]));
	p->nvteps = n;
	return err;
}

bool xdp_program_is_native(const struct xdp_program *p)
{
	return p->native;
}
