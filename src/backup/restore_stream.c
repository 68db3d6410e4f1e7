#include "backup/restore_int.h"

struct RestoreStream {
    Arena *arena;
    BackupInput *in;
    DumpReader *reader;
    DumpTotals totals;
    bool ended;

    Arena *texts; /* of the events of one piece, where they do not lie in it */
    Str piece;
    VEC(DumpEvent) queue;
    size_t at;

    Buf sql; /* text that is not a whole statement yet; `used` of it was given out */
    size_t used, tried;
    bool is_head; /* before the first statement */
    const char *head;
};

static bool
take(void *arg, const DumpEvent *e, Err *err)
{
    (void)err;
    RestoreStream *s = arg;
    DumpEvent *copy = vec_add(s->arena, &s->queue);
    *copy = *e;
    Str *texts[] = {&copy->text, &copy->table, &copy->columns};
    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i]->p < s->piece.p || texts[i]->p >= s->piece.p + s->piece.n)
            *texts[i] = str_copy(s->texts, *texts[i]);
    return true;
}

bool
restore_stream_open(Arena *a, const BackupInputOptions *options, RestoreStream **ret, Err *err)
{
    RestoreStream *s = arena_new(a, RestoreStream);
    *s = (RestoreStream){.arena = a, .is_head = true, .head = ""};
    if (!backup_input_open(a, options, &s->in, err))
        return false;
    s->texts = arena_make();
    s->reader = dump_reader_make(a, take, s);
    buf_init(&s->sql, a);
    *ret = s;
    return true;
}

void
restore_stream_cleanup(RestoreStream **s)
{
    if (!*s)
        return;
    backup_input_close((*s)->in);
    arena_free((*s)->texts);
    *s = NULL;
}

BackupInput *
restore_input(RestoreStream *s)
{
    return s->in;
}

const DumpTotals *
restore_totals(const RestoreStream *s)
{
    return &s->totals;
}

Str
restore_comments(const RestoreStream *s)
{
    return str_of(s->head);
}

/* Read the next piece of the file into the queue. */
static bool
fill(RestoreStream *s, Err *err)
{
    s->queue.n = s->at = 0;
    arena_free(s->texts);
    s->texts = arena_make();
    if (!backup_input_next(s->in, &s->piece, err))
        return false;
    if (s->piece.n)
        return dump_read(s->reader, s->piece, err);
    s->ended = true;
    if (!dump_read_end(s->reader, &s->totals, err))
        return false;
    if (s->totals.whole)
        return true;
    err_set(err, ERR_BACKUP_BROKEN, "the backup ends before its end");
    err_detail(err, "the last line of a dump is missing: it was cut off, or pg_dump was stopped");
    return err_hint(err, "other backups: aramid backup list");
}

/* Give out the next whole statement of the text that was read so far. */
static bool
next_statement(RestoreStream *s, bool is_last, Str *ret)
{
    Str rest = str_slice(buf_str(&s->sql), s->used, s->sql.n);
    /* A long statement is looked at again only when it has doubled. */
    if (!rest.n || (!is_last && s->tried && rest.n < 2 * s->tried))
        return false;
    size_t off = 0, len = 0, end = 0;
    if (!sql_next_statement(rest, is_last, &off, &len, &end)) {
        s->tried = is_last ? 0 : rest.n;
        return false;
    }
    if (s->is_head)
        s->head = str_dup(s->arena, str_slice(rest, 0, off < 4096 ? off : 4096));
    s->is_head = false;
    s->tried = 0;
    s->used += end;
    *ret = str_slice(rest, off, off + len);
    return true;
}

/* What is left when no more text comes before rows, psql's lines or the end is comments. */
static void
drop_text(RestoreStream *s)
{
    buf_clear(&s->sql);
    s->used = s->tried = 0;
}

static void
add_text(RestoreStream *s, Str text)
{
    if (s->used) { /* what was given out makes room */
        memmove(s->sql.p, s->sql.p + s->used, s->sql.n - s->used);
        s->sql.n -= s->used;
        s->sql.p[s->sql.n] = 0;
        s->used = 0;
    }
    buf_add(&s->sql, text);
}

bool
restore_next(RestoreStream *s, RestoreItem *ret, Err *err)
{
    *ret = (RestoreItem){0};
    for (;;) {
        if (next_statement(s, false, &ret->text))
            return true;
        if (s->at == s->queue.n) {
            if (s->ended) {
                if (next_statement(s, true, &ret->text))
                    return true;
                ret->kind = RESTORE_END;
                return true;
            }
            if (!fill(s, err))
                return false;
            continue;
        }
        const DumpEvent *e = &s->queue.v[s->at];
        if (e->kind == DUMP_SQL) {
            s->at++;
            add_text(s, e->text);
            continue;
        }
        if (e->kind == DUMP_LARGE_OBJECT) {
            s->at++;
            continue;
        }
        if (next_statement(s, true, &ret->text))
            return true;
        drop_text(s);
        s->at++;
        ret->kind = e->kind == DUMP_META   ? RESTORE_META
                    : e->kind == DUMP_COPY ? RESTORE_COPY
                    : e->kind == DUMP_ROWS ? RESTORE_ROWS
                                           : RESTORE_COPY_END;
        ret->text = e->text;
        ret->copy = e;
        return true;
    }
}
