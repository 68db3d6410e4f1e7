#include "backup/dump_read.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    LOOK = 64,                  /* bytes of a line that tell what it is */
    COPY_MAX = 2 * 1024 * 1024, /* 1600 columns with the longest names are below that */
    META_MAX = 64 * 1024,
    TAG_MAX = 256, /* of a dollar quote; identifiers hold 63 bytes */
};

typedef enum Mode {
    IN_SQL,
    IN_LINE_COMMENT,
    IN_BLOCK_COMMENT,
    IN_QUOTE,
    IN_QUOTE_END, /* behind a quote that may be doubled */
    IN_NAME,      /* "..." */
    IN_TAG,       /* of a dollar quote that begins */
    IN_DOLLAR,
    IN_META,
    IN_COPY_END, /* behind the COPY statement, before its line end */
    IN_ROWS,
} Mode;

struct DumpReader {
    DumpSink sink;
    void *arg;
    DumpTotals totals;
    Mode mode;

    char held[2 * LOOK]; /* bytes that are too few to decide */
    size_t held_n;

    /* SQL */
    bool line_start; /* IN_SQL at the beginning of a line */
    bool in_statement;
    bool marked;  /* the end mark was seen */
    bool escapes; /* E'...' */
    bool escaped;
    char last;   /* byte before, within this line */
    size_t word; /* length of the identifier before */
    int depth;   /* of block comments */
    char tag[TAG_MAX];
    size_t tag_n, match;

    Buf copy; /* the COPY statement while it is read, and while its rows are */
    bool collects;
    Str table, columns;
    Buf meta;

    /* rows */
    bool row_open; /* a row was cut: its hash is in `row` */
    XXH3_state_t *row;
    int64_t rows, bytes;
    DumpSum sum;

    /* large objects */
    int64_t object; /* oid, -1 = none */
    int64_t object_bytes;
    int object_skip;  /* bytes of the literal's "\x" that are still to come */
    bool object_data; /* the next literal is its data */
    XXH3_state_t *object_hash;
};

static XXH3_state_t *
hash_make(Arena *a)
{
    /* The state wants more alignment than an arena gives. */
    uintptr_t p = (uintptr_t)arena_alloc(a, sizeof(XXH3_state_t) + 64);
    XXH3_state_t *h = (XXH3_state_t *)((p + 63) & ~(uintptr_t)63); // NOLINT
    XXH3_INITSTATE(h);
    return h;
}

DumpReader *
dump_reader_make(Arena *a, DumpSink sink, void *arg)
{
    DumpReader *r = arena_new(a, DumpReader);
    r->sink = sink;
    r->arg = arg;
    r->line_start = true;
    r->object = -1;
    r->row = hash_make(a);
    r->object_hash = hash_make(a);
    buf_init(&r->copy, a);
    buf_init(&r->meta, a);
    return r;
}

const DumpTotals *
dump_read_totals(const DumpReader *r)
{
    return &r->totals;
}

static void
add_sum(DumpSum *sum, XXH128_hash_t h)
{
    dump_sum_add(sum, (DumpSum){h.low64, h.high64});
}

static bool
emit(DumpReader *r, DumpEvent e, Err *err)
{
    return !r->sink || r->sink(r->arg, &e, err);
}

static bool
emit_sql(DumpReader *r, Str text, Err *err)
{
    if (!text.n)
        return true;
    if (r->collects) {
        buf_add(&r->copy, text);
        if (r->copy.n <= COPY_MAX)
            return true;
        r->collects = false; /* no COPY of a dump */
        text = buf_str(&r->copy);
    }
    return emit(r, (DumpEvent){.kind = DUMP_SQL, .text = text}, err);
}

/* ---- large objects -------------------------------------------------------------------------- */

static void
object_begin(DumpReader *r, Str line)
{
    r->object = 0;
    for (size_t i = 0; i < line.n && line.p[i] >= '0' && line.p[i] <= '9'; i++)
        r->object = (r->object * 10 + (line.p[i] - '0')) & UINT32_MAX;
    r->object_bytes = 0;
    XXH3_128bits_reset_withSeed(r->object_hash, (uint64_t)r->object);
}

static void
object_add(DumpReader *r, Str hex)
{
    while (r->object_skip && hex.n) {
        hex = str_slice(hex, 1, hex.n);
        r->object_skip--;
    }
    XXH3_128bits_update(r->object_hash, hex.p, hex.n);
    r->object_bytes += (int64_t)hex.n;
}

static bool
object_end(DumpReader *r, Err *err)
{
    if (r->object < 0)
        return true;
    add_sum(&r->totals.large_sum, XXH3_128bits_digest(r->object_hash));
    r->totals.large_objects++;
    DumpEvent e = {.kind = DUMP_LARGE_OBJECT, .oid = r->object, .bytes = r->object_bytes / 2};
    r->object = -1;
    return emit(r, e, err);
}

/* ---- SQL ------------------------------------------------------------------------------------ */

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & 0x80);
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* Cut "COPY table (columns) FROM stdin;" in two. */
static bool
split_copy(DumpReader *r)
{
    static const Str head = {"COPY ", 5}, tail = {" FROM stdin;", 12};
    Str s = buf_str(&r->copy);
    if (!str_ends(s, tail) || s.n <= head.n + tail.n)
        return false;
    s = str_slice(s, head.n, s.n - tail.n);
    size_t n = 0;
    for (bool quoted = false; n < s.n && (quoted || s.p[n] != ' '); n++)
        quoted ^= s.p[n] == '"';
    r->table = str_slice(s, 0, n);
    Str rest = str_trim(str_slice(s, n, s.n));
    bool has_columns = rest.n >= 2 && rest.p[0] == '(' && rest.p[rest.n - 1] == ')';
    r->columns = has_columns ? str_slice(rest, 1, rest.n - 1) : STR("");
    return n > 0 && (has_columns || rest.n == 0);
}

static bool
end_statement(DumpReader *r, Err *err)
{
    r->in_statement = false;
    if (r->marked)
        r->marked = false; /* a statement behind the end mark */
    if (!r->collects)
        return true;
    r->collects = false;
    if (!split_copy(r))
        return emit(r, (DumpEvent){.kind = DUMP_SQL, .text = buf_str(&r->copy)}, err);
    r->mode = IN_COPY_END;
    r->rows = r->bytes = 0;
    r->sum = (DumpSum){0};
    r->row_open = false;
    r->totals.tables++;
    return emit(
        r,
        (DumpEvent){
            .kind = DUMP_COPY, .text = buf_str(&r->copy), .table = r->table, .columns = r->columns},
        err);
}

/* What a line is whose beginning is `line`. */
static bool
begin_line(DumpReader *r, Str line, Err *err)
{
    static const Str mark = {"-- PostgreSQL database dump complete\n", 37},
                     open = {"SELECT pg_catalog.lo_open('", 27},
                     data = {"SELECT pg_catalog.lowrite(0, '", 30},
                     close = {"SELECT pg_catalog.lo_close(", 27};
    r->line_start = false;
    r->last = '\n';
    r->word = 0;
    if (line.p[0] == '\\') {
        buf_clear(&r->meta);
        r->mode = IN_META;
    } else if (str_starts(line, mark)) {
        r->marked = true;
    } else if (r->in_statement) {
        return true;
    } else if (str_starts(line, STR("COPY "))) {
        buf_clear(&r->copy);
        r->collects = true;
    } else if (str_starts(line, open)) {
        object_begin(r, str_slice(line, open.n, line.n));
    } else if (str_starts(line, data) && r->object >= 0) {
        r->object_data = true;
        r->object_skip = 2;
    } else if (str_starts(line, close)) {
        return object_end(r, err);
    }
    return true;
}

/* One byte of SQL outside of quotes and comments. */
static void
sql_byte(DumpReader *r, char c)
{
    bool is_word_c = is_word(c), after_word = r->word > 0;
    if (c == '\'') {
        r->mode = IN_QUOTE;
        r->escapes = r->word == 1 && (r->last == 'E' || r->last == 'e');
        r->escaped = false;
    } else if (c == '"') {
        r->mode = IN_NAME;
    } else if (c == '$' && !after_word) {
        r->mode = IN_TAG;
        r->tag_n = 0;
    } else if (c == '-' && r->last == '-') {
        r->mode = IN_LINE_COMMENT;
    } else if (c == '*' && r->last == '/') {
        r->mode = IN_BLOCK_COMMENT;
        r->depth = 1;
        c = 0; /* "/" right behind it ends nothing */
    } else if (c == '\n') {
        r->line_start = true;
    }
    if (r->mode != IN_LINE_COMMENT && r->mode != IN_BLOCK_COMMENT && !is_space(c) && c != '-' &&
        c != '/') /* which may begin a comment */
        r->in_statement = true;
    r->word = is_word_c || (c == '$' && after_word) ? r->word + 1 : 0;
    r->last = c;
}

static void
comment_byte(DumpReader *r, char c)
{
    if (c == '/' && r->last == '*') {
        r->depth--;
        c = 0;
    } else if (c == '*' && r->last == '/') {
        r->depth++;
        c = 0;
    }
    r->last = c;
    if (r->depth == 0)
        r->mode = IN_SQL;
}

/* Whether the byte belongs to the tag; else it is read again as SQL, or begins the text. */
static bool
tag_byte(DumpReader *r, char c)
{
    if (c == '$') {
        r->mode = IN_DOLLAR;
        r->match = 0;
        return true;
    }
    bool digit = c >= '0' && c <= '9';
    if (!is_word(c) || (digit && r->tag_n == 0) || r->tag_n == TAG_MAX) {
        r->mode = IN_SQL; /* a parameter, or part of an operator */
        r->last = '$';
        r->word = 0;
        return false;
    }
    r->tag[r->tag_n++] = c;
    return true;
}

/* Bytes of a dollar-quoted text: the end is "$tag$". `match` counts what of it was seen. */
static void
dollar_byte(DumpReader *r, char c)
{
    if (r->match > 0 && r->match <= r->tag_n && c == r->tag[r->match - 1])
        r->match++;
    else if (c != '$')
        r->match = 0;
    else if (r->match != r->tag_n + 1)
        r->match = 1;
    else {
        r->mode = IN_SQL;
        r->last = '$';
        r->word = 0;
    }
}

/* How many bytes up to the next one that means something in this mode. */
static size_t
dull(const DumpReader *r, Str s)
{
    int stop = r->mode == IN_LINE_COMMENT              ? '\n'
               : r->mode == IN_NAME                    ? '"'
               : r->mode == IN_QUOTE && !r->escapes    ? '\''
               : r->mode == IN_DOLLAR && r->match == 0 ? '$'
                                                       : -1;
    if (stop < 0)
        return 0;
    const char *at = memchr(s.p, stop, s.n);
    return at ? (size_t)(at - s.p) : s.n;
}

static void
quote_byte(DumpReader *r, char c)
{
    if (r->escaped)
        r->escaped = false;
    else if (c == '\\' && r->escapes)
        r->escaped = true;
    else if (c == '\'')
        r->mode = IN_QUOTE_END;
}

/* Step over one byte in a mode of SQL; false when it has to be read again in another mode. */
static bool
step(DumpReader *r, char c)
{
    switch (r->mode) {
    case IN_LINE_COMMENT:
        r->mode = IN_SQL;
        r->line_start = true;
        r->last = c;
        r->word = 0;
        return true;
    case IN_BLOCK_COMMENT:
        comment_byte(r, c);
        return true;
    case IN_QUOTE:
        quote_byte(r, c);
        return true;
    case IN_QUOTE_END:
        r->mode = c == '\'' ? IN_QUOTE : IN_SQL;
        if (r->mode == IN_SQL) {
            r->object_data = false;
            r->last = '\'';
            r->word = 0;
        }
        return c == '\'';
    case IN_NAME:
        r->mode = IN_SQL; /* a doubled one begins again */
        r->last = c;
        r->word = 0;
        return true;
    case IN_TAG:
        return tag_byte(r, c);
    case IN_DOLLAR:
        dollar_byte(r, c);
        return true;
    default:
        sql_byte(r, c);
        return true;
    }
}

/* Read SQL until rows or a line of psql's begin; returns how much of `s` was taken. Without
 * at_end it stops where a line begins that is too short to tell. */
static size_t
read_sql(DumpReader *r, Str s, bool at_end, bool *ok, Err *err)
{
    size_t from = 0, i = 0;
    while (i < s.n) {
        if (r->mode == IN_SQL && r->line_start) {
            Str line = str_slice(s, i, s.n - i > LOOK ? i + LOOK : s.n);
            if (!at_end && line.n < LOOK && !memchr(line.p, '\n', line.n))
                break;
            if (line.p[0] == '\\' || line.p[0] == 'C') { /* what is no SQL may begin here */
                if (!(*ok = emit_sql(r, str_slice(s, from, i), err)))
                    return 0;
                from = i;
            }
            if (!(*ok = begin_line(r, line, err)))
                return 0;
            if (r->mode == IN_META)
                return i;
        }
        size_t n = dull(r, str_slice(s, i, s.n));
        if (n && r->object_data && r->mode == IN_QUOTE)
            object_add(r, str_slice(s, i, i + n));
        i += n;
        if (i == s.n || !step(r, s.p[i]))
            continue;
        if (s.p[i++] != ';' || r->mode != IN_SQL || r->last != ';')
            continue;
        if (!(*ok = emit_sql(r, str_slice(s, from, i), err) && end_statement(r, err)))
            return 0;
        from = i;
        if (r->mode == IN_COPY_END)
            return i;
    }
    *ok = emit_sql(r, str_slice(s, from, i), err);
    return i;
}

static size_t
read_meta(DumpReader *r, Str s, bool at_end, bool *ok, Err *err)
{
    const char *end = memchr(s.p, '\n', s.n);
    size_t n = end ? (size_t)(end - s.p) : s.n;
    buf_add(&r->meta, str_slice(s, 0, n));
    *ok = r->meta.n <= META_MAX;
    if (!*ok)
        return err_set(err, ERR_BACKUP_BROKEN, "the dump has a line of psql's that does not end");
    if (!end && !at_end)
        return n;
    r->mode = IN_SQL;
    r->line_start = true;
    *ok = emit(r, (DumpEvent){.kind = DUMP_META, .text = buf_str(&r->meta)}, err);
    return end ? n + 1 : n;
}

/* ---- rows ----------------------------------------------------------------------------------- */

static bool
end_rows(DumpReader *r, Err *err)
{
    r->mode = IN_SQL;
    r->line_start = true;
    r->totals.rows += r->rows;
    return emit(r,
                (DumpEvent){.kind = DUMP_COPY_END,
                            .table = r->table,
                            .columns = r->columns,
                            .rows = r->rows,
                            .bytes = r->bytes,
                            .sum = r->sum},
                err);
}

static size_t
read_rows(DumpReader *r, Str s, bool at_end, bool *ok, Err *err)
{
    size_t i = 0;
    bool ended = false, waits = false;
    while (i < s.n) {
        const char *at = s.p + i, *nl = memchr(at, '\n', s.n - i);
        size_t n = nl ? (size_t)(nl - at) : s.n - i;
        if (!r->row_open && at[0] == '\\' && n <= 2 && (n < 2 || at[1] == '.')) {
            ended = nl && n == 2;
            waits = !nl && !at_end;
            if (ended || waits)
                break;
        }
        if (!r->row_open && nl) {
            add_sum(&r->sum, XXH3_128bits(at, n));
        } else {
            if (!r->row_open)
                XXH3_128bits_reset(r->row);
            XXH3_128bits_update(r->row, at, n);
            r->row_open = !nl;
            if (nl)
                add_sum(&r->sum, XXH3_128bits_digest(r->row));
        }
        r->rows += nl != NULL;
        i += n + (nl != NULL);
    }
    r->bytes += (int64_t)i;
    *ok = !i || emit(r, (DumpEvent){.kind = DUMP_ROWS, .text = {s.p, i}, .table = r->table}, err);
    if (*ok && ended) {
        *ok = end_rows(r, err);
        i += 3;
    }
    return i;
}

/* ---- the stream ----------------------------------------------------------------------------- */

/* Take what can be decided of `s`; returns how much. */
static size_t
take(DumpReader *r, Str s, bool at_end, bool *ok, Err *err)
{
    size_t done = 0;
    *ok = true;
    while (*ok && done < s.n) {
        Str rest = str_slice(s, done, s.n);
        size_t n;
        if (r->mode == IN_ROWS)
            n = read_rows(r, rest, at_end, ok, err);
        else if (r->mode == IN_META)
            n = read_meta(r, rest, at_end, ok, err);
        else if (r->mode == IN_COPY_END) {
            const char *nl = memchr(rest.p, '\n', rest.n);
            n = nl ? (size_t)(nl - rest.p) + 1 : rest.n;
            r->mode = nl ? IN_ROWS : IN_COPY_END;
        } else
            n = read_sql(r, rest, at_end, ok, err);
        if (n == 0 && r->mode != IN_META)
            break;
        done += n;
    }
    return done;
}

bool
dump_read(DumpReader *r, Str bytes, Err *err)
{
    bool ok = true;
    r->totals.bytes += (int64_t)bytes.n;
    while (r->held_n && bytes.n) {
        /* What was held back and some of the new: until all that is left is of the new. */
        size_t old = r->held_n, room = sizeof r->held - old, more = bytes.n < room ? bytes.n : room;
        memcpy(r->held + old, bytes.p, more);
        size_t n = take(r, (Str){r->held, old + more}, false, &ok, err);
        if (!ok)
            return false;
        if (n >= old) {
            r->held_n = 0;
            bytes = str_slice(bytes, n - old, bytes.n);
        } else {
            r->held_n = old + more - n;
            memmove(r->held, r->held + n, r->held_n);
            bytes = str_slice(bytes, more, bytes.n);
        }
    }
    size_t n = bytes.n ? take(r, bytes, false, &ok, err) : 0;
    if (!ok)
        return false;
    if (n < bytes.n) { /* less than LOOK bytes are ever left */
        r->held_n = bytes.n - n;
        memcpy(r->held, bytes.p + n, r->held_n);
    }
    return true;
}

bool
dump_read_end(DumpReader *r, DumpTotals *ret, Err *err)
{
    bool ok = true;
    take(r, (Str){r->held, r->held_n}, true, &ok, err);
    r->held_n = 0;
    if (ok && r->collects) {
        r->collects = false;
        ok = emit(r, (DumpEvent){.kind = DUMP_SQL, .text = buf_str(&r->copy)}, err);
    }
    r->totals.whole = r->marked && !r->in_statement && r->object < 0 &&
                      (r->mode == IN_SQL || r->mode == IN_LINE_COMMENT);
    *ret = r->totals;
    return ok;
}
