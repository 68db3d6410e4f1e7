/* The surroundings of the process: environment, randomness, signals, who is alive. */
#include "base/os.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

const char *
os_env(const char *name)
{
    return getenv(name);
}

char *
os_who(Arena *a)
{
    const char *user = os_env("USER");
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = 0;
    if (!user || !user[0])
        user = os_env("LOGNAME");
    if (!user || !user[0])
        user = str_fmt(a, "%u", (unsigned)getuid());
    return str_fmt(a, "%s@%s", user, host);
}

void
os_random(void *p, size_t n)
{
    unsigned char *b = p;
    while (n) {
        ssize_t got = getrandom(b, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        b += got;
        n -= (size_t)got;
    }
}

char *
os_uuid(Arena *a)
{
    unsigned char b[16];
    os_random(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    return str_fmt(a, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}

/* Field 22 of /proc/PID/stat; 0 when there is no such process. */
static unsigned long long
start_time(long pid)
{
    ARENA_LOCAL(a);
    Err err;
    Str text;
    if (!fs_read(a, str_fmt(a, "/proc/%ld/stat", pid), 0, &text, &err))
        return 0;
    const char *p = strrchr(text.p, ')');
    if (!p || (p[1] == ' ' && (p[2] == 'Z' || p[2] == 'X')))
        return 0;
    unsigned long long v = 0;
    for (int field = 2; *p && field < 22; p++)
        if (*p == ' ')
            field++;
    sscanf(p, "%llu", &v);
    return v;
}

static char *
pid_space(Arena *a)
{
    Err err;
    Str boot;
    char link[64] = "";
    if (!fs_read(a, "/proc/sys/kernel/random/boot_id", 0, &boot, &err))
        boot = STR("?");
    ssize_t n = readlink("/proc/self/ns/pid", link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    char *hex = hash_sha256_hex(a, str_of(str_fmt(a, STR_FMT "%s", STR_ARG(str_trim(boot)), link)));
    hex[6] = 0;
    return hex;
}

char *
os_self_tag(Arena *a)
{
    return os_tag(a, (long)getpid());
}

char *
os_tag(Arena *a, long pid)
{
    unsigned long long start = start_time(pid);
    if (!start)
        return NULL;
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    host[14] = 0;
    for (char *c = host; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
        else if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '.'))
            *c = '-';
    }
    return str_fmt(a, "%s/%ld/%llx/%s", pid_space(a), pid, start, host);
}

OsAlive
os_tag_alive(Str tag)
{
    ARENA_LOCAL(a);
    Str rest = tag;
    Str space = str_cut(&rest, '/');
    if (!rest.p || !str_is(space, pid_space(a)))
        return OS_ELSEWHERE;
    long pid;
    unsigned long long start;
    if (sscanf(str_dup(a, rest), "%ld/%llx", &pid, &start) != 2 || pid <= 0)
        return OS_ELSEWHERE;
    return start && start_time(pid) == start ? OS_ALIVE : OS_DEAD;
}
