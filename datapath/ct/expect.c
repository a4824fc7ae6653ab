/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that a control connection has announced. Called when one announces, when a connection begins,
 * and when a control connection ends.
 *
 * A fixed array, filled in turn: the place under the hand was filled longest ago, so whoever announces all
 * the time takes places from the oldest. One control connection has a few, and then takes its own.
 */
#include "datapath/ct/state.h"

static uint32_t *chain_of(struct conntrack *ct, const struct ct_key *key)
{
	return &ct->expects->chain[ct_key_hash(ct, key) % CT_EXPECT_MAX];
}

static struct ct_expect *at(struct conntrack *ct, uint32_t index)
{
	return &ct->expects->at[index - 1];
}

/* Index + 1; 0: none. */
static uint32_t search(struct conntrack *ct, uint32_t chain, const struct ct_key *key)
{
	for (; chain; chain = at(ct, chain)->next)
		if (ct_key_equal(&at(ct, chain)->key, key))
			break;
	return chain;
}

bool ct_expect_find(struct conntrack *ct, const struct ct_key *key, struct ct_expect *out)
{
	struct ct_key any = *key;
	uint32_t *chain, found;

	any.tp_src = 0;
	chain = chain_of(ct, &any);
	if (!__atomic_load_n(chain, __ATOMIC_ACQUIRE))
		return false;
	rte_spinlock_lock(&ct->expects->lock);
	found = search(ct, *chain, &any);
	if (found)
		*out = *at(ct, found);
	rte_spinlock_unlock(&ct->expects->lock);
	return found;
}

/* ---- with the lock ---- */

static void leave_chain(struct conntrack *ct, uint32_t index)
{
	uint32_t *link = chain_of(ct, &at(ct, index)->key);

	while (*link != index)
		link = &at(ct, *link)->next;
	__atomic_store_n(link, at(ct, index)->next, __ATOMIC_RELEASE);
}

static void leave_connection(struct conntrack *ct, uint32_t index)
{
	struct ct_helper *h = &ct->conns[at(ct, index)->conn - 1].helper;
	uint32_t *link = &h->newest;

	while (*link != index)
		link = &at(ct, *link)->older;
	*link = at(ct, index)->older;
	h->count--;
}

static void take_out(struct conntrack *ct, uint32_t index)
{
	leave_chain(ct, index);
	leave_connection(ct, index);
	at(ct, index)->conn = 0;
	__atomic_sub_fetch(&ct->nexpects, 1, __ATOMIC_RELAXED);
}

static uint32_t oldest_of(struct conntrack *ct, const struct ct_conn *c)
{
	uint32_t i = c->helper.newest;

	while (at(ct, i)->older)
		i = at(ct, i)->older;
	return i;
}

/* A free place. */
static uint32_t make_room(struct conntrack *ct, const struct ct_conn *c)
{
	uint32_t i;

	if (c->helper.count == CT_EXPECT_EACH) {
		i = oldest_of(ct, c);
	} else {
		i = ct->expects->hand + 1;
		ct->expects->hand = i % CT_EXPECT_MAX;
	}
	if (at(ct, i)->conn) {
		take_out(ct, i);
		ct_count(ct, CT_DISPLACED);
	}
	return i;
}

static void put(struct conntrack *ct, struct ct_conn *c, const struct ct_expect *what)
{
	uint32_t i = make_room(ct, c), *chain = chain_of(ct, &what->key);
	struct ct_expect *e = at(ct, i);

	*e = *what;
	e->conn = (uint32_t)(c - ct->conns + 1);
	e->older = c->helper.newest;
	c->helper.newest = i;
	c->helper.count++;
	e->next = *chain;
	__atomic_store_n(chain, i, __ATOMIC_RELEASE);
	__atomic_add_fetch(&ct->nexpects, 1, __ATOMIC_RELAXED);
	ct_count(ct, CT_ANNOUNCED);
}

/* ---- for others ---- */

void ct_expect_add(struct conntrack *ct, struct ct_conn *c, const struct ct_expect *e)
{
	rte_spinlock_lock(&ct->expects->lock);
	if (!search(ct, *chain_of(ct, &e->key), &e->key))
		put(ct, c, e);
	rte_spinlock_unlock(&ct->expects->lock);
}

void ct_expect_forget(struct conntrack *ct, struct ct_conn *c)
{
	rte_spinlock_lock(&ct->expects->lock);
	while (c->helper.newest)
		take_out(ct, c->helper.newest);
	rte_spinlock_unlock(&ct->expects->lock);
}
