/* What looks renamed, and what a person has to type to say so. */
#include "flow/create_int.h"

#include "sqltext/sqltext.h"

static bool
is_said(const CreateInput *in, const CatRef *was)
{
    for (size_t i = 0; in->dropped && i < in->dropped->n; i++)
        if (cat_ref_cmp(&in->dropped->v[i], was) == 0)
            return true;
    return false;
}

/* As diff_wishes reads names. */
static void
add_part(Buf *b, const char *name)
{
    if (strpbrk(name, ".:\""))
        sql_add_ident(b, name);
    else
        buf_addz(b, name);
}

static const char *
wish(Arena *a, const CatRef *was, const char *now, const char *usual_schema)
{
    Buf b;
    buf_init(&b, a);
    if (was->schema && strcmp(was->schema, usual_schema) != 0) {
        add_part(&b, was->schema);
        buf_addc(&b, '.');
    }
    add_part(&b, was->name);
    if (was->sub) {
        buf_addc(&b, '.');
        add_part(&b, was->sub);
    }
    buf_addc(&b, ':');
    add_part(&b, now);
    return b.p;
}

void
create_guess(Arena *a, const CreateInput *in, CreateResult *r, const Diff *d)
{
    vec_each (Change *, c, &d->changes)
        vec_each (const DiffEffect, e, &(*c)->effects) {
            if (e->id != FINDING_DIFF_LOOKS_RENAMED || in->no_renames || is_said(in, &e->at))
                continue;
            CreateGuess g = {.was = e->at, .now = e->names};
            vec_each (const char *, name, &g.now)
                *vec_add(a, &g.wishes) = wish(a, &e->at, *name, r->diff->schema);
            *vec_add(a, &r->guesses) = g;
        }
}

Str
create_rls(Arena *a, const Diff *d, const char *schema)
{
    Buf b;
    buf_init(&b, a);
    vec_each (Change *, c, &d->changes) {
        if ((*c)->op != CHANGE_CREATE || (*c)->kind != CAT_TABLE)
            continue;
        const CatRef *id = &(*c)->to->id;
        const char *in = strcmp(id->schema, schema) == 0 ? NULL : id->schema;
        buf_addz(&b, "\n-- EnableRowLevelSecurity\nALTER TABLE ");
        if (in)
            sql_add_name(&b, in, id->name);
        else
            sql_add_ident(&b, id->name);
        buf_addz(&b, " ENABLE ROW LEVEL SECURITY;\n"
                     "-- Only its owner and roles with BYPASSRLS see rows of it now. For others:\n"
                     "-- CREATE POLICY \"read own rows\" ON ");
        Buf name;
        buf_init(&name, a);
        if (in)
            sql_add_name(&name, in, id->name);
        else
            sql_add_ident(&name, id->name);
        for (const char *p = name.p; *p; p++) /* a comment ends with its line */
            buf_addc(&b, *p == '\n' || *p == '\r' ? ' ' : *p);
        buf_addz(&b, " FOR SELECT USING (...);\n");
    }
    return buf_str(&b);
}
