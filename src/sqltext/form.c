/* Forms: what statements are, without where they stand. */
#include "sqltext/sqltext_int.h"

static void
add_text(Buf *key, const char *text)
{
    buf_add(key, (Str){text, strlen(text) + 1});
}

static void
add_name(Buf *key, const SqlName *name)
{
    add_text(key, name->schema);
    add_text(key, name->name);
}

/* All members but the place: statements with the same bytes are of one form. */
static void
add_form(Buf *key, const SqlStmt *s)
{
    const int numbers[] = {s->opaque,          (int)s->kind,    (int)s->tx,       s->is_chain,
                           s->is_concurrent,   s->is_dml,       s->if_exists,     s->is_unique,
                           s->changes_session, (int)s->locks.n, (int)s->objects.n};
    buf_add(key, (Str){(const char *)numbers, sizeof numbers});
    add_text(key, s->isolation);
    add_text(key, s->tag);
    add_name(key, &s->index);
    add_name(key, &s->table);
    add_name(key, &s->parent);
    vec_each (const SqlLock, l, &s->locks) {
        buf_addc(key, (char)('0' + l->mode * 2 + l->kind_table));
        add_name(key, &l->rel);
    }
    vec_each (const SqlObject, o, &s->objects) {
        buf_addc(key, (char)('0' + o->kind));
        buf_addc(key, (char)('0' + o->effect * 2 + o->if_exists));
        add_name(key, &o->name);
        add_text(key, o->sub);
    }
}

static SqlName
name_copy(Arena *a, const SqlName *name)
{
    return (SqlName){str_dupz(a, name->schema), str_dupz(a, name->name)};
}

static SqlStmt
form_copy(Arena *a, const SqlStmt *s)
{
    SqlStmt copy = *s;
    copy.isolation = str_dupz(a, s->isolation);
    copy.tag = str_dupz(a, s->tag);
    copy.index = name_copy(a, &s->index);
    copy.table = name_copy(a, &s->table);
    copy.parent = name_copy(a, &s->parent);
    copy.locks.v = NULL;
    copy.objects.v = NULL;
    copy.locks.n = copy.locks.cap = copy.objects.n = copy.objects.cap = 0;
    vec_each (const SqlLock, l, &s->locks)
        *vec_add(a, &copy.locks) = (SqlLock){name_copy(a, &l->rel), l->mode, l->kind_table};
    vec_each (const SqlObject, o, &s->objects)
        *vec_add(a, &copy.objects) = (SqlObject){.effect = o->effect,
                                                 .kind = o->kind,
                                                 .name = name_copy(a, &o->name),
                                                 .sub = str_dupz(a, o->sub),
                                                 .if_exists = o->if_exists};
    return copy;
}

uint32_t
sql_form_of(SqlForms *f, Arena *scratch, const SqlStmt *stmt)
{
    Buf key;
    buf_init(&key, scratch);
    add_form(&key, stmt);
    uintptr_t number = (uintptr_t)map_get(&f->known, buf_str(&key));
    if (!number) {
        *vec_add(f->arena, &f->script->forms) = form_copy(f->arena, stmt);
        number = f->script->forms.n;
        map_put(&f->known, str_copy(f->known.arena, buf_str(&key)), (void *)number);
    }
    return (uint32_t)(number - 1);
}
