/* The texts of migrations: read once to be hashed, kept while they are small, read again where not. */
#include "history/history.h"

#include "base/fs.h"
#include "base/hash.h"
#include "sqltext/sqltext.h"

enum { KEPT_EACH = 1024 * 1024, KEPT_ALL = 8 * KEPT_EACH };

/* What of the bytes runs; they are ours alone. */
static bool
cut(const Migration *m, Str *text, Err *err)
{
    char *p = (char *)(uintptr_t)text->p;
    if (!m->cut(m, p, &text->n, err))
        return false;
    p[text->n] = 0;
    return true;
}

/* What its directives say of other migrations. What is wrong with them is told where the file is planned. */
static void
read_others(Arena *a, Arena *scratch, const HistoryLayout *l, Migration *m, Str text)
{
    SqlScript script;
    SqlDirectiveVec list;
    Err ignored;
    if (!str_icontains(text, STR("aramid")) ||
        !sql_split(scratch, m->path, text, &script, &ignored) ||
        !sql_directives(scratch, m->path, &script, &list, &ignored))
        return;
    const SqlDirective *after = sql_directive(&list, SQL_DIRECTIVE_AFTER);
    m->is_of_change =
        sql_directive(&list, SQL_DIRECTIVE_EXPAND) || sql_directive(&list, SQL_DIRECTIVE_CONTRACT);
    m->after = after ? str_dup(a, after->value) : NULL;
    vec_each (const SqlDirective, d, &list) {
        size_t at = d->value.n; /* behind the last space */
        while (at && d->value.p[at - 1] != ' ')
            at--;
        if (d->id != SQL_DIRECTIVE_REPLACES || !at)
            continue;
        MigrationReplaced *r = vec_add(a, &m->replaces);
        r->name = str_dup(a, str_trim(str_slice(d->value, 0, at)));
        r->checksum = str_dup(a, str_slice(d->value, at, d->value.n));
        r->key = l->version ? l->version(a, r->name) : NULL;
    }
}

static bool
is_small(const History *h, const Migration *m)
{
    return m->bytes <= KEPT_EACH && h->kept_bytes + m->bytes <= KEPT_ALL;
}

/* Directives about other migrations are read with the text: one that has any is never remembered. */
static bool
has_no_words(const Migration *m, Str text)
{
    return m->has_file && !m->cut && !str_icontains(text, STR("aramid"));
}

bool
history_read_known(Arena *a, Arena *scratch, History *h, Migration *m, Err *err)
{
    Str text;
    FileState state;
    FileStates *s = m->cut ? NULL : h->options.states;
    bool there = s && filestate_of(m->source, &state);
    const char *known = there ? filestates_find(s, m->source, &state) : NULL;
    if (known) {
        m->has_file = true;
        m->bytes = (size_t)state.size;
        m->sha256 = known;
        return true;
    }
    if (!history_read_file(a, scratch, h, m, &text, err))
        return false;
    if (there && has_no_words(m, text))
        filestates_note(s, m->source, &state, m->sha256);
    return true;
}

void
history_read_pending(Arena *a, History *h)
{
    vec_each (const Entry, e, &h->entries) {
        bool runs = e->state == ENTRY_PENDING || e->state == ENTRY_RESUMABLE;
        if (!runs || !e->file || !e->file->has_file || e->file->text.p || e->file->cut ||
            e->file->pieces.n || !is_small(h, e->file))
            continue;
        Migration *m = (Migration *)(uintptr_t)e->file; /* one of h->files */
        ARENA_LOCAL(scratch);
        Str text;
        Err ignored;
        if (!fs_read(scratch, m->source, MIGRATION_MAX, &text, &ignored))
            continue;
        m->sha256 = m->checksum = hash_sha256_hex(a, text);
        m->bytes = text.n;
        m->text = str_copy(a, text);
        h->kept_bytes += m->bytes;
    }
}

bool
history_read_file(Arena *a, Arena *scratch, History *h, Migration *m, Str *ret_text, Err *err)
{
    *ret_text = (Str){0};
    m->sha256 = "";
    int64_t size = fs_size(m->source);
    m->bytes = size > 0 ? (size_t)size : 0;
    m->has_file = m->bytes > MIGRATION_MAX;
    if (m->has_file)
        return true;
    if (!fs_read_if_there(scratch, m->source, &m->has_file, ret_text, err))
        return err_at(err, m->path, 0, 0);
    m->bytes = ret_text->n;
    if (m->has_file)
        m->sha256 = hash_sha256_hex(a, *ret_text);
    else
        *ret_text = STR("");
    if (m->has_file && m->cut && !cut(m, ret_text, err))
        return false;
    read_others(a, scratch, h->layout, m, *ret_text);
    if (is_small(h, m)) {
        m->text = str_copy(a, *ret_text);
        h->kept_bytes += m->bytes;
    }
    return true;
}

static bool
is_fit(const Migration *m, Err *err)
{
    if (!m->unfit)
        return true;
    ARENA_LOCAL(scratch);
    err_set(err, ERR_MIGRATION_FILE, "Aramid cannot run \"%s\": %s", m->name, m->unfit);
    err_at(err, m->path, 0, 0);
    if (m->unfit_fix)
        return err_hint(err, "run it with its own tool, then go on: %s", m->unfit_fix);
    return err_hint(err,
                    "write it as plain SQL; where it was run already: aramid resolve --applied %s",
                    str_shell(scratch, m->name));
}

bool
migration_add_text(Buf *b, const Migration *m, Err *err)
{
    if (!is_fit(m, err))
        return false;
    if (m->text.p) {
        buf_add(b, m->text);
        return true;
    }
    if (m->bytes > MIGRATION_MAX) {
        err_set(err, ERR_MIGRATION_FILE,
                "the file of %zu bytes is longer than the longest message that PostgreSQL takes "
                "(1 GB, its MaxAllocSize)",
                m->bytes);
        err_at(err, m->path, 0, 0);
        return err_hint(err, "make several migrations of it, or load the rows by COPY");
    }
    ARENA_LOCAL(scratch);
    size_t from = b->n;
    if (!fs_append(b, m->source, MIGRATION_MAX, err))
        return err_at(err, m->path, 0, 0);
    Str text = str_slice(buf_str(b), from, b->n);
    if (strcmp(hash_sha256_hex(scratch, text), m->sha256) == 0) {
        bool ok = !m->cut || cut(m, &text, err);
        b->n = from + text.n;
        return ok;
    }
    err_set(err, ERR_MIGRATION_FILE, "the file was changed while this command ran");
    err_at(err, m->path, 0, 0);
    return err_hint(err, "run the command again: it then plans what is in the file now");
}

bool
migration_text(Arena *a, const Migration *m, Str *ret, Err *err)
{
    *ret = m->text;
    if (ret->p && !m->unfit)
        return true;
    Buf b;
    buf_init(&b, a);
    if (!migration_add_text(&b, m, err))
        return false;
    *ret = buf_str(&b);
    return true;
}

bool
migration_sent_text(Arena *a, const HistoryLayout *l, const Migration *m, Str *ret, Err *err)
{
    if (!m->pieces.n)
        return migration_text(a, m, ret, err);
    Buf b;
    buf_init(&b, a);
    vec_each (const MigrationPiece, p, &m->pieces) {
        l->add_piece(&b, p);
        buf_addc(&b, '\n');
    }
    *ret = buf_str(&b);
    return true;
}

bool
migration_gone(const Migration *m, Err *err)
{
    bool folder = str_ends(str_of(m->path), STR("/migration.sql"));
    err_set(err, ERR_MIGRATION_GONE,
            folder ? "the migration folder \"%s\" has no migration.sql"
                   : "the file of migration \"%s\" is missing",
            m->name);
    err_at(err, m->path, 0, 0);
    return err_hint(err, "restore the file from version control%s",
                    folder ? ", or delete the folder" : "");
}

/* ---- what editors and git change ------------------------------------------------------------ */

static bool
has_hash(Arena *a, Str text, const char *hash)
{
    return strcmp(hash_sha256_hex(a, text), hash) == 0;
}

bool
migration_differs_by_line_ends(const Migration *m, const char *recorded)
{
    static const char bom[] = "\xef\xbb\xbf";
    static const char *const eols[] = {"\n", "\r\n"}, *const ends[] = {"", "\n", "\r\n"};
    ARENA_LOCAL(a);
    Str raw;
    Err ignored;
    if (strlen(recorded) != 64 || !fs_read(a, m->source, MIGRATION_MAX, &raw, &ignored))
        return false;
    if (str_starts(raw, str_of(bom)))
        raw = str_slice(raw, sizeof bom - 1, raw.n);
    for (size_t eol = 0; eol < COUNT(eols); eol++) {
        Buf b;
        buf_init(&b, a);
        for (size_t i = 0; i < raw.n; i++)
            if (raw.p[i] == '\n')
                buf_addz(&b, eols[eol]);
            else if (raw.p[i] != '\r' || i + 1 == raw.n || raw.p[i + 1] != '\n')
                buf_addc(&b, raw.p[i]);
        Str body = buf_str(&b);
        if (has_hash(a, body, recorded))
            return true;
        while (body.n && (body.p[body.n - 1] == '\n' || body.p[body.n - 1] == '\r'))
            body.n--;
        for (size_t end = 0; end < COUNT(ends); end++)
            for (int with = 0; with < 2; with++)
                if (has_hash(a,
                             str_of(str_fmt(a, "%s%.*s%s", with ? bom : "", (int)body.n, body.p,
                                            ends[end])),
                             recorded))
                    return true;
    }
    return false;
}
