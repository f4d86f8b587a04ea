/* SPDX-License-Identifier: MIT */
/*
 * place: folders are opened without following a link and looked at through
 * the descriptor, since poold may be root and what stands there may not be
 * poold's.
 */
#include "poold/place.h"

#include <bsd/libutil.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#include "poold/bequest.h"

/* A formatted path, *new* or NULL; paths may be longer than a task's stack. */
__attribute__((format(printf, 1, 2))) static char *
place_path(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *const path = n < 0 ? NULL : mem_alloc((size_t)n + 1);
	if (!path)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(path, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return path;
}

static void
place_path_free(char **path)
{
	mem_free(*path);
	*path = NULL;
}

#define place_path_auto __attribute__((cleanup(place_path_free)))

/* Make the folders above path that are missing. */
static int
place_make_parents(const char *path)
{
	char *copy place_path_auto = place_path("%s", path);
	int e = 0;

	if (!copy)
		return -ENOMEM;
	for (char *p = copy + 1; e == 0 && (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			e = -errno;
		*p = '/';
	}
	return e;
}

/* Which mode and owner a folder must have. */
struct place_want {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	bool is_ours; /* made by us alone: set the mode also when it is there */
};

/*
 * Make path if it is missing, and see to its owner and mode. A folder that is
 * there must belong to its owner already or be ours to give away.
 */
static int
place_make(const char *path, const struct place_want *want, struct err *err_r)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	const bool is_new = mkdir(path, 0700) == 0;
	struct stat st;
	int e = is_new || errno == EEXIST ? 0 : -errno;

	fd_auto int fd = e ? -1 : open(path, flags);
	if (e == 0 && (fd < 0 || fstat(fd, &st) < 0))
		e = -errno;
	if (e == 0 && st.st_uid != want->uid && st.st_uid != geteuid())
		return err_set(err_r, -EPERM, path,
		    "belongs to user %u, not to user %u", st.st_uid, want->uid);
	if (e == 0 && (st.st_uid != want->uid || st.st_gid != want->gid) &&
	    (is_new || want->is_ours) && geteuid() == 0 &&
	    fchown(fd, want->uid, want->gid) < 0)
		e = -errno;
	if (e == 0 && (is_new || want->is_ours) &&
	    (st.st_mode & 07777) != want->mode && fchmod(fd, want->mode) < 0)
		e = -errno;
	if (e < 0)
		return err_set(err_r, e, path, "cannot be made a folder: %s",
		    strerrordesc_np(-e));
	return 0;
}

static int
place_make_above(const char *path, mode_t mode, struct err *err_r)
{
	const struct place_want want = { mode, geteuid(), getegid(), false };
	const int e = place_make_parents(path);

	if (e < 0)
		return err_set(
		    err_r, e, path, "cannot be made: %s", strerrordesc_np(-e));
	return place_make(path, &want, err_r);
}

/* Take the lock, or say who has it. */
static int
place_lock(struct place *place, struct err *err_r)
{
	char *path place_path_auto =
	    place_path("%s/poold.pid", place->runtime_dir);
	pid_t other = -1;

	if (!path)
		return err_set(err_r, -ENOMEM, NULL, "no memory");
	place->lock = pidfile_open(path, 0644, &other);
	if (!place->lock && errno == EEXIST)
		return err_set(err_r, -EEXIST, place->runtime_dir,
		    "another poold runs here, process %d", (int)other);
	if (!place->lock)
		return err_set(err_r, -errno, path, "cannot be locked: %s",
		    strerrordesc_np(errno));
	fcntl(pidfile_fileno(place->lock), F_SETFD, FD_CLOEXEC);
	pidfile_write(place->lock);
	return 0;
}

/*
 * Lock the state folder itself: another poold, with another runtime_dir, would
 * run the same tenants, and give the ids of ours to others. Not every file
 * system has locks; that is said.
 */
static int
place_lock_state(struct place *place, struct err *err_r)
{
	place->state_fd =
	    open(place->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->state_fd >= 0 &&
	    flock(place->state_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	const int e = -errno;
	if (e == -EWOULDBLOCK)
		return err_set(err_r, -EEXIST, place->state_dir,
		    "another poold has the state of its tenants here");
	log_warn_err(e,
	    "%s: cannot be locked: see to it that no other poold "
	    "has this state_dir",
	    place->state_dir);
	return 0;
}

/* Remove every socket of a backend. Returns how many there were. */
static unsigned
place_remove_sockets(const struct place *place)
{
	char *path place_path_auto = place_path("%s/b", place->runtime_dir);
	DIR *const dir = path ? opendir(path) : NULL;
	const struct dirent *entry;
	unsigned n = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		if (strstr(entry->d_name, ".sock"))
			n += unlinkat(dirfd(dir), entry->d_name, 0) == 0;
	closedir(dir);
	return n;
}

int
place_make_sockets(
    const struct place *place, const struct drop_ids *ids, struct err *err_r)
{
	char *path place_path_auto = place_path("%s/b", place->runtime_dir);
	/* Whoever has this group may pass through, not look around. */
	const struct place_want want = { ids ? 0710 : 0700, geteuid(),
		ids ? ids->gid : getegid(), true };
	int e;

	if (!path)
		return err_set(err_r, -ENOMEM, NULL, "no memory");
	if ((e = place_make_above(place->runtime_dir, 0755, err_r)) < 0)
		return e;
	return place_make(path, &want, err_r);
}

int
place_open(struct place *place, const char *runtime_dir, const char *state_dir,
    const struct drop_ids *ids, struct err *err_r)
{
	int e;

	*place = (struct place){ runtime_dir, state_dir, NULL, -1 };
	if ((e = place_make_above(runtime_dir, 0755, err_r)) < 0 ||
	    (e = place_make_above(state_dir, ids ? 0711 : 0755, err_r)) < 0 ||
	    (e = place_lock(place, err_r)) < 0)
		return e;
	if ((e = place_lock_state(place, err_r)) < 0 ||
	    (e = place_make_sockets(place, ids, err_r)) < 0)
		place_close(place);
	const unsigned n = e < 0 ? 0 : place_remove_sockets(place);
	if (n > 0)
		log_info("%s/b: %u stale sockets removed", runtime_dir, n);
	return e;
}

void
place_close(struct place *place)
{
	char *path place_path_auto = NULL;

	if (!place->lock)
		return;
	(void)place_remove_sockets(place);
	path = place_path("%s/b", place->runtime_dir);
	if (path)
		(void)rmdir(path);
	fd_close(&place->state_fd);
	(void)pidfile_remove(place->lock);
	place->lock = NULL;
}

char *
place_socket(
    const struct place *place, uint32_t number, char out[PROTO_PATH_BYTES])
{
	snprintf(
	    out, PROTO_PATH_BYTES, "%s/b/%u.sock", place->runtime_dir, number);
	return out;
}

int
place_state(const struct place *place, const char *host,
    const struct drop_ids *ids, char **path_r, struct err *err_r)
{
	const struct place_want want = { 0700, ids ? ids->uid : geteuid(),
		ids ? ids->gid : getegid(), true };
	int e;

	*path_r = place_path("%s/%s", place->state_dir, host);
	if (!*path_r)
		return err_set(err_r, -ENOMEM, NULL, "no memory");
	if ((e = place_make(*path_r, &want, err_r)) < 0)
		place_path_free(path_r);
	return e;
}

int
place_state_owner(const struct place *place, const char *host, uid_t *uid_r)
{
	char *path place_path_auto =
	    place_path("%s/%s", place->state_dir, host);
	struct stat st;

	if (!path)
		return -ENOMEM;
	if (lstat(path, &st) < 0)
		return -errno;
	*uid_r = st.st_uid;
	return 0;
}

int
place_give_state(const struct place *place, const char *host,
    const struct drop_ids *ids, struct err *err_r)
{
	char *path place_path_auto =
	    place_path("%s/%s", place->state_dir, host);
	struct stat st;

	if (!path)
		return err_set(err_r, -ENOMEM, NULL, "no memory");
	if (lstat(path, &st) < 0 || st.st_uid == 0 || st.st_uid == ids->uid)
		return 0;
	log_info(
	    "%s: given from user %u to user %u", path, st.st_uid, ids->uid);
	return bequest_give(path, ids, err_r);
}

bool
place_forget_state(const struct place *place, const char *host)
{
	char *path place_path_auto =
	    place_path("%s/%s", place->state_dir, host);

	return path && rmdir(path) == 0;
}
