/* SPDX-License-Identifier: Apache-2.0 */
/* Making and unmaking an ethdev port; see ethdev.h. */
#include "ports/ethdev_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_ethdev.h>

#include "ports/options.h"

static struct ethdev_port *of(struct port *p)
{
	return (struct ethdev_port *)p;
}

static json_t *info(struct port *p)
{
	struct ethdev_port *d = of(p);
	struct rte_eth_dev_info dev = {0};

	rte_eth_dev_info_get(d->id, &dev);
	return json_pack("{s:s, s:s, s:i, s:i, s:o*}", "devargs", d->devargs, "driver",
	                 dev.driver_name ? dev.driver_name : "?", "txqs", d->ntxq, "mbufs",
	                 (int)rte_mempool_in_use_count(d->pool), "exception", exception_info(d->exception));
}

/* An uplink's only: without `exception` the port never decaps. */
static void to_kernel(struct port *p, unsigned worker, struct packet *pkt)
{
	exception_to_kernel(of(p)->exception, worker, pkt);
}

static void remove_device(uint16_t id)
{
	struct rte_eth_dev_info dev = {0};

	rte_eth_dev_info_get(id, &dev);
	rte_eth_dev_stop(id);
	rte_eth_dev_close(id);
	if (dev.device)
		rte_dev_remove(dev.device);
}

static void on_closed(uv_handle_t *look)
{
	struct ethdev_port *d = look->data;
	void (*done)(void *arg) = d->destroyed;
	void *arg = d->destroyed_arg;

	port_free(&d->port);
	if (done)
		done(arg);
}

static void destroy(struct port *p, void (*done)(void *arg), void *arg)
{
	struct ethdev_port *d = of(p);

	rte_pktmbuf_free_bulk(d->held, d->nheld);
	exception_destroy(d->exception);
	remove_device(d->id);
	rte_mempool_free(d->pool);
	d->destroyed = done;
	d->destroyed_arg = arg;
	ethdev_link_stop(d, on_closed);
}

static const struct port_ops ops = {
        .rx = ethdev_rx,
        .release = ethdev_release,
        .tx = ethdev_tx,
        .info = info,
        .to_kernel = to_kernel,
        .destroy = destroy,
};

/* Attaches the device and finds its number: the first port that was not there before. */
static int probe(const char *devargs, uint16_t *id, struct error *e)
{
	bool before[RTE_MAX_ETHPORTS] = {false};
	uint16_t port;
	int rc;

	RTE_ETH_FOREACH_DEV(port)
	before[port] = true;
	rc = rte_dev_probe(devargs);
	if (rc < 0)
		return error_set(e, -rc, "devargs: %s: DPDK refused it: %s", devargs, rte_strerror(-rc));
	RTE_ETH_FOREACH_DEV(port)
	{
		if (!before[port]) {
			*id = port;
			return 0;
		}
	}
	return error_set(e, EBUSY, "devargs: %s: in use already, or no network device", devargs);
}

static int setup_queues(struct ethdev_port *d, const struct rte_eth_dev_info *dev)
{
	int node = rte_eth_dev_socket_id(d->id), rc = 0;
	uint16_t rx = ETHDEV_RING, tx = ETHDEV_RING;

	rte_eth_dev_adjust_nb_rx_tx_desc(d->id, &rx, &tx);
	rc = rte_eth_rx_queue_setup(d->id, 0, rx, (unsigned)node, NULL, d->pool);
	for (uint16_t q = 0; !rc && q < d->ntxq; q++) {
		rte_spinlock_init(&d->tx_lock[q]);
		rc = rte_eth_tx_queue_setup(d->id, q, tx, (unsigned)node, &dev->default_txconf);
	}
	return rc;
}

static int start(struct ethdev_port *d, uint64_t mtu, struct error *e)
{
	struct rte_eth_conf conf = {0};
	struct rte_eth_dev_info dev;
	char name[RTE_MEMPOOL_NAMESIZE];
	uint16_t kept = 1500;
	int rc = rte_eth_dev_info_get(d->id, &dev);

	if (rc)
		return error_set(e, -rc, "devargs: %s: %s", d->devargs, rte_strerror(-rc));
	d->ntxq = d->nworkers < dev.max_tx_queues ? d->nworkers : dev.max_tx_queues;
	conf.txmode.offloads = dev.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	snprintf(name, sizeof(name), "ethdev%u", d->id);
	d->pool =
	        rte_pktmbuf_pool_create(name, ETHDEV_POOL, 64, 0, RTE_MBUF_DEFAULT_BUF_SIZE, rte_socket_id());
	if (!d->pool)
		return error_set(e, ENOMEM, "devargs: no DPDK memory for %d buffers", ETHDEV_POOL);
	rc = rte_eth_dev_configure(d->id, 1, d->ntxq, &conf);
	if (!rc && mtu)
		rc = rte_eth_dev_set_mtu(d->id, (uint16_t)mtu);
	if (!rc)
		rc = setup_queues(d, &dev);
	if (!rc)
		rc = rte_eth_dev_start(d->id);
	if (rc)
		return error_set(e, -rc, "devargs: %s: %s", d->devargs, rte_strerror(-rc));
	rte_eth_promiscuous_enable(d->id);
	rte_eth_dev_get_mtu(d->id, &kept);
	d->port.mtu = kept;
	rte_eth_macaddr_get(d->id, (struct rte_ether_addr *)&d->port.mac);
	return 0;
}

static int create(const struct port_env *env, const char *name, uint32_t ofport, json_t *options,
                  struct port **out, struct error *e)
{
	static const char *const known[] = {"devargs", "exception", "mtu", NULL};
	const char *devargs;
	struct ethdev_port *d;
	uint64_t mtu;
	int rc = options_known(options, known, e);

	if (!rc)
		rc = options_number(options, "mtu", 68, 65535, 0, &mtu, e);
	if (rc)
		return rc;
	devargs = options_text(options, "devargs", NULL, e);
	if (!devargs)
		return -EINVAL;
	if (strlen(devargs) >= sizeof(d->devargs))
		return error_set(e, EINVAL, "devargs: longer than %zu bytes", sizeof(d->devargs) - 1);
	d = (struct ethdev_port *)port_alloc(env, &port_type_ethdev, &ops, name, ofport, sizeof(*d));
	if (!d)
		return error_set(e, ENOMEM, "out of memory");
	memcpy(d->devargs, devargs, strlen(devargs) + 1);
	d->nworkers = (uint16_t)env->nworkers;
	rc = probe(devargs, &d->id, e);
	if (rc)
		goto err_free;
	rc = start(d, mtu, e);
	d->port.nrxq = 1;
	if (!rc)
		rc = exception_create(env, &d->port, options, &d->exception, e);
	if (rc)
		goto err_remove;
	ethdev_link_start(d, env->loop);
	*out = &d->port;
	return 0;
err_remove:
	remove_device(d->id);
	rte_mempool_free(d->pool);
err_free:
	port_free(&d->port);
	return rc;
}

const struct port_type port_type_ethdev = {.name = "ethdev", .create = create};
