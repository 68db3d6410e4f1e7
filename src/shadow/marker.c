/* aramid-cluster.json: the proof that a cluster is ours, and what we want to know again. */
#include "shadow/shadow_int.h"

#include "base/fs.h"
#include "base/jw.h"

bool
marker_save(const ClusterHome *home, Err *err)
{
    ARENA_LOCAL(a);
    JsonWriter w;
    jw_init(&w, a, true);
    jw_object(&w, NULL);
    jw_strz(&w, "project", home->project);
    jw_int(&w, "major", home->major);
    jw_strz(&w, "version", home->version);
    jw_strz(&w, "created_at", home->created_at);
    jw_strz(&w, "aramid", ARAMID_VERSION);
    jw_strz(&w, "database", home->database);
    jw_strz(&w, "socket_dir", home->socket_dir);
    jw_end(&w);
    buf_addc(&w.out, '\n');
    /* Readable: root may write it for a user, and the folder is open to that user only. */
    if (fs_write(home->marker_path, buf_str(&w.out), 0644, err))
        return true;
    err->code = ERR_EMBEDDED;
    return false;
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The text behind an opening quote up to the closing one, with the escapes that JsonWriter makes.
 */
static const char *
unescape(Arena *a, Str s)
{
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            return b.p;
        if (s.p[i] != '\\') {
            buf_addc(&b, s.p[i]);
            continue;
        }
        if (++i >= s.n)
            break;
        if (s.p[i] == 'u' && i + 4 < s.n) {
            int high = hex_digit(s.p[i + 3]), low = hex_digit(s.p[i + 4]);
            if (high < 0 || low < 0)
                return NULL;
            buf_addc(&b, (char)(high * 16 + low));
            i += 4;
        } else {
            buf_addc(&b, s.p[i] == 'n'   ? '\n'
                         : s.p[i] == 't' ? '\t'
                         : s.p[i] == 'r' ? '\r'
                                         : s.p[i]);
        }
    }
    return NULL;
}

const char *
marker_value(Arena *a, Str text, const char *key)
{
    Str start = str_of(str_fmt(a, "  \"%s\": \"", key));
    for (Str rest = text; rest.p;) {
        Str line = str_cut(&rest, '\n');
        if (str_starts(line, start))
            return unescape(a, str_slice(line, start.n, line.n));
    }
    return NULL;
}
