/* SPDX-License-Identifier: Apache-2.0 */
/* Reading YAML through libyaml; see document.h. Called by `weft apply` and `weft diff`. */
#include "control/tenancy/document.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct document {
	char name[256];
	yaml_document_t document;
	json_t *json;
};

struct conversion {
	struct document *file;
	struct error *e;
};

static int complain(struct conversion *c, const yaml_node_t *node, const char *why)
{
	return error_set(c->e, EINVAL, "%s:%zu: %s", c->file->name, node->start_mark.line + 1, why);
}

static bool is_number(const char *text)
{
	size_t n = strlen(text);

	text += *text == '-';
	for (const char *p = text; *p; p++)
		if (!isdigit((unsigned char)*p))
			return false;
	return n > 0 && n < 18 && *text && (text[0] != '0' || !text[1]);
}

static json_t *scalar(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		if (!*text || !strcmp(text, "~") || !strcmp(text, "null"))
			return json_null();
		if (!strcmp(text, "true") || !strcmp(text, "false"))
			return json_boolean(*text == 't');
		if (is_number(text))
			return json_integer(strtoll(text, NULL, 10));
	}
	return json_stringn(text, node->data.scalar.length);
}

static json_t *convert(struct conversion *c, int index);

static json_t *mapping(struct conversion *c, const yaml_node_t *node)
{
	json_t *o = json_object();

	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(&c->file->document, p->key);
		const char *name;
		json_t *value;

		if (key->type != YAML_SCALAR_NODE) {
			complain(c, key, "a key must be a text");
			goto bad;
		}
		name = (const char *)key->data.scalar.value;
		if (json_object_get(o, name)) {
			error_set(c->e, EINVAL, "%s:%zu: %.64s: given twice", c->file->name,
			          key->start_mark.line + 1, name);
			goto bad;
		}
		value = convert(c, p->value);
		if (!value)
			goto bad;
		if (json_object_set_new(o, name, value)) {
			complain(c, key, "a key must be valid UTF-8");
			goto bad;
		}
	}
	return o;
bad:
	json_decref(o);
	return NULL;
}

static json_t *sequence(struct conversion *c, const yaml_node_t *node)
{
	json_t *list = json_array();

	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
		json_t *value = convert(c, *i);

		if (!value) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, value);
	}
	return list;
}

static json_t *convert(struct conversion *c, int index)
{
	const yaml_node_t *node = yaml_document_get_node(&c->file->document, index);
	json_t *value;

	if (node->type == YAML_MAPPING_NODE)
		return mapping(c, node);
	if (node->type == YAML_SEQUENCE_NODE)
		return sequence(c, node);
	value = scalar(node);
	if (!value)
		complain(c, node, "a text must be valid UTF-8");
	return value;
}

static int convert_document(struct document *f, struct error *e)
{
	yaml_document_t *d = &f->document;
	struct conversion c = {.file = f, .e = e};

	if (!yaml_document_get_root_node(d))
		return error_set(e, EINVAL, "%s:1: the file is empty", f->name);
	f->json = convert(&c, 1);
	return f->json ? 0 : -EINVAL;
}

static int not_yaml(const struct document *f, const yaml_parser_t *parser, struct error *e)
{
	size_t line = parser->problem_mark.line ? parser->problem_mark.line : parser->context_mark.line;

	return error_set(e, EINVAL, "%s:%zu: not YAML: %s", f->name, line + 1,
	                 parser->problem ? parser->problem : "cannot be read");
}

/* What the events alone tell: aliases, depth (libyaml's effort grows with its square), more than a document.
 */
static int survey(struct document *f, yaml_parser_t *parser, struct error *e)
{
	unsigned depth = 0, documents = 0;
	const char *why = NULL;
	yaml_event_t event;
	bool end = false;

	while (!end && !why) {
		if (!yaml_parser_parse(parser, &event))
			return not_yaml(f, parser, e);
		end = event.type == YAML_STREAM_END_EVENT;
		depth += event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT;
		depth -= event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
		documents += event.type == YAML_DOCUMENT_START_EVENT;
		if (event.type == YAML_ALIAS_EVENT)
			why = "aliases are not supported";
		else if (depth > DOCUMENT_DEPTH_MAX)
			why = "nested too deeply";
		else if (documents > 1)
			why = "expected one document";
		if (why)
			error_set(e, EINVAL, "%s:%zu: %s", f->name, event.start_mark.line + 1, why);
		yaml_event_delete(&event);
	}
	return why ? -EINVAL : 0;
}

/* Runs `pass` with a parser of its own over the text. */
static int parse(struct document *f, const char *text, size_t len,
                 int (*pass)(struct document *f, yaml_parser_t *parser, struct error *e), struct error *e)
{
	yaml_parser_t parser;
	int rc;

	if (!yaml_parser_initialize(&parser))
		return error_set(e, ENOMEM, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	rc = pass(f, &parser, e);
	yaml_parser_delete(&parser);
	return rc;
}

static int load(struct document *f, yaml_parser_t *parser, struct error *e)
{
	int rc;

	if (!yaml_parser_load(parser, &f->document))
		return not_yaml(f, parser, e);
	rc = convert_document(f, e);
	if (rc)
		yaml_document_delete(&f->document);
	return rc;
}

/* The whole file; NULL with the error. */
static char *slurp(const char *path, size_t *len, struct error *e)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "r") : stdin;
	size_t room = 65536, n;
	char *text = in ? malloc(room) : NULL, *bigger;

	*len = 0;
	while (text && (n = fread(text + *len, 1, room - *len, in)) > 0) {
		*len += n;
		if (*len < room)
			continue;
		bigger = room < DOCUMENT_SIZE_MAX ? realloc(text, room * 2) : NULL;
		if (!bigger) {
			free(text);
			text = NULL;
			errno = EFBIG;
			break;
		}
		text = bigger;
		room *= 2;
	}
	if (!text || ferror(in)) {
		error_set(e, EINVAL, "%s: %s", path, strerror(errno));
		free(text);
		text = NULL;
	}
	if (in && in != stdin)
		fclose(in);
	return text;
}

struct document *document_read(const char *path, struct error *e)
{
	struct document *f = calloc(1, sizeof(*f));
	size_t len = 0;
	char *text = slurp(path, &len, e);
	int rc = f && text ? 0 : -ENOMEM;

	if (f)
		snprintf(f->name, sizeof(f->name), "%s", strcmp(path, "-") ? path : "<stdin>");
	if (!rc)
		rc = parse(f, text, len, survey, e);
	if (!rc)
		rc = parse(f, text, len, load, e);
	free(text);
	if (rc) {
		free(f);
		return NULL;
	}
	return f;
}

void document_free(struct document *f)
{
	if (!f)
		return;
	yaml_document_delete(&f->document);
	json_decref(f->json);
	free(f);
}

const json_t *document_json(const struct document *f)
{
	return f->json;
}

/* ---- lines ---- */

/* The value of `key` (`n` bytes) in the mapping `*at`; `*line` becomes the key's. False: not there. */
static bool enter(struct document *f, yaml_node_t **at, const char *key, size_t n, size_t *line)
{
	yaml_node_t *node = *at;

	if (!node || node->type != YAML_MAPPING_NODE)
		return false;
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_document_get_node(&f->document, p->key);

		if (k->data.scalar.length == n && !memcmp(k->data.scalar.value, key, n)) {
			*line = k->start_mark.line + 1;
			*at = yaml_document_get_node(&f->document, p->value);
			return true;
		}
	}
	return false;
}

static bool enter_index(struct document *f, yaml_node_t **at, unsigned long index, size_t *line)
{
	yaml_node_t *node = *at;

	if (!node || node->type != YAML_SEQUENCE_NODE)
		return false;
	if (index >= (size_t)(node->data.sequence.items.top - node->data.sequence.items.start))
		return false;
	*at = yaml_document_get_node(&f->document, node->data.sequence.items.start[index]);
	*line = (*at)->start_mark.line + 1;
	return true;
}

/* Follows "subnets[0].cidr" as far as it goes. */
static void follow(struct document *f, yaml_node_t **at, const char *field, size_t *line)
{
	bool found = true;

	while (*field && found) {
		size_t n = strcspn(field, ".[");

		if (*field == '[') {
			char *end;

			found = enter_index(f, at, strtoul(field + 1, &end, 10), line);
			field = end + (*end == ']');
		} else {
			found = enter(f, at, field, n, line);
			field += n;
		}
		field += *field == '.';
	}
}

/* The object's value in the file, and its line; false: the closest thing around it that is there. */
static bool enter_object(struct document *f, yaml_node_t **at, enum object_kind kind, const char *tenant,
                         const char *name, size_t *line)
{
	const char *plural = kind < KINDS ? kind_plural(kind) : "";

	*at = yaml_document_get_root_node(&f->document);
	*line = 1;
	if (kind == KINDS)
		return true;
	if (kind == KIND_HOST)
		return enter(f, at, "hosts", 5, line) && enter(f, at, name, strlen(name), line);
	return enter(f, at, "tenants", 7, line) && enter(f, at, tenant, strlen(tenant), line) &&
	       (kind == KIND_TENANT ||
	        (enter(f, at, plural, strlen(plural), line) && enter(f, at, name, strlen(name), line)));
}

void document_locate(const struct document *file, struct tenancy_error *e)
{
	struct document *f = (struct document *)file; /* libyaml's getters are not const */
	yaml_node_t *at;
	size_t line;
	bool found = enter_object(f, &at, e->kind, e->tenant, e->name, &line);

	if (!found && e->kind < KINDS && e->by.kind < KINDS) /* the other one may be the file's */
		found = enter_object(f, &at, e->by.kind, e->by.tenant, e->by.name, &line);
	if (found)
		follow(f, &at, e->field, &line);
	error_prefix(&e->text, "%s:%zu", f->name, line);
}
