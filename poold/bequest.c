/* SPDX-License-Identifier: MIT */
/*
 * bequest: each entry is opened as a name only (O_PATH), looked at, and changed
 * through that descriptor, so that what is put in its place meanwhile is not
 * given away. A hard link to a stranger's file has the stranger as owner.
 */
#include "poold/bequest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fd.h"

#define BEQUEST_DEPTH_MAX 32

struct bequest {
	uid_t from;
	const struct drop_ids *to;
};

static int
bequest_folder(const struct bequest *bequest, int fd, unsigned depth);

/* One entry, and what is in it. */
static int
bequest_entry(
    const struct bequest *bequest, int dir_fd, const char *name, unsigned depth)
{
	struct stat st;
	fd_auto int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_uid != bequest->from)
		return 0;
	if (S_ISDIR(st.st_mode)) {
		const int e = bequest_folder(bequest, fd, depth + 1);
		if (e < 0)
			return e;
	}
	return fchownat(fd, "", bequest->to->uid, bequest->to->gid,
		   AT_EMPTY_PATH) < 0
	           ? -errno
	           : 0;
}

/* Everything in the folder that fd names. */
static int
bequest_folder(const struct bequest *bequest, int fd, unsigned depth)
{
	const struct dirent *entry;
	int e = 0;

	if (depth > BEQUEST_DEPTH_MAX)
		return -ELOOP;
	const int list_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *const dir = list_fd < 0 ? NULL : fdopendir(list_fd);
	if (!dir)
		return -errno;
	while (e == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			e = bequest_entry(
			    bequest, dirfd(dir), entry->d_name, depth);
	closedir(dir);
	return e;
}

int
bequest_give(const char *path, const struct drop_ids *ids, struct err *err_r)
{
	struct bequest bequest = { .to = ids };
	struct stat st;
	int e;

	if (lstat(path, &st) < 0)
		return err_set(err_r, -errno, path, "cannot be looked at: %s",
		    strerrordesc_np(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(err_r, -ENOTDIR, path, "is no folder");
	if (st.st_uid == 0)
		return err_set(err_r, -EPERM, path, "is root's");
	bequest.from = st.st_uid;
	e = bequest_entry(&bequest, AT_FDCWD, path, 0);
	if (e < 0)
		return err_set(err_r, e, path,
		    "cannot be given from user %u to user %u: %s", bequest.from,
		    ids->uid, strerrordesc_np(-e));
	return 0;
}
