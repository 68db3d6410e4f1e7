/* Rows of what lies outside and stands on what is read (dependents.c). */
#include "introspect/introspect_int.h"

/* As pg_identify_object calls it, and as people do. In remedies: %1 the relation or domain, %2 the name without
 * it, %3 all, %4 the table that it inherits from. */
static const struct Words {
    const char *type, *what, *remedy;
} words[] = {
    {"table", "table", "ALTER TABLE %3 NO INHERIT %4"},
    {"partition", "partition", "ALTER TABLE %4 DETACH PARTITION %3"},
    {"foreign table", "foreign table", "ALTER FOREIGN TABLE %3 NO INHERIT %4"},
    {"typed table", "table", "ALTER TABLE %3 NOT OF"},
    {"default value", "default of the column", "ALTER TABLE %1 ALTER COLUMN %2 DROP DEFAULT"},
    {"generated column", "generated column", "ALTER TABLE %1 DROP COLUMN %2"},
    {"foreign key", "foreign key", "ALTER TABLE %1 DROP CONSTRAINT %2"},
    {"table constraint", "constraint", "ALTER TABLE %1 DROP CONSTRAINT %2"},
    {"domain constraint", "constraint", "ALTER DOMAIN %1 DROP CONSTRAINT %2"},
    {"trigger", "trigger", "DROP TRIGGER %2 ON %1"},
    {"rule", "rule", "DROP RULE %2 ON %1"},
    {"policy", "policy", "DROP POLICY %2 ON %1"},
    {"statistics object", "statistics object", "DROP STATISTICS %3"},
    {"table column", "column", NULL},
    {"foreign table column", "column", NULL},
    {"composite type", "composite type", "DROP TYPE %3"},
    {"operator of access method", "operator family's", NULL},
    {"function of access method", "operator family's", NULL},
};

typedef struct Found {
    const char *type, *name, *of, *part, *parent;
} Found;

static const char *
remedy(Reading *r, const Found *f, const char *form)
{
    Buf b;
    buf_init(&b, r->arena);
    for (const char *p = form; *p; p++) {
        const char *const args[] = {f->of, f->part, f->name, f->parent};
        if (*p != '%') {
            buf_addc(&b, *p);
            continue;
        }
        const char *arg = args[*++p - '1'];
        if (!arg)
            return NULL;
        buf_addz(&b, arg);
    }
    return b.p;
}

static const char *
remedy_of(Reading *r, const Found *f, const char **ret_what)
{
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(words[i].type, f->type) == 0) {
            *ret_what = words[i].what;
            return words[i].remedy ? remedy(r, f, words[i].remedy) : NULL;
        }
    Buf b;
    buf_init(&b, r->arena);
    buf_addz(&b, "DROP ");
    for (const char *p = f->type; *p; p++)
        buf_addc(&b, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
    buf_fmt(&b, " %s", f->name);
    *ret_what = f->type;
    return b.p;
}

static CatHold
hold_of(unsigned class, int column, unsigned on_class, bool is_key)
{
    switch (class) {
    case CLASS_REWRITE:
        return CAT_HOLDS_QUERY;
    case CLASS_POLICY:
    case CLASS_TRIGGER:
    case CLASS_PROC:
        return CAT_HOLDS_CODE;
    case CLASS_CONSTRAINT:
        return is_key ? CAT_HOLDS_KEY : CAT_HOLDS;
    case CLASS_CLASS:
        return on_class != CLASS_TYPE ? CAT_HOLDS : column ? CAT_HOLDS_ROWS : CAT_HOLDS_TYPED;
    default:
        return CAT_HOLDS;
    }
}

/* What it stands on, where that was read. */
static bool
find_on(const Reading *r, unsigned class, unsigned id, int column, CatRef *ret)
{
    const CatObject *o = intro_recall(r, class, id);
    if (!o)
        return false;
    const Rel *rel = column ? intro_by_oid(&r->rels, id) : NULL;
    *ret = rel && rel_column(rel, column) ? rel->columns.v[column - 1].column->id : o->id;
    return true;
}

void
intro_row_dependent(Reading *r, const Str *c)
{
    enum {
        TYPE,
        NAME,
        SCHEMA,
        EXTENSION,
        OF,
        CONTYPE,
        COLUMN,
        IS_GENERATED,
        IS_PARTITION,
        HAS_NO_ROWS,
        IS_INSIDE,
        CLASS,
        SUB,
        ON_CLASS,
        ON_ID,
        ON_SUB,
        ON_EXTENSION
    };
    CatRef on = {CAT_EXTENSION, NULL, cell_name(r, c[ON_EXTENSION]), NULL};
    unsigned class = cell_oid(c[CLASS]), on_class = cell_oid(c[ON_CLASS]);
    if (!c[TYPE].n ||
        (!on.name && !find_on(r, on_class, cell_oid(c[ON_ID]), cell_int(c[ON_SUB]), &on)))
        return;
    bool is_key = cell_letter(c[CONTYPE]) == 'f';
    CatHold hold = hold_of(class, cell_int(c[SUB]), on_class, is_key);
    if (hold == CAT_HOLDS_ROWS)
        hold = cell_yes(c[HAS_NO_ROWS]) ? CAT_HOLDS
               : cell_yes(c[IS_INSIDE]) ? CAT_HOLDS_LISTS
                                        : hold;
    Found f = {cell_name(r, c[TYPE]), cell_text(r, c[NAME]), cell_name(r, c[OF]),
               cell_name(r, c[COLUMN]), NULL};
    if (class == CLASS_ATTRDEF) {
        f.type = cell_yes(c[IS_GENERATED]) ? "generated column" : f.type;
        f.name = str_fmt(r->arena, "%s.%s", f.of, f.part);
    } else if (f.of && class != CLASS_CLASS) { /* "k on app.t" */
        size_t tail = strlen(" on ") + strlen(f.of);
        if (strlen(f.name) > tail)
            f.part = str_dup(r->arena, (Str){f.name, strlen(f.name) - tail});
    } else if (class == CLASS_CLASS && strcmp(f.type, "table column") == 0 &&
               cell_yes(c[IS_GENERATED]))
        f.type = "generated column";
    else if (strcmp(f.type, "table") == 0)
        f.type = hold == CAT_HOLDS_TYPED     ? "typed table"
                 : cell_yes(c[IS_PARTITION]) ? "partition"
                                             : f.type;
    if (is_key)
        f.type = "foreign key";
    if (on.name && on.schema) {
        Buf b;
        buf_init(&b, r->arena);
        cat_add_ident(&b, on.schema);
        buf_addc(&b, '.');
        cat_add_ident(&b, on.name);
        f.parent = b.p;
    }
    const char *what = NULL, *way = remedy_of(r, &f, &what);
    Str key = str_of(str_fmt(r->scratch, "%s\n%s", what, f.name));
    CatDependent *user = map_get(&r->dependents, key);
    if (!user) {
        user = arena_new(r->scratch, CatDependent);
        *user = (CatDependent){.what = what,
                               .name = f.name,
                               .schema = cell_name(r, c[SCHEMA]),
                               .extension = cell_name(r, c[EXTENSION]),
                               .remedy = way};
        map_put(&r->dependents, key, user);
    }
    user->hold = hold > user->hold ? hold : user->hold;
    *vec_add(r->arena, &user->on) = on;
}

void
intro_take_dependents(Reading *r)
{
    for (size_t i = 0; i < r->dependents.n; i++)
        *vec_add(r->arena, &r->catalog->dependents) =
            *(const CatDependent *)r->dependents.entries[i].value;
}
