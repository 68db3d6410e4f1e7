/* One login and at most one statement over a unix socket, in PostgreSQL's protocol 3.0
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
#include "shadow/shadow_int.h"

#include "base/clock.h"
#include "base/fs.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PROTOCOL_3_0 196608
#define MESSAGE_MAX (64 * 1024)

typedef struct Channel {
    int fd;
    int64_t deadline;
} Channel;

/* Wait until the socket is readable or writable; false after the deadline. */
static bool
channel_wait(const Channel *c, short events)
{
    for (;;) {
        int64_t left = c->deadline - clock_ms();
        if (left <= 0)
            return false;
        struct pollfd p = {.fd = c->fd, .events = events};
        int n = poll(&p, 1, (int)(left > 60000 ? 60000 : left));
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
    }
}

static bool
channel_send(const Channel *c, Str bytes)
{
    while (bytes.n) {
        ssize_t n = send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n > 0)
            bytes = str_slice(bytes, (size_t)n, bytes.n);
        else if ((errno != EAGAIN && errno != EINTR) || !channel_wait(c, POLLOUT))
            return false;
    }
    return true;
}

static bool
channel_receive(const Channel *c, void *p, size_t size)
{
    for (size_t got = 0; got < size;) {
        ssize_t n = recv(c->fd, (char *)p + got, size - got, 0);
        if (n > 0)
            got += (size_t)n;
        else if (n == 0 || (errno != EAGAIN && errno != EINTR) || !channel_wait(c, POLLIN))
            return false;
    }
    return true;
}

static uint32_t
get_u32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void
add_u32(Buf *b, uint32_t v)
{
    const char bytes[4] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
    buf_add(b, (Str){bytes, 4});
}

static void
add_text(Buf *b, const char *text)
{
    buf_add(b, (Str){text, strlen(text) + 1});
}

/* One message of the server: type byte, length that counts itself, body. */
static bool
receive_message(Arena *a, const Channel *c, char *ret_type, Str *ret_body)
{
    char head[5];
    if (!channel_receive(c, head, sizeof head))
        return false;
    uint32_t size = get_u32(head + 1);
    if (size < 4 || size > MESSAGE_MAX)
        return false;
    char *body = arena_alloc(a, size);
    *ret_type = head[0];
    *ret_body = (Str){body, size - 4};
    return channel_receive(c, body, size - 4);
}

static void
copy_text(char *to, size_t size, Str from)
{
    size_t n = from.n < size ? from.n : size - 1;
    memcpy(to, from.p, n);
    to[n] = 0;
}

/* ErrorResponse: fields of one type byte and a text each. */
static void
take_error(Str body, ProbeResult *ret)
{
    for (Str rest = body; rest.p && rest.n;) {
        Str field = str_cut(&rest, '\0');
        if (field.n == 0)
            break;
        Str text = str_slice(field, 1, field.n);
        if (field.p[0] == 'C')
            copy_text(ret->sqlstate, sizeof ret->sqlstate, text);
        else if (field.p[0] == 'M')
            copy_text(ret->message, sizeof ret->message, text);
    }
    if (strncmp(ret->sqlstate, "57P", 3) == 0)
        ret->state = PROBE_STARTING;
    else if (strcmp(ret->sqlstate, "3D000") == 0)
        ret->state = PROBE_NO_DATABASE;
    else if (strcmp(ret->sqlstate, "53300") == 0)
        ret->state = PROBE_READY;
    else
        ret->state = PROBE_REFUSED;
}

/* DataRow: number of columns (2 bytes), then length and bytes of each. */
static void
take_row(Str body, ProbeResult *ret)
{
    if (body.n < 6)
        return;
    uint32_t size = get_u32(body.p + 2);
    if (size <= body.n - 6)
        copy_text(ret->value, sizeof ret->value, str_slice(body, 6, 6 + size));
}

static void
converse(Arena *a, const Channel *c, const char *sql, ProbeResult *ret)
{
    bool failed = false;
    for (;;) {
        char type;
        Str body;
        if (!receive_message(a, c, &type, &body))
            return;
        switch (type) {
        case 'R': /* authentication: 0 = done, else it wants something that we do not have */
            if (body.n >= 4 && get_u32(body.p) == 0)
                break;
            ret->state = PROBE_READY;
            return;
        case 'E':
            take_error(body, ret);
            failed = true;
            if (!ret->logged_in)
                return;
            break;
        case 'D':
            take_row(body, ret);
            break;
        case 'Z': /* ready for a query: after the login, and after the statement */
            if (!failed)
                ret->state = PROBE_READY;
            if (ret->logged_in || !sql)
                goto done;
            ret->logged_in = true;
            Buf q;
            buf_init(&q, a);
            buf_addc(&q, 'Q');
            add_u32(&q, (uint32_t)strlen(sql) + 5);
            add_text(&q, sql);
            ret->state = PROBE_SILENT;
            if (!channel_send(c, buf_str(&q)))
                return;
            break;
        default:
            break;
        }
    }
done:
    ret->logged_in = true;
    channel_send(c, (Str){"X\0\0\0\4", 5});
}

static ProbeState
channel_connect(const char *socket_dir, int port, int64_t deadline, Channel *c)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.%d", socket_dir, port);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    c->deadline = deadline;
    if (n < 0 || (size_t)n >= sizeof address.sun_path || c->fd < 0)
        return PROBE_NO_SOCKET;
    while (connect(c->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        if (errno != EAGAIN && errno != EINTR) /* EAGAIN: its queue of connections is full */
            return PROBE_NO_SOCKET;
        if (clock_ms() >= deadline)
            return PROBE_SILENT;
        clock_sleep_ms(5);
    }
    return PROBE_READY;
}

void
probe(const char *socket_dir, int port, const char *database, const char *sql, int64_t timeout_ms,
      ProbeResult *ret)
{
    ARENA_LOCAL(a);
    *ret = (ProbeResult){0};
    Channel c;
    ret->state = channel_connect(socket_dir, port, clock_ms() + timeout_ms, &c);
    FD_LOCAL fd = c.fd;
    if (ret->state != PROBE_READY)
        return;
    Buf params, hello;
    buf_init(&params, a);
    add_u32(&params, PROTOCOL_3_0);
    const char *const pairs[] = {"user",   "postgres", "database", database, "application_name",
                                 "aramid", ""};
    for (size_t i = 0; i < COUNT(pairs); i++)
        add_text(&params, pairs[i]);
    buf_init(&hello, a);
    add_u32(&hello, (uint32_t)params.n + 4);
    buf_add(&hello, buf_str(&params));
    ret->state = PROBE_SILENT;
    if (channel_send(&c, buf_str(&hello)))
        converse(a, &c, sql, ret);
    (void)fd;
}
