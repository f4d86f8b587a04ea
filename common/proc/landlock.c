/* SPDX-License-Identifier: MIT */
/*
 * landlock: numbers are the kernel's, part of its interface for good. Each
 * version handles more; what a kernel does not know must not be asked for.
 */
#include "common/proc/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/fd.h"

#define LANDLOCK_CREATE   444 /* landlock_create_ruleset, on all machines */
#define LANDLOCK_ADD      445 /* landlock_add_rule */
#define LANDLOCK_RESTRICT 446 /* landlock_restrict_self */
#define LANDLOCK_VERSION  1u  /* a flag of create */
#define LANDLOCK_BENEATH  1   /* a rule about a path */

#define LANDLOCK_BIT(n)    (UINT64_C(1) << (n))
#define LANDLOCK_EXECUTE   LANDLOCK_BIT(0)
#define LANDLOCK_WRITE     LANDLOCK_BIT(1)
#define LANDLOCK_READ      LANDLOCK_BIT(2)
#define LANDLOCK_LIST      LANDLOCK_BIT(3)
#define LANDLOCK_MAKE_CHAR LANDLOCK_BIT(6)
#define LANDLOCK_MAKE_BLK  LANDLOCK_BIT(11)
#define LANDLOCK_REFER     LANDLOCK_BIT(13)
#define LANDLOCK_TRUNCATE  LANDLOCK_BIT(14)
#define LANDLOCK_IOCTL_DEV LANDLOCK_BIT(15)

/* What can be allowed for a file that is no folder. */
#define LANDLOCK_OF_FILE                                     \
	(LANDLOCK_EXECUTE | LANDLOCK_WRITE | LANDLOCK_READ | \
	    LANDLOCK_TRUNCATE | LANDLOCK_IOCTL_DEV)
#define LANDLOCK_TO_READ (LANDLOCK_EXECUTE | LANDLOCK_READ | LANDLOCK_LIST)
/* Devices are nobody's to make. */
#define LANDLOCK_TO_WRITE \
	(~(LANDLOCK_MAKE_CHAR | LANDLOCK_MAKE_BLK | LANDLOCK_IOCTL_DEV))

struct landlock_ruleset {
	uint64_t files;
	uint64_t network; /* from version 4 on */
	uint64_t scopes;  /* from version 6 on */
};

struct landlock_beneath {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

/* What each version can handle. */
static const struct landlock_ruleset landlock_handled[LANDLOCK_ABI + 1] = {
	[1] = { LANDLOCK_BIT(13) - 1, 0, 0 },
	[2] = { LANDLOCK_BIT(14) - 1, 0, 0 },
	[3] = { LANDLOCK_BIT(15) - 1, 0, 0 },
	[4] = { LANDLOCK_BIT(15) - 1, 3, 0 },
	[5] = { LANDLOCK_BIT(16) - 1, 3, 0 },
	[6] = { LANDLOCK_BIT(16) - 1, 3, 3 },
};

/* Where /usr is merged, these are links to folders in it. */
static const char *const landlock_merged[] = {
	"/bin",
	"/sbin",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	NULL,
};

/*
 * What programs and the C library open wherever they run. Of /proc it is this
 * process and what says nothing of other ones.
 */
static const char *const landlock_system[] = {
	"/usr",
	"/opt",
	"/etc/alternatives",
	"/etc/ca-certificates",
	"/etc/fonts",
	"/etc/gai.conf",
	"/etc/group",
	"/etc/host.conf",
	"/etc/hosts",
	"/etc/ld.so.cache",
	"/etc/ld.so.conf",
	"/etc/ld.so.conf.d",
	"/etc/locale.alias",
	"/etc/localtime",
	"/etc/mime.types",
	"/etc/networks",
	"/etc/nsswitch.conf",
	"/etc/os-release",
	"/etc/passwd",
	"/etc/protocols",
	"/etc/resolv.conf",
	"/etc/services",
	"/etc/ssl/certs",
	"/etc/ssl/openssl.cnf",
	"/etc/terminfo",
	"/etc/timezone",
	"/dev/random",
	"/dev/urandom",
	"/proc/cpuinfo",
	"/proc/filesystems",
	"/proc/loadavg",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/sys",
	"/proc/uptime",
	"/proc/version",
	"/sys/devices/system/cpu",
	"/sys/kernel/mm/transparent_hugepage",
	NULL,
};

/* Another one for each process, so no ruleset has it in stock. */
static const char *const landlock_self[] = { "/proc/self", NULL };

static const char *const landlock_devices[] = {
	"/dev/full",
	"/dev/null",
	"/dev/zero",
	NULL,
};

int
landlock_abi(void)
{
	const long abi = syscall(LANDLOCK_CREATE, NULL, 0ul, LANDLOCK_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

static int
landlock_add(int ruleset_fd, int fd, uint64_t allowed)
{
	const struct landlock_beneath beneath = { allowed, fd };

	return syscall(
		   LANDLOCK_ADD, ruleset_fd, LANDLOCK_BENEATH, &beneath, 0u) < 0
	           ? -errno
	           : 0;
}

/* Allow what is at path. What is not there, or out of reach, is left out. */
static int
landlock_allow(int ruleset_fd, const char *path, uint64_t allowed)
{
	fd_auto int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM
		           ? -errno
		           : 0;
	const int e = landlock_add(ruleset_fd, fd, allowed);
	/* What only a folder can be allowed is invalid for a file. */
	return e == -EINVAL
	           ? landlock_add(ruleset_fd, fd, allowed & LANDLOCK_OF_FILE)
	           : e;
}

static int
landlock_allow_all(int ruleset_fd, const char *const *paths, uint64_t allowed)
{
	int e = 0;

	for (; paths && *paths && e == 0; paths++)
		e = landlock_allow(ruleset_fd, *paths, allowed);
	return e;
}

/* What is handled on this kernel; the version is 0 without Landlock. */
static int
landlock_can(struct landlock_ruleset *ruleset_r)
{
	const int found = landlock_abi();
	const int abi = found < LANDLOCK_ABI ? found : LANDLOCK_ABI;

	*ruleset_r = landlock_handled[abi];
	return abi;
}

/* A ruleset without a rule. Returns its descriptor or -errno. */
static int
landlock_create(const struct landlock_ruleset *can, bool has_network)
{
	struct landlock_ruleset ruleset = *can;

	if (has_network)
		ruleset.network = 0;
	const long fd = syscall(LANDLOCK_CREATE, &ruleset, sizeof(ruleset), 0u);
	return fd < 0 ? -errno : (int)fd;
}

/* Whether path is a link to something in /usr. */
static bool
landlock_is_in_usr(const char *path)
{
	char to[5];
	const ssize_t n = readlink(path, to, sizeof(to));

	return n >= 5 &&
	       (memcmp(to, "/usr/", 5) == 0 || memcmp(to, "usr/", 4) == 0);
}

/* Allow those that /usr does not: each process has a copy of every rule. */
static int
landlock_allow_merged(int fd, uint64_t to_read)
{
	int e = 0;

	for (const char *const *p = landlock_merged; *p && e == 0; p++)
		if (!landlock_is_in_usr(*p))
			e = landlock_allow(fd, *p, to_read);
	return e;
}

static int
landlock_allow_system(int fd, uint64_t to_read, uint64_t to_write)
{
	int e = landlock_allow_all(fd, landlock_system, to_read);

	if (e == 0)
		e = landlock_allow_merged(fd, to_read);
	if (e < 0)
		return e;
	return landlock_allow_all(fd, landlock_devices, to_read | to_write);
}

/* Where the files are that are listed one by one and may be replaced. */
static const char *const landlock_etc[] = { "/etc", "/etc/ssl" };

_Static_assert(sizeof(landlock_etc) / sizeof(landlock_etc[0]) == LANDLOCK_N_ETC,
    "each has its time");

/* When names in /etc were made, removed or replaced last. */
static void
landlock_look_at_etc(struct landlock_base *base)
{
	for (unsigned i = 0; i < LANDLOCK_N_ETC; i++) {
		struct stat st = { 0 };
		(void)stat(landlock_etc[i], &st);
		base->etc[i] = st.st_ctim;
	}
}

/* Whether the files of /etc that are in the ruleset are those that are there:
 * a rule is about a file, and most are changed by putting another in place. */
static bool
landlock_is_fresh(const struct landlock_base *base)
{
	struct landlock_base now;
	bool is_fresh = true;

	landlock_look_at_etc(&now);
	for (unsigned i = 0; i < LANDLOCK_N_ETC; i++)
		is_fresh = is_fresh &&
		           now.etc[i].tv_sec == base->etc[i].tv_sec &&
		           now.etc[i].tv_nsec == base->etc[i].tv_nsec;
	return is_fresh;
}

int
landlock_begin(struct landlock_base *base_r)
{
	struct landlock_ruleset can;

	*base_r = (struct landlock_base){ .fd = -1 };
	if (landlock_can(&can) == 0)
		return 0;
	fd_auto int fd = landlock_create(&can, false);
	if (fd < 0)
		return fd;
	landlock_look_at_etc(base_r);
	const int e = landlock_allow_system(
	    fd, can.files & LANDLOCK_TO_READ, can.files & LANDLOCK_TO_WRITE);
	if (e == 0)
		base_r->fd = fd_take(&fd);
	return e;
}

int
landlock_enter(const struct landlock_rules *rules)
{
	const struct landlock_base *const base =
	    rules->base && rules->base->fd >= 0 && rules->has_system &&
		    !rules->has_network
		? rules->base
		: NULL;
	struct landlock_ruleset can;
	int e = 0;

	if (landlock_can(&can) == 0)
		return 0;
	const uint64_t to_read = can.files & LANDLOCK_TO_READ;
	const uint64_t to_write = can.files & LANDLOCK_TO_WRITE;
	fd_auto int own = base ? -1 : landlock_create(&can, rules->has_network);
	const int fd = base ? base->fd : own;
	if (fd < 0)
		return fd;
	if (rules->has_system && !(base && landlock_is_fresh(base)))
		e = landlock_allow_system(fd, to_read, to_write);
	if (e == 0 && rules->has_system)
		e = landlock_allow_all(fd, landlock_self, to_read);
	if (e < 0 || (e = landlock_allow_all(fd, rules->read, to_read)) < 0 ||
	    (e = landlock_allow_all(fd, rules->write, to_read | to_write)) < 0)
		return e;
	return syscall(LANDLOCK_RESTRICT, fd, 0u) < 0 ? -errno : 0;
}
