/* SPDX-License-Identifier: MIT */
/* cgroup: files of the kernel, read and written through their folders. */
#include "poold/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#define CGROUP_PATIENCE   200 /* looks, 5 ms apart */
#define CGROUP_LOOK_NS    5000000
#define CGROUP_NAME_BYTES 32
#define CGROUP_NAMES      8 /* that are tried */
#define CGROUP_DIR_FLAGS  (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/* ------------------------------------------------------------- its files */

static int
cgroup_write(int dir, const char *name, const char *text)
{
	fd_auto int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* What cgroup.events says of dir and what is below. */
enum {
	CGROUP_POPULATED = 1, /* somebody is in there */
	CGROUP_FROZEN = 2,    /* and would not run */
};

static unsigned
cgroup_events(int dir)
{
	char text[256] = "";
	fd_auto int fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	return (strstr(text, "populated 1") ? CGROUP_POPULATED : 0) |
	       (strstr(text, "frozen 1") ? CGROUP_FROZEN : 0);
}

static bool
cgroup_is_populated(int dir)
{
	return cgroup_events(dir) & CGROUP_POPULATED;
}

/* Kill and look again until nobody is left, or patience is at its end. */
static void
cgroup_empty(int dir)
{
	const struct timespec pause = { 0, CGROUP_LOOK_NS };

	for (int i = 0; i < CGROUP_PATIENCE && cgroup_is_populated(dir); i++) {
		(void)cgroup_write(dir, "cgroup.kill", "1");
		nanosleep(&pause, NULL);
	}
}

/* Remove the groups in a folder, which are leaves. Returns how many. */
static unsigned
cgroup_remove_leaves(const char *folder)
{
	DIR *const dir = opendir(folder);
	const struct dirent *entry;
	unsigned n = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			n += unlinkat(
				 dirfd(dir), entry->d_name, AT_REMOVEDIR) == 0;
	closedir(dir);
	return n;
}

/* What limits of leaves need (cgroup_limits.h). */
static const char *const cgroup_controllers[] = { "cpu", "memory", "pids" };

#define CGROUP_N_CONTROLLERS \
	(sizeof(cgroup_controllers) / sizeof(cgroup_controllers[0]))

/* Whether a word stands in a file of dir. */
static bool
cgroup_has_word(int dir, const char *name, const char *word)
{
	char text[256] = "";
	char *rest = text, *each;
	fd_auto int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	while ((each = strsep(&rest, " \n")))
		if (strcmp(each, word) == 0)
			return true;
	return false;
}

static int
cgroup_switch(int dir, char sign, const char *controller)
{
	char text[16];

	snprintf(text, sizeof(text), "%c%s", sign, controller);
	return cgroup_write(dir, "cgroup.subtree_control", text);
}

/* The controllers that groups below dir could have and have not, as bits. */
static unsigned
cgroup_wanted(int dir)
{
	unsigned wanted = 0;

	for (unsigned i = 0; i < CGROUP_N_CONTROLLERS; i++) {
		const char *const name = cgroup_controllers[i];
		if (cgroup_has_word(dir, "cgroup.controllers", name) &&
		    !cgroup_has_word(dir, "cgroup.subtree_control", name))
			wanted |= 1u << i;
	}
	return wanted;
}

/*
 * Let groups below dir have the controllers that dir has. Returns those that
 * were not enabled before, as bits. What cannot be enabled is missed when
 * limits are written.
 */
static unsigned
cgroup_enable(int dir)
{
	const unsigned wanted = cgroup_wanted(dir);
	unsigned enabled = 0;

	for (unsigned i = 0; i < CGROUP_N_CONTROLLERS; i++)
		if (wanted & (1u << i) &&
		    cgroup_switch(dir, '+', cgroup_controllers[i]) == 0)
			enabled |= 1u << i;
	return enabled;
}

/* Take them away again: a group that has them enabled holds no process. */
static void
cgroup_disable(int dir, unsigned enabled)
{
	for (unsigned i = 0; i < CGROUP_N_CONTROLLERS; i++)
		if (enabled & (1u << i))
			(void)cgroup_switch(dir, '-', cgroup_controllers[i]);
}

/* --------------------------------------------------------- where it stands */

/* The path of this process in the v2 hierarchy (cgroups(7)), or -ENOENT. */
static int
cgroup_own(char *path, size_t n_path)
{
	FILE *const file = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX];
	int e = -ENOENT;

	if (!file)
		return -errno;
	while (e && fgets(line, sizeof(line), file))
		if (strncmp(line, "0::/", 4) == 0) {
			line[strcspn(line, "\n")] = '\0';
			e = (size_t)snprintf(path, n_path, "%s", line + 3) <
			            n_path
			        ? 0
			        : -ENAMETOOLONG;
		}
	fclose(file);
	return e;
}

/*
 * Where the hierarchy is mounted and which part of it (proc(5), mountinfo:
 * fields 4 and 5, the type behind " - ").
 */
static int
cgroup_mount(char root[PATH_MAX], char point[PATH_MAX])
{
	FILE *const file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	int e = -ENOENT;

	if (!file)
		return -errno;
	while (e && getline(&line, &size, file) > 0)
		if (strstr(line, " - cgroup2 ") &&
		    sscanf(line, "%*d %*d %*s %4095s %4095s", root, point) == 2)
			e = 0;
	free(line);
	fclose(file);
	return e;
}

/* The folder of the group that we are in, *new* or NULL. */
static char *
cgroup_find_base(void)
{
	static char own[PATH_MAX], root[PATH_MAX], point[PATH_MAX],
	    base[2 * PATH_MAX];
	const char *below = own;
	const size_t n_root =
	    cgroup_own(own, sizeof(own)) == 0 && cgroup_mount(root, point) == 0
		? strlen(root)
		: 0;

	/* A root other than "/": part of the hierarchy, as in a container. */
	if (n_root > 1 && strncmp(own, root, n_root) == 0)
		below = own + n_root;
	if (n_root == 0 || strncmp(below, "/..", 3) == 0)
		return NULL;
	snprintf(base, sizeof(base), "%s%s", point,
	    strcmp(below, "/") == 0 ? "" : below);
	return xmem_strdup(base);
}

/*
 * A name that the next poold of the same runtime_dir finds again (FNV-1a), and
 * further ones: another mount namespace may have a folder of that name, too.
 */
static char *
cgroup_folder(const char *base, const char *runtime_dir, unsigned i)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	const size_t n = strlen(base) + CGROUP_NAME_BYTES;
	char *const folder = xmem_zalloc(1, n);

	for (const char *p = runtime_dir; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	const int at = snprintf(
	    folder, n, "%s/holdline-%08x", base, (unsigned)(hash >> 32 ^ hash));
	if (i > 0)
		snprintf(folder + at, n - (size_t)at, "-%u", i + 1);
	return folder;
}

/* ------------------------------------------------------------ its beginning */

/*
 * Make the folder, if it is not there, and lock it for this process. Returns 0
 * or -errno: -EWOULDBLOCK, another poold lives in it.
 */
static int
cgroup_lock(struct cgroup *cgroup)
{
	struct stat ours, there;

	if (mkdir(cgroup->folder, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd_auto int dir = open(cgroup->folder, CGROUP_DIR_FLAGS);
	/* Whoever lived in it has removed it meanwhile, or made it anew. */
	if (dir < 0 || flock(dir, LOCK_EX | LOCK_NB) < 0 ||
	    fstat(dir, &ours) < 0 || stat(cgroup->folder, &there) < 0)
		return errno == ENOENT ? -EWOULDBLOCK : -errno;
	if (ours.st_ino != there.st_ino)
		return -EWOULDBLOCK;
	cgroup->folder_fd = fd_take(&dir);
	return 0;
}

/* End what a killed poold left: what is locked by nobody who lives. */
static int
cgroup_end_earlier(struct cgroup *cgroup)
{
	int e = cgroup_lock(cgroup);

	if (e < 0)
		return e;
	if (cgroup_is_populated(cgroup->folder_fd))
		log_info(
		    "%s: what an earlier poold left is killed", cgroup->folder);
	cgroup_empty(cgroup->folder_fd);
	(void)cgroup_remove_leaves(cgroup->folder);
	(void)rmdir(cgroup->folder);
	fd_close(&cgroup->folder_fd);
	return 0;
}

/* The same for further names: who had one may find the first one free now. */
static void
cgroup_end_others(const struct cgroup *cgroup, const char *runtime_dir)
{
	for (unsigned i = 1; i < CGROUP_NAMES; i++) {
		struct cgroup other = { .folder_fd = -1 };
		other.folder = cgroup_folder(cgroup->base, runtime_dir, i);
		if (strcmp(other.folder, cgroup->folder) != 0 &&
		    access(other.folder, F_OK) == 0)
			(void)cgroup_end_earlier(&other);
		mem_free(other.folder);
	}
}

/* A folder that no poold lives in. */
static int
cgroup_claim(struct cgroup *cgroup, const char *runtime_dir)
{
	int e = -EWOULDBLOCK;

	for (unsigned i = 0; i < CGROUP_NAMES && e == -EWOULDBLOCK; i++) {
		mem_free(cgroup->folder);
		cgroup->folder = cgroup_folder(cgroup->base, runtime_dir, i);
		if ((e = cgroup_end_earlier(cgroup)) == 0)
			e = cgroup_lock(cgroup);
		if (e == -EWOULDBLOCK)
			log_warn("%s: another poold lives in it, whose "
				 "runtime_dir has the same name",
			    cgroup->folder);
	}
	if (e == 0)
		cgroup_end_others(cgroup, runtime_dir);
	if (e != -EWOULDBLOCK)
		return e;
	/* What is not ours is not removed. */
	mem_free(cgroup->folder);
	cgroup->folder = NULL;
	return e;
}

/* Open what is needed all along: also what leaving takes, before going in. */
static int
cgroup_open_folders(struct cgroup *cgroup)
{
	if ((cgroup->base_fd = open(cgroup->base, CGROUP_DIR_FLAGS)) < 0 ||
	    (cgroup->leave_fd = openat(
		 cgroup->base_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC)) < 0)
		return -errno;
	cgroup->is_open = true;
	return 0;
}

/* Go into a leaf of our own, and let the others have controllers. */
static int
cgroup_enter(struct cgroup *cgroup)
{
	const int dir = cgroup->folder_fd;

	if (mkdirat(dir, "pool", 0755) < 0 && errno != EEXIST)
		return -errno;
	const int e = cgroup_write(dir, "pool/cgroup.procs", "0");
	if (e < 0)
		return e;
	cgroup->is_in = true;
	cgroup->base_enabled = cgroup_enable(cgroup->base_fd);
	cgroup->folder_enabled = cgroup_enable(dir);
	return 0;
}

int
cgroup_open(struct cgroup *cgroup, const char *runtime_dir, struct err *err_r)
{
	int e;

	*cgroup = (struct cgroup){ .base = cgroup_find_base(),
		.base_fd = -1,
		.folder_fd = -1,
		.leave_fd = -1 };
	STAILQ_INIT(&cgroup->idle);
	STAILQ_INIT(&cgroup->late);
	if (!cgroup->base)
		return err_set(err_r, -ENOENT, NULL, "no v2 hierarchy");
	if ((e = cgroup_claim(cgroup, runtime_dir)) == 0)
		e = cgroup_open_folders(cgroup);
	if (e == 0 && cgroup_wanted(cgroup->base_fd))
		e = cgroup_enter(cgroup);
	else if (e == 0)
		cgroup->folder_enabled = cgroup_enable(cgroup->folder_fd);
	if (e == 0)
		return 0;
	err_set(err_r, e, cgroup->base, "%s", strerrordesc_np(-e));
	cgroup_close(cgroup);
	return e;
}

static void
cgroup_free_leaf(struct cgroup_leaf *leaf)
{
	fd_close(&leaf->fd);
	mem_free(leaf);
}

static void
cgroup_drop_leaves(struct cgroup_leaves *leaves)
{
	struct cgroup_leaf *leaf;

	while ((leaf = STAILQ_FIRST(leaves))) {
		STAILQ_REMOVE_HEAD(leaves, link);
		cgroup_free_leaf(leaf);
	}
}

/* What is still in a leaf that was given back. */
static void
cgroup_empty_late(const struct cgroup *cgroup)
{
	const struct cgroup_leaf *leaf;

	STAILQ_FOREACH (leaf, &cgroup->late, link)
		cgroup_empty(leaf->fd);
}

/* Out of it again: a group that is left can be removed. */
static void
cgroup_go_out(struct cgroup *cgroup)
{
	cgroup_disable(cgroup->folder_fd, cgroup->folder_enabled);
	cgroup_disable(cgroup->base_fd, cgroup->base_enabled);
	if (cgroup->is_in && write(cgroup->leave_fd, "0", 1) < 0)
		log_warn_err(-errno, "%s: cannot be left", cgroup->folder);
	(void)cgroup_remove_leaves(cgroup->folder);
}

void
cgroup_close(struct cgroup *cgroup)
{
	if (cgroup->is_open) {
		/* Most are empty: what can be removed need not be looked at. */
		(void)cgroup_remove_leaves(cgroup->folder);
		cgroup_empty_late(cgroup);
		(void)cgroup_remove_leaves(cgroup->folder);
		cgroup_go_out(cgroup);
	}
	if (cgroup->folder) {
		fd_close(&cgroup->folder_fd);
		fd_close(&cgroup->leave_fd);
		fd_close(&cgroup->base_fd);
		cgroup_drop_leaves(&cgroup->idle);
		cgroup_drop_leaves(&cgroup->late);
		(void)rmdir(cgroup->folder);
	}
	mem_free(cgroup->base);
	mem_free(cgroup->folder);
	*cgroup = (struct cgroup){ 0 };
}

/* ------------------------------------------------------------------- leaves */

static void
cgroup_leaf_name(const struct cgroup_leaf *leaf, char name[CGROUP_NAME_BYTES])
{
	snprintf(name, CGROUP_NAME_BYTES, "slot-%u", leaf->number);
}

/* Open a leaf's folder; make it first if that is asked for. */
static int
cgroup_open_leaf(
    const struct cgroup *cgroup, struct cgroup_leaf *leaf, bool is_new)
{
	char name[CGROUP_NAME_BYTES];

	cgroup_leaf_name(leaf, name);
	if (is_new && mkdirat(cgroup->folder_fd, name, 0755) < 0 &&
	    errno != EEXIST)
		return -errno;
	leaf->fd = openat(cgroup->folder_fd, name, CGROUP_DIR_FLAGS);
	return leaf->fd < 0 ? -errno : 0;
}

/* Remove a leaf's folder. Returns whether it was empty. */
static bool
cgroup_remove(const struct cgroup *cgroup, const struct cgroup_leaf *leaf)
{
	char name[CGROUP_NAME_BYTES];

	cgroup_leaf_name(leaf, name);
	return unlinkat(cgroup->folder_fd, name, AT_REMOVEDIR) == 0;
}

/* An empty leaf: to be taken again, or to be removed. */
static void
cgroup_retire(struct cgroup *cgroup, struct cgroup_leaf *leaf, unsigned events)
{
	fd_close(&leaf->fd);
	/* Whoever froze one would freeze the next tenant that takes it. */
	if (!leaf->is_killed && !(events & CGROUP_FROZEN)) {
		STAILQ_INSERT_HEAD(&cgroup->idle, leaf, link);
		return;
	}
	/* What cannot be removed now is removed at the end. */
	(void)cgroup_remove(cgroup, leaf);
	cgroup_free_leaf(leaf);
}

/* Leaves that were late and are empty by now. */
static void
cgroup_recycle(struct cgroup *cgroup)
{
	struct cgroup_leaf *leaf, *next;

	STAILQ_FOREACH_SAFE(leaf, &cgroup->late, link, next)
	{
		const unsigned events = cgroup_events(leaf->fd);
		if (events & CGROUP_POPULATED)
			continue;
		STAILQ_REMOVE(&cgroup->late, leaf, cgroup_leaf, link);
		cgroup_retire(cgroup, leaf, events);
	}
}

struct cgroup_leaf *
cgroup_take(struct cgroup *cgroup)
{
	if (!cgroup->is_open)
		return NULL;
	cgroup_recycle(cgroup);
	struct cgroup_leaf *leaf = STAILQ_FIRST(&cgroup->idle);
	const bool is_new = !leaf;
	if (leaf)
		STAILQ_REMOVE_HEAD(&cgroup->idle, link);
	else if (!(leaf = mem_zalloc(1, sizeof(*leaf))))
		return NULL;
	if (is_new)
		leaf->number = ++cgroup->n;
	const int e = cgroup_open_leaf(cgroup, leaf, is_new);
	if (e == 0)
		return leaf;
	log_error_err(e, "%s: no leaf for a backend", cgroup->folder);
	mem_free(leaf);
	return NULL;
}

void
cgroup_give(struct cgroup *cgroup, struct cgroup_leaf **leafp)
{
	struct cgroup_leaf *const leaf = *leafp;

	*leafp = NULL;
	if (!leaf)
		return;
	const unsigned events = cgroup_events(leaf->fd);
	if (events & CGROUP_POPULATED)
		STAILQ_INSERT_TAIL(&cgroup->late, leaf, link);
	else
		cgroup_retire(cgroup, leaf, events);
}

void
cgroup_leave(struct cgroup *cgroup, struct cgroup_leaf **leaf)
{
	if (*leaf && cgroup_remove(cgroup, *leaf))
		cgroup_free_leaf(*leaf);
	else if (*leaf)
		STAILQ_INSERT_TAIL(&cgroup->late, *leaf, link);
	*leaf = NULL;
}

int
cgroup_leaf_fd(const struct cgroup_leaf *leaf)
{
	return leaf ? leaf->fd : -1;
}

bool
cgroup_kill(struct cgroup_leaf *leaf)
{
	if (cgroup_is_empty(leaf))
		return false;
	leaf->is_killed = true;
	(void)cgroup_write(leaf->fd, "cgroup.kill", "1");
	return true;
}

bool
cgroup_is_empty(const struct cgroup_leaf *leaf)
{
	return !leaf || !cgroup_is_populated(leaf->fd);
}
