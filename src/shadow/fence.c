/* A throwaway server runs what migrations and databases define, as its superuser. The kernel keeps
 * it to its own folder: https://docs.kernel.org/userspace-api/landlock.html */
#include "shadow/shadow_int.h"

#include "base/fs.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Later than Debian 12's header. */
enum {
    ACCESS_TRUNCATE = 1 << 14, /* version 3 */
    NET_TCP = 3,               /* version 4: bind, connect */
    SCOPE_ALL = 3,             /* version 6: abstract sockets, signals */
};

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* All of version 1, beside EXECUTE. */
#define ACCESS_CHANGE                                                                              \
    (((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE)
#define ACCESS_OF_FILES                                                                            \
    (uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                        \
               LANDLOCK_ACCESS_FS_READ_FILE | ACCESS_TRUNCATE)

typedef struct Ruleset {
    uint64_t files, net, scoped; /* as the kernel has them */
} Ruleset;

int
fence_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : (int)version;
}

static void
allow(int rules, uint64_t handled, const char *path, uint64_t access)
{
    FD_LOCAL fd = open(path, O_PATH | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return;
    if (!S_ISDIR(st.st_mode))
        access &= ACCESS_OF_FILES;
    struct landlock_path_beneath_attr rule = {.allowed_access = access & handled, .parent_fd = fd};
    (void)!syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* The dynamic linker that a program names; the kernel executes it, too. */
static bool
read_interpreter(const char *program, char *to, size_t cap)
{
    FD_LOCAL fd = open(program, O_RDONLY | O_CLOEXEC);
    Elf64_Ehdr head;
    if (fd < 0 || pread(fd, &head, sizeof head, 0) != sizeof head ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64)
        return false;
    for (int i = 0; i < head.e_phnum; i++) {
        Elf64_Phdr part;
        off_t at = (off_t)(head.e_phoff + (size_t)i * head.e_phentsize);
        if (pread(fd, &part, sizeof part, at) != sizeof part)
            return false;
        if (part.p_type == PT_INTERP)
            return part.p_filesz <= cap &&
                   pread(fd, to, part.p_filesz, (off_t)part.p_offset) == (ssize_t)part.p_filesz;
    }
    return false;
}

bool
fence_self(const char *folder, const char *program)
{
    static const char *const read[] = {"/usr",  "/lib", "/lib64", "/etc",
                                       "/proc", "/sys", "/dev",   "/opt"};
    int version = fence_version();
    char linker[256], prefix[PATH_MAX];
    if (!version || !read_interpreter(program, linker, sizeof linker) || !realpath(program, prefix))
        return false;
    Ruleset handled = {.files = ACCESS_CHANGE | LANDLOCK_ACCESS_FS_EXECUTE};
    if (version >= 2)
        handled.files |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        handled.files |= ACCESS_TRUNCATE;
    handled.net = NET_TCP;
    handled.scoped = SCOPE_ALL;
    size_t size = version < 4   ? sizeof handled.files
                  : version < 6 ? sizeof handled.files + sizeof handled.net
                                : sizeof handled;
    FD_LOCAL rules = (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0);
    if (rules < 0)
        return false;
    for (size_t i = 0; i < COUNT(read); i++)
        allow(rules, handled.files, read[i], ACCESS_READ);
    uint64_t own = handled.files & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE;
    allow(rules, handled.files, folder, own);
    allow(rules, handled.files, "/dev/shm", own);
    allow(rules, handled.files, "/dev/null", own);
    allow(rules, handled.files, linker, LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE);
    allow(rules, handled.files, program, LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE);
    /* PREFIX/bin/postgres: beside it lie lib and share. */
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(prefix, '/');
        if (slash)
            *slash = 0;
    }
    if (*prefix)
        allow(rules, handled.files, prefix, ACCESS_READ);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}
