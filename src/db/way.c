/* The way to a server, one step after the other, for people who want to know where it ends. */
#include "db/db_int.h"

#include "base/clock.h"
#include "base/fs.h"
#include "db/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char *
reason_of(Arena *a, int error)
{
    switch (error) {
    case ECONNREFUSED:
        return "nobody listens there (connection refused)";
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return "this machine has no route to it";
    case ENOENT:
        return "there is no such socket";
    case EACCES:
    case EPERM:
        return "this user may not open it";
    case ETIMEDOUT:
        return "no answer: a firewall may drop the packets, or the host is down";
    default:
        return str_dupz(a, strerror(error));
    }
}

/* Connect and close again: 0, or the error. */
static int
try_address(const struct sockaddr *address, socklen_t size, int64_t timeout_ms, DbTick tick,
            void *arg)
{
    FD_LOCAL fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, address, size) == 0)
        return 0;
    if (errno != EINPROGRESS && errno != EAGAIN)
        return errno;
    int64_t now = clock_ms();
    switch (db_wait_socket(fd, POLLOUT, now + timeout_ms, now, 0, tick, arg)) {
    case WAIT_DEADLINE:
        return ETIMEDOUT;
    case WAIT_STOP:
        return EINTR;
    case WAIT_READY:
        break;
    }
    int error = 0;
    socklen_t n = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 ? error : errno;
}

static int
try_socket(const char *path, int64_t timeout_ms, DbTick tick, void *arg)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    return try_address((const struct sockaddr *)&address, sizeof address, timeout_ms, tick, arg);
}

static int
try_ip(Arena *a, const char *text, int port, int64_t timeout_ms, DbTick tick, void *arg,
       bool *ret_is_ipv6)
{
    /* Numeric: nothing is looked up, and a zone ("fe80::1%eth0") is understood. */
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *list = NULL;
    if (getaddrinfo(text, str_fmt(a, "%d", port), &hints, &list) != 0 || !list)
        return EINVAL;
    *ret_is_ipv6 = list->ai_family == AF_INET6;
    int error = try_address(list->ai_addr, list->ai_addrlen, timeout_ms, tick, arg);
    freeaddrinfo(list);
    return error;
}

static void
look_up(Arena *a, DbWay *way, int64_t timeout_ms, AddressVec *ret)
{
    const char *host = way->host->host;
    if (host[0] == '/') {
        *vec_add(a, ret) = str_fmt(a, "%s/.s.PGSQL.%d", host, way->host->port);
        return;
    }
    way->is_name = !db_is_numeric(host);
    if (!way->is_name) {
        *vec_add(a, ret) = host;
        return;
    }
    int64_t began = clock_ms();
    const char *reason;
    ResolveEnd end = resolve_host(a, host, timeout_ms, ret, &reason);
    way->lookup_ms = clock_ms() - began;
    if (end != RESOLVE_OK)
        way->reason = end == RESOLVE_TIMEOUT ? "the name server did not answer in time" : reason;
}

void
db_look(Arena *a, const DbUrl *url, int64_t timeout_ms, DbTick tick, void *tick_arg, DbWayVec *ret)
{
    *ret = (DbWayVec){0};
    vec_each (const UrlHost, h, &url->hosts) {
        AddressVec list = {0};
        DbWay *way = vec_add(a, ret);
        way->host = h;
        look_up(a, way, timeout_ms, &list);
        vec_each (const char *, address, &list) {
            DbHop *hop = vec_add(a, &way->hops);
            hop->address = *address;
            int64_t began = clock_ms();
            int error = h->host[0] == '/' ? try_socket(*address, timeout_ms, tick, tick_arg)
                                          : try_ip(a, *address, h->port, timeout_ms, tick, tick_arg,
                                                   &hop->is_ipv6);
            hop->ms = clock_ms() - began;
            hop->is_reached = error == 0;
            hop->is_refused = error == ECONNREFUSED;
            hop->has_no_route = error == ENETUNREACH || error == EHOSTUNREACH ||
                                error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
            if (error)
                hop->reason = reason_of(a, error);
            if (error == EINTR)
                return;
        }
    }
}
