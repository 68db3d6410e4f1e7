/* Fuzzing of the splitter and the classifier: any bytes may be given to them, and what they return
 * keeps its promises. */
#include "sqltext/sqltext.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "broken promise, line %d: %s\n", __LINE__, #cond);                     \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Whether `gap` holds nothing but white space, comments and semicolons. */
static bool
is_blank(Str gap)
{
    size_t i = 0;
    while (i < gap.n) {
        Str rest = str_slice(gap, i, gap.n);
        if (str_starts(rest, STR("--"))) {
            while (i < gap.n && gap.p[i] != '\n' && gap.p[i] != '\r')
                i++;
        } else if (str_starts(rest, STR("/*"))) {
            size_t depth = 0;
            do {
                rest = str_slice(gap, i, gap.n);
                bool opens = str_starts(rest, STR("/*")), closes = str_starts(rest, STR("*/"));
                if (opens)
                    depth++;
                else if (closes)
                    depth--;
                i += opens || closes ? 2 : 1;
            } while (depth > 0 && i < gap.n);
            if (depth > 0)
                return false;
        } else if (gap.p[i] == ';' || gap.p[i] == ' ' || (gap.p[i] >= '\t' && gap.p[i] <= '\r')) {
            i++;
        } else {
            return false;
        }
    }
    return true;
}

static void
check_split(const SqlScript *s)
{
    size_t behind = 0, token_end = 0;
    vec_each (const SqlSpan, st, &s->stmts) {
        int line, column;
        CHECK(st->len > 0 && st->off >= behind);
        CHECK(st->off + st->len <= st->end && st->end <= s->text.n);
        CHECK(is_blank(str_slice(s->text, token_end, st->off)));
        str_line_col(s->text, st->off, &line, &column);
        CHECK(line == (int)st->line && column == (int)st->column);
        behind = st->end;
        token_end = st->off + st->len;
    }
    CHECK(is_blank(str_slice(s->text, token_end, s->text.n)));
}

static void
check_name(const SqlName *name)
{
    CHECK(name->schema && name->name);
    CHECK(strlen(name->schema) <= 63 && strlen(name->name) <= 63);
}

static void
check_classes(const SqlScript *s)
{
    bool opaque = false;
    vec_each (const SqlSpan, at, &s->stmts)
        CHECK(at->form < s->forms.n);
    vec_each (const SqlStmt, st, &s->forms) {
        CHECK(st->kind < SQL_KIND_COUNT && st->tx <= SQL_TX_HIDDEN);
        CHECK(st->tag && *st->tag && st->isolation);
        CHECK(!*st->isolation || st->tx == SQL_TX_BEGIN);
        opaque = opaque || st->opaque;
        check_name(&st->index);
        check_name(&st->table);
        check_name(&st->parent);
        vec_each (const SqlLock, lock, &st->locks) {
            check_name(&lock->rel);
            CHECK(*lock->rel.name && *sql_lock_mode_name(lock->mode));
        }
        vec_each (const SqlObject, object, &st->objects) {
            check_name(&object->name);
            CHECK(*object->name.name && object->sub && object->kind <= SQL_OBJ_OTHER);
        }
    }
    CHECK(opaque == s->has_opaque);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_LOCAL(a);
    SqlScript script;
    Err err;
    /* An exact copy, so that a read behind the end is seen. */
    char *copy = malloc(size ? size : 1);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    if (sql_split(a, "fuzz.sql", (Str){copy, size}, &script, &err)) {
        check_split(&script);
        sql_classify(a, &script);
        check_classes(&script);
    } else {
        CHECK(err.code == ERR_MIGRATION_FILE && *err.primary && err.at.line > 0);
    }
    free(copy);
    return 0;
}
