/* SPDX-License-Identifier: MIT */
/* answers: answers prepared in a JSON file, each used once. */
#include "poold/ctl/answers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/json/jsontext.h"

#include "poold/ctl/form.h"

#define ANSWERS_MAGIC  0x616e7377u
#define ANSWERS_SAMPLE "sample"
#define ANSWERS_BYTES  (4u << 20)

struct answers {
	unsigned magic;
	json_t *doc;
	json_t *used; /* key: how many of its answers were used */
};

/* Whether a value may answer one elicitation. */
static bool
answers_is_answer(const json_t *value)
{
	const char *const word = json_string_value(value);

	return json_is_object(value) ||
	       (word && (strcmp(word, "decline") == 0 ||
			    strcmp(word, "cancel") == 0));
}

/* Check one entry: an answer, a text, or a list of them. */
static int
answers_check(const char *key, const json_t *value, struct err *err_r)
{
	const json_t *item;
	size_t i;

	if (json_is_object(value) || json_is_string(value))
		return 0;
	json_array_foreach ((json_t *)value, i, item)
		if (!json_is_object(item) && !json_is_string(item))
			break;
	if (json_is_array(value) && i == json_array_size(value))
		return 0;
	return err_set(err_r, -EINVAL, NULL,
	    "\"%.60s\" must be an object, \"decline\", \"cancel\", a text "
	    "for a sample, or a list of these",
	    key);
}

int
answers_parse(struct slice text, struct answers **answers_r, struct err *err_r)
{
	struct answers *a = mem_zalloc(1, sizeof(*a));
	const char *key;
	json_t *value;

	*answers_r = NULL;
	if (!a)
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	a->magic = ANSWERS_MAGIC;
	a->used = json_object();
	int rc = jsontext_load(text, NULL, &a->doc, err_r);
	if (rc == 0 && !json_is_object(a->doc))
		rc = err_set(err_r, -EINVAL, NULL,
		    "answers must be one JSON object: { \"question\": ... }");
	if (rc == 0)
		json_object_foreach (a->doc, key, value) {
			rc = answers_check(key, value, err_r);
			if (rc < 0)
				break;
		}
	if (rc < 0)
		answers_free(&a);
	*answers_r = a;
	return rc;
}

/* Read a whole file, at most ANSWERS_BYTES. */
static int
answers_read(int fd, struct buf *text)
{
	for (;;) {
		char *const room = buf_reserve(text, 4096);
		if (!room)
			return buf_room(text) < 4096 ? -EFBIG : -ENOMEM;
		const ssize_t n = read(fd, room, 4096);
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		buf_commit(text, (size_t)n);
	}
}

int
answers_load(const char *path, struct answers **answers_r, struct err *err_r)
{
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf text;
	struct err why;

	*answers_r = NULL;
	if (fd < 0)
		return err_set(err_r, -errno, NULL, "%.200s: %s", path,
		    strerrordesc_np(errno));
	buf_init(&text, ANSWERS_BYTES);
	int rc = answers_read(fd, &text);
	if (rc < 0) {
		err_set(
		    err_r, rc, NULL, "%.200s: %s", path, strerrordesc_np(-rc));
	} else {
		err_clear(&why);
		rc = answers_parse(buf_content(&text), answers_r, &why);
		if (rc < 0)
			err_set(err_r, rc, NULL, "%.120s: %s%s%s", path,
			    why.place, why.place[0] ? ": " : "", why.text);
	}
	buf_fini(&text);
	return rc;
}

void
answers_free(struct answers **answers)
{
	struct answers *const a = *answers;

	if (!a)
		return;
	must_be(a, ANSWERS_MAGIC);
	json_decref(a->doc);
	json_decref(a->used);
	mem_free(a);
	*answers = NULL;
}

/* The next unused answer of an entry, or NULL. */
static json_t *
answers_peek(const struct answers *a, const char *key)
{
	json_t *const value = json_object_get(a->doc, key);
	const size_t n =
	    (size_t)json_integer_value(json_object_get(a->used, key));

	if (json_is_array(value))
		return json_array_get(value, n);
	return n == 0 ? value : NULL;
}

/* Count one answer of an entry as used. */
static void
answers_use(struct answers *a, const char *key)
{
	const json_int_t n = json_integer_value(json_object_get(a->used, key));

	json_object_set_new(a->used, key, json_integer(n + 1));
}

/* The answer of one key, if it is one and left. */
static json_t *
answers_of(struct answers *a, const char *key)
{
	json_t *const value = answers_peek(a, key);

	if (!answers_is_answer(value))
		return NULL;
	answers_use(a, key);
	return value;
}

/* The first answer left, in the order of the file, that fits. */
static json_t *
answers_fitting(struct answers *a, json_t *schema)
{
	const char *key;
	json_t *entry;

	json_object_foreach (a->doc, key, entry) {
		json_t *const value = answers_peek(a, key);
		if (strcmp(key, ANSWERS_SAMPLE) == 0 ||
		    !answers_is_answer(value))
			continue;
		if (json_is_object(value) &&
		    form_check(schema, value, NULL) < 0)
			continue;
		answers_use(a, key);
		return value;
	}
	return NULL;
}

json_t *
answers_take(struct answers *answers, const char *name, const char *message,
    json_t *schema)
{
	must_be(answers, ANSWERS_MAGIC);
	if (name)
		return answers_of(answers, name);
	if (message && json_object_get(answers->doc, message))
		return answers_of(answers, message);
	return answers_fitting(answers, schema);
}

const char *
answers_sample(struct answers *answers, const char *name)
{
	must_be(answers, ANSWERS_MAGIC);
	const char *const key =
	    name && json_object_get(answers->doc, name) ? name : ANSWERS_SAMPLE;
	json_t *const entry = json_object_get(answers->doc, key);

	if (json_is_string(entry))
		return json_string_value(entry);
	const char *const text = json_string_value(answers_peek(answers, key));
	if (text)
		answers_use(answers, key);
	return text;
}
