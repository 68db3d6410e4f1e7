/* What statements take away, for who can ask a database what stands on it there. Names are followed through the
 * scripts: as the database has them before the release. */
#include "lint/lint_int.h"

#include <string.h>

/* A name that comes with the release. */
static const StandName is_new = {STAND_OTHER, "", "", ""};

static StandKind
kind_of(SqlObjectKind object)
{
    switch (object) {
    case SQL_OBJ_TABLE:
    case SQL_OBJ_VIEW:
    case SQL_OBJ_INDEX:
    case SQL_OBJ_SEQUENCE:
    case SQL_OBJ_TYPE:
        return STAND_RELATION;
    case SQL_OBJ_COLUMN:
        return STAND_COLUMN;
    case SQL_OBJ_CONSTRAINT:
    case SQL_OBJ_TRIGGER:
    case SQL_OBJ_POLICY:
        return STAND_PART;
    case SQL_OBJ_FUNCTION:
        return STAND_FUNCTION;
    case SQL_OBJ_SCHEMA:
        return STAND_SCHEMA;
    case SQL_OBJ_EXTENSION:
        return STAND_EXTENSION;
    default:
        return STAND_OTHER;
    }
}

static bool
is_part(const StandName *n)
{
    return n->kind == STAND_COLUMN || n->kind == STAND_PART;
}

static StandName
whole_of(const StandName *part)
{
    return (StandName){STAND_RELATION, part->schema, part->name, ""};
}

static StandName
name_of(const Lint *l, StandKind kind, SqlName on, const char *sub)
{
    bool is_alone = kind == STAND_SCHEMA || kind == STAND_EXTENSION;
    StandName n = {kind, is_alone ? "" : *on.schema ? on.schema : l->schema.usual, on.name, ""};
    if (is_part(&n))
        n.sub = sub;
    return n;
}

static Str
key_of(Arena *a, const StandName *n)
{
    return str_of(str_fmt(a, "%c%s\1%s\1%s", n->kind, n->schema, n->name, n->sub));
}

/* What the database calls it; false: it has nothing of that name that is meant. */
static bool
live(const Lint *l, const StandName *now, StandName *ret)
{
    ARENA_LOCAL(scratch);
    const StandName *own = map_get(&l->was, key_of(scratch, now)), *whole = NULL;
    *ret = own ? *own : *now;
    if (is_part(now)) {
        const StandName of = whole_of(now);
        whole = map_get(&l->was, key_of(scratch, &of));
    }
    if (whole) {
        ret->schema = whole->schema;
        ret->name = whole->name;
    }
    return ret->kind != STAND_OTHER && (!whole || whole->kind != STAND_OTHER);
}

static void
becomes(Lint *l, const StandName *now, const StandName *was)
{
    StandName *copy = arena_new(l->arena, StandName);
    *copy = *was;
    map_put(&l->was, key_of(l->arena, now), copy);
}

/* From this statement on it does not stand where it stood. */
static void
let_go(Lint *l, const StandName *now)
{
    StandName was;
    if (!live(l, now, &was))
        return;
    Str key = key_of(l->arena, &was);
    size_t *at = arena_new(l->arena, size_t);
    *at = l->number;
    if (!map_has(&l->let_go, key))
        map_put(&l->let_go, key, at);
}

static void
renamed(Lint *l, const SqlAction *x, const StandName *now)
{
    StandName to = *now, was;
    if (x->kind == SQL_ACT_SET_SCHEMA)
        to.schema = x->to;
    else if (is_part(now))
        to.sub = x->to;
    else
        to.name = x->to;
    bool is_old = live(l, now, &was);
    becomes(l, now, &is_new);
    becomes(l, &to, is_old ? &was : &is_new);
}

static void
removed(Lint *l, const SqlAction *x, const StandName *now)
{
    StandName was;
    if (!live(l, now, &was))
        return;
    *vec_add(l->arena, &l->removals) = (LintRemoval){
        .gone = {was, .is_retyped = x->kind == SQL_ACT_TYPE, .is_cascade = x->is_cascade},
        .at = l->number,
        .unsure = l->all_touched,
        .place = lint_place(l)};
    let_go(l, now);
    if (x->kind == SQL_ACT_DROP_COLUMN) /* and its constraints, whatever they are called */
        let_go(l, &(StandName){STAND_PART, now->schema, now->name, ""});
    if (x->kind != SQL_ACT_TYPE)
        becomes(l, now, &is_new);
}

void
lint_remove(Lint *l, const SqlAction *x)
{
    const StandName relation = name_of(l, STAND_RELATION, x->on, ""),
                    column = name_of(l, STAND_COLUMN, x->on, x->name),
                    part = name_of(l, STAND_PART, x->on, x->name),
                    function = name_of(l, STAND_FUNCTION, x->on, ""),
                    any = name_of(l, kind_of(x->object), x->on, x->name),
                    other = name_of(l, STAND_RELATION, x->ref, "");
    switch (x->kind) {
    case SQL_ACT_DROP:
        removed(l, x, &any);
        return;
    case SQL_ACT_DROP_COLUMN:
    case SQL_ACT_TYPE:
        removed(l, x, &column);
        return;
    case SQL_ACT_DROP_CONSTRAINT:
        removed(l, x, &part);
        return;
    case SQL_ACT_RENAME:
    case SQL_ACT_SET_SCHEMA:
        renamed(l, x, &any);
        return;
    case SQL_ACT_SET_DEFAULT:
    case SQL_ACT_DROP_DEFAULT:
        let_go(l, &column);
        return;
    case SQL_ACT_VIEW:
        let_go(l, &relation);
        return;
    case SQL_ACT_FUNCTION:
        let_go(l, &function);
        return;
    case SQL_ACT_ATTACH: /* whose children they are from here on is not followed */
    case SQL_ACT_DETACH:
        becomes(l, &relation, &is_new);
        becomes(l, &other, &is_new);
        return;
    default:
        return;
    }
}

/* What has no action of its own and alters such objects, or makes them again: none of them counts from here on. */
static const struct {
    const char *noun, *type; /* in the statement's tag; as pg_identify_object has it */
} altered[] = {{"POLICY", "policy"},
               {"DOMAIN", "domain constraint"},
               {"DOMAIN", "type"},
               {"TRIGGER", "trigger"},
               {"RULE", "rule"},
               {"AGGREGATE", "aggregate"},
               {"OPERATOR", "operator"},
               {"OPERATOR", "operator class"},
               {"OPERATOR", "operator family"},
               {"PUBLICATION", "publication relation"},
               {"STATISTICS", "statistics object"}};

void
lint_remove_unnamed(Lint *l)
{
    const char *noun = strchr(l->stmt.tag, ' ');
    for (size_t i = 0; noun && i < COUNT(altered); i++)
        if (str_starts(str_of(noun + 1), str_of(altered[i].noun)))
            let_go(l, &(StandName){STAND_TYPE, "", altered[i].type, ""});
}

/* ---- what stands there ---------------------------------------------------------------------------- */

static bool
went(const Lint *l, size_t at, const StandName *n)
{
    ARENA_LOCAL(scratch);
    const size_t *when = map_get(&l->let_go, key_of(scratch, n));
    return when && *when <= at;
}

bool
lint_lets_go(const Lint *l, const LintRemoval *r, const Standing *s)
{
    const StandName whole = whole_of(&s->what), schema = {STAND_SCHEMA, "", s->what.schema, ""},
                    owner = {STAND_RELATION, s->owner_schema, s->owner, ""},
                    parts = {STAND_PART, s->what.schema, s->what.name, ""},
                    type = {STAND_TYPE, "", s->type, ""};
    bool is_content =
        r->gone.what.kind == STAND_SCHEMA && strcmp(r->gone.what.name, schema.name) == 0;
    return went(l, r->at, &s->what) || (!is_content && went(l, r->at, &schema)) ||
           went(l, r->at, &type) || (is_part(&s->what) && went(l, r->at, &whole)) ||
           (s->what.kind == STAND_PART && went(l, r->at, &parts)) ||
           (*s->owner && went(l, r->at, &owner));
}

const LintRemovals *
lint_removals(const Lint *l)
{
    return &l->removals;
}
