#include "http/http.h"

#include "base/clock.h"
#include "http/curl.h"

enum { RETRY_AFTER_MAX_MS = 60 * 1000, LOCATION_MAX = 500 };

bool
http_may_retry(int status)
{
    return !status || status == 408 || status == 425 || status == 429 ||
           (status >= 500 && status != 501);
}

const char *
http_shown(Arena *a, const char *url)
{
    Str rest = str_of(url);
    size_t scheme = 0;
    while (scheme + 3 <= rest.n && memcmp(rest.p + scheme, "://", 3) != 0)
        scheme++;
    if (scheme + 3 > rest.n)
        return "the address";
    size_t end = scheme + 3;
    while (end < rest.n && !strchr("/?#", rest.p[end]))
        end++;
    size_t host = scheme + 3;
    for (size_t i = host; i < end; i++)
        if (rest.p[i] == '@') /* user and password, of a DSN its key */
            host = i + 1;
    return str_printable(a,
                         str_of(str_fmt(a, STR_FMT "://" STR_FMT, (int)scheme, rest.p,
                                        (int)(end - host), rest.p + host)),
                         false);
}

/* What the callbacks of a request share. */
typedef struct Sending {
    Arena *arena;
    const HttpRequest *request;
    HttpAnswer *ret;
    Buf body;
    int64_t began;
    bool stopped;
} Sending;

static size_t
on_body(char *p, size_t size, size_t count, void *arg)
{
    Sending *s = arg;
    size_t n = size * count;
    size_t room = s->request->keep - s->body.n;
    buf_add(&s->body, (Str){p, n < room ? n : room});
    s->ret->is_cut |= n > room;
    /* No more than is kept is read by much: an answer without an end costs nothing. */
    return s->ret->is_cut ? 0 : n;
}

static bool
is_header(Str line, Str name, Str *ret_value)
{
    if (line.n <= name.n || line.p[name.n] != ':' || !str_ieq(str_slice(line, 0, name.n), name))
        return false;
    *ret_value = str_trim(str_slice(line, name.n + 1, line.n));
    return true;
}

static size_t
on_header(char *p, size_t size, size_t count, void *arg)
{
    Sending *s = arg;
    Str line = {p, size * count};
    Str value;
    long long seconds;
    if (str_starts(line, STR("HTTP/"))) { /* of a proxy, or "100 Continue", before */
        s->ret->location = NULL;
        s->ret->retry_after_ms = -1;
    } else if (is_header(line, STR("location"), &value)) {
        Str shown = str_cut(&value, '?');
        shown.n = shown.n < LOCATION_MAX ? shown.n : LOCATION_MAX;
        s->ret->location = str_printable(s->arena, shown, false);
    } else if (is_header(line, STR("retry-after"), &value) &&
               str_to_int(value, 0, 1000000, &seconds)) {
        s->ret->retry_after_ms =
            seconds * 1000 < RETRY_AFTER_MAX_MS ? seconds * 1000 : RETRY_AFTER_MAX_MS;
    }
    return size * count;
}

static int
on_wait(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    Sending *s = arg;
    (void)down_all, (void)down, (void)up_all, (void)up;
    const HttpRequest *r = s->request;
    if (r->tick && !r->tick(r->tick_arg, clock_ms() - s->began))
        s->stopped = true;
    return s->stopped;
}

static bool
failed(const CurlApi *api, const Sending *s, CURLcode code, const char *said, Err *err)
{
    const HttpRequest *r = s->request;
    const char *shown = http_shown(s->arena, r->url);
    if (s->stopped)
        return err_set(err, ERR_INTERRUPTED, "interrupted while waiting for %s", shown);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return err_set(err, ERR_URL, "%s is no address of HTTP", shown);
    if (code == CURLE_OPERATION_TIMEDOUT) {
        err_set(err, ERR_TIMEOUT, "%s did not answer within %s", shown,
                clock_duration(s->arena, r->timeout_ms));
        return false;
    }
    err_set(err, ERR_HTTP, "%s could not be asked", shown);
    /* The library's words may have the path, but for what is known to have none. */
    bool is_plain = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
                    code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
                    code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_GOT_NOTHING;
    return err_detail(err, "%s",
                      is_plain && said[0] ? str_printable(s->arena, str_of(said), false)
                                          : api->curl_easy_strerror(code));
}

static void
trace(const Sending *s, const char *error)
{
    const HttpRequest *r = s->request;
    if (!r->trace)
        return;
    ARENA_LOCAL(a);
    JsonWriter w;
    trace_begin(a, &w, "http");
    jw_strz(&w, "to", http_shown(a, r->url));
    jw_int(&w, "sent_bytes", (int64_t)r->body.n);
    jw_int(&w, "status", s->ret->status);
    jw_int(&w, "ms", s->ret->ms);
    jw_strz(&w, "error", error);
    trace_end(r->trace, &w);
}

/* The handle and what hangs on it. */
typedef struct Handle {
    CurlApi api;
    CURL *curl;
    struct curl_slist *headers;
} Handle;

static void
handle_free(Handle *h)
{
    if (h->headers)
        h->api.curl_slist_free_all(h->headers);
    if (h->curl)
        h->api.curl_easy_cleanup(h->curl);
}
#define HANDLE_LOCAL __attribute__((cleanup(handle_free))) Handle

static void
set_up(Handle *h, Sending *s, char *said)
{
    const HttpRequest *r = s->request;
    CURL *c = h->curl;
#define SET(option, value) (void)h->api.curl_easy_setopt(c, (option), (value))
    SET(CURLOPT_URL, r->url);
    if (h->api.curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK)
        SET(CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS); /* before 7.85 */
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)(r->timeout_ms > 0 ? r->timeout_ms : 1));
    SET(CURLOPT_ERRORBUFFER, said);
    SET(CURLOPT_USERAGENT, "aramid/" ARAMID_VERSION);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, s);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, s);
    SET(CURLOPT_XFERINFOFUNCTION, on_wait);
    SET(CURLOPT_XFERINFODATA, s);
    SET(CURLOPT_NOPROGRESS, 0L);
    if (r->roots)
        SET(CURLOPT_CAINFO, r->roots);
    if (r->body.n || (r->method && strcmp(r->method, "POST") == 0)) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
        SET(CURLOPT_POSTFIELDS, r->body.n ? r->body.p : "");
    }
    if (r->method)
        SET(CURLOPT_CUSTOMREQUEST, r->method);
    h->headers = h->api.curl_slist_append(NULL, "Expect:"); /* no round trip before a body */
    for (size_t i = 0; r->headers && r->headers[i]; i++)
        h->headers = h->api.curl_slist_append(h->headers, r->headers[i]);
    SET(CURLOPT_HTTPHEADER, h->headers);
#undef SET
}

bool
http_request(Arena *a, const HttpRequest *r, HttpAnswer *ret, Err *err)
{
    char said[CURL_ERROR_SIZE] = "";
    *ret = (HttpAnswer){.retry_after_ms = -1};
    Sending s = {.arena = a, .request = r, .ret = ret, .began = clock_ms()};
    buf_init(&s.body, a);
    HANDLE_LOCAL h = {0};
    if (!curl_load(&h.api, err))
        return false;
    h.curl = h.api.curl_global_init(CURL_GLOBAL_DEFAULT) == 0 ? h.api.curl_easy_init() : NULL;
    if (!h.curl)
        return err_set(err, ERR_CONFIG, "libcurl cannot be used");
    set_up(&h, &s, said);
    CURLcode code = h.api.curl_easy_perform(h.curl);
    long status = 0;
    (void)h.api.curl_easy_getinfo(h.curl, CURLINFO_RESPONSE_CODE, &status);
    ret->ms = clock_ms() - s.began;
    ret->body = buf_str(&s.body);
    bool has_enough = code == CURLE_WRITE_ERROR && ret->is_cut;
    if (code == CURLE_OK || has_enough) {
        ret->status = (int)status;
        trace(&s, NULL);
        return true;
    }
    (void)failed(&h.api, &s, code, said, err);
    trace(&s, err->primary);
    return false;
}
