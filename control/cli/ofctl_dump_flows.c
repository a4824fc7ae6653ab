/* SPDX-License-Identifier: Apache-2.0 */
/* weft-ofctl dump-flows: as the switch sends them, or sorted, without counters, with names. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cli/ofctl.h"

struct list {
	struct flow_stats *flows;
	size_t n, capacity;
};

static int keep(struct ofp_reader *r, void *arg, struct error *e)
{
	struct list *l = arg;
	struct flow_stats fs;
	int rc;

	while ((rc = reply_flow(r, &fs, e)) > 0) {
		if (l->n == l->capacity) {
			size_t capacity = l->capacity ? 2 * l->capacity : 64;
			struct flow_stats *flows = realloc(l->flows, capacity * sizeof(*flows));

			if (!flows) {
				flow_stats_free(&fs);
				return error_set(e, ENOMEM, "out of memory");
			}
			l->flows = flows;
			l->capacity = capacity;
		}
		l->flows[l->n++] = fs;
	}
	return rc;
}

/* <0, 0, >0. A flow that does not match on the field comes behind those that do, whatever the direction. */
static int compare_by(const struct ofctl_sort *sort, const struct flow_stats *a, const struct flow_stats *b)
{
	struct field_value values[2], masks[2];
	bool has[2];
	int order;

	if (sort->field == FIELD_NONE) {
		order = (a->priority > b->priority) - (a->priority < b->priority);
		return sort->descending ? -order : order;
	}
	match_get(&a->match, sort->field, &values[0], &masks[0]);
	match_get(&b->match, sort->field, &values[1], &masks[1]);
	has[0] = match_meets(&a->match, sort->field) && !value_is_zero(&masks[0]);
	has[1] = match_meets(&b->match, sort->field) && !value_is_zero(&masks[1]);
	if (has[0] != has[1])
		return has[0] ? -1 : 1;
	order = memcmp(&values[0], &values[1], sizeof(values[0]));
	return sort->descending ? -order : order;
}

static int compare(const void *left, const void *right, void *arg)
{
	const struct flow_stats *const *a = left, *const *b = right;
	const struct ofctl *ctl = arg;

	for (unsigned i = 0; i < ctl->n_sorts; i++) {
		int order = compare_by(&ctl->sorts[i], *a, *b);

		if (order)
			return order;
	}
	return *a < *b ? -1 : 1;
}

static int print(struct ofctl *ctl, const struct list *l)
{
	const struct flow_stats **order = malloc((l->n + 1) * sizeof(*order));

	if (!order)
		return ofctl_fail("out of memory");
	for (size_t i = 0; i < l->n; i++)
		order[i] = &l->flows[i];
	if (ctl->n_sorts)
		qsort_r(order, l->n, sizeof(*order), compare, ctl);
	for (size_t i = 0; i < l->n; i++) {
		struct text out = {0};

		flow_stats_format(&out, order[i], ctl->show_stats, ofctl_print_names(ctl));
		text_add(&out, "\n");
		if (ctl->color)
			ofctl_put_colored(stdout, text_get(&out));
		else
			fputs(text_get(&out), stdout);
		text_free(&out);
	}
	free(order);
	return 0;
}

int ofctl_dump_flows(struct ofctl *ctl, int argc, char **argv)
{
	struct flow_filter filter;
	struct ofp_writer w = {0};
	struct list l = {0};
	int rc = ofctl_connect(ctl, argv[1]);

	if (!rc && flow_filter_parse(argc > 2 ? argv[2] : "", &ctl->names, &filter, &ctl->err))
		return ofctl_fail("flow: %s", ctl->err.text);
	if (rc)
		return rc;
	request_flows(&w, OFPMP_FLOW, &filter);
	if (ctl->json)
		return ofctl_dump_json(ctl, OFPMP_FLOW, &w);
	if (ctl->show_stats && !ctl->n_sorts && !ofctl_print_names(ctl))
		return ofctl_print_replies(ctl, &w);
	rc = ofctl_multipart(ctl, &w, keep, &l);
	if (!rc)
		rc = print(ctl, &l);
	for (size_t i = 0; i < l.n; i++)
		flow_stats_free(&l.flows[i]);
	free(l.flows);
	return rc;
}
