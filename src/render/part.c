/* Parts of tables as people read them, outside of statements. */
#include "base/invariant.h"
#include "render/render_int.h"

static const Diff no_diff = {0};

static Render
plain(Arena *a, const char *schema)
{
    return (Render){.arena = a, .diff = &no_diff, .schema = schema};
}

const char *
render_part(Arena *a, const CatObject *part, const char *schema)
{
    Buf b;
    Render r = plain(a, schema);
    buf_init(&b, a);
    switch (part->id.kind) {
    case CAT_INDEX:
        put_index_keys(&r, &b, (const CatIndex *)part);
        break;
    case CAT_POLICY:
        put_policy_rule(&r, &b, (const CatPolicy *)part);
        break;
    case CAT_TRIGGER: {
        const char *definition = ((const CatTrigger *)part)->definition;
        buf_addz(&b, definition ? definition : "of the partitioned table");
        break;
    }
    case CAT_RULE:
        buf_addz(&b, ((const CatRule *)part)->definition);
        break;
    default:
        INVARIANT(part->id.kind == CAT_CONSTRAINT, "a part that has a definition");
        put_constraint(&r, &b, (const CatConstraint *)part);
    }
    return str_dup(a, str_trim(buf_str(&b)));
}

const char *
render_column_default(Arena *a, const Catalog *c, const CatColumn *column, const char *schema)
{
    Buf b;
    Render r = plain(a, schema);
    buf_init(&b, a);
    if (column->identity)
        put_identity(&r, &b, c, column);
    else if (column->generated)
        buf_fmt(&b, "GENERATED ALWAYS AS (%s) %s", column->default_expr,
                column->generated == CAT_STORED ? "STORED" : "VIRTUAL");
    else
        return column->default_expr;
    return str_dup(a, str_trim(buf_str(&b)));
}

const char *
render_grant(Arena *a, const CatGrant *g)
{
    Buf b;
    buf_init(&b, a);
    for (const char *p = g->privileges; *p; p++)
        if (*p != '*' && privilege_word(*p))
            buf_fmt(&b, "%s%s%s", b.n ? ", " : "", privilege_word(*p),
                    p[1] == '*' ? " WITH GRANT OPTION" : "");
    return b.n ? str_dup(a, buf_str(&b)) : "none";
}
