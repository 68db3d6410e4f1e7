/* What any object may have: a comment, an owner, privileges. */
#include "render/render_int.h"

/* Named by what it belongs to. */
static bool
is_part(CatKind kind)
{
    return cat_kind(kind)->named == CAT_NAMED_WHOLE;
}

/* TABLE "a"."T", COLUMN "T"."c", TRIGGER "t" ON "T", FUNCTION "f"(integer) */
static void
put_object(Render *r, Buf *b, const CatObject *o)
{
    bool procedure = o->id.kind == CAT_FUNCTION && ((const CatFunction *)o)->is_procedure;
    buf_fmt(b, "%s ", procedure ? "PROCEDURE" : cat_kind(o->id.kind)->sql);
    if (cat_kind(o->id.kind)->is_defined) {
        buf_addz(b, ((const CatDefined *)o)->address);
        return;
    }
    if (o->id.kind == CAT_COLUMN) {
        put_name(r, b, o->id.schema, o->id.name);
        buf_addc(b, '.');
        put_ident(r, b, o->id.sub);
    } else if (is_part(o->id.kind)) {
        const Catalog *c = r->diff->to.catalog;
        bool domain = catalog_find(c, (CatRef){CAT_DOMAIN, o->id.schema, o->id.name, NULL});
        put_ident(r, b, o->id.sub);
        buf_addz(b, domain ? " ON DOMAIN " : " ON ");
        put_name(r, b, o->id.schema, o->id.name);
    } else if (o->id.kind == CAT_FUNCTION) {
        buf_addz(b, signature_text(r, (const CatFunction *)o));
    } else {
        put_name(r, b, o->id.schema, o->id.name);
    }
}

static void
put_literal(Buf *b, const char *text)
{
    Buf literal;
    buf_init(&literal, b->arena);
    sql_add_literal(&literal, str_of(text));
    buf_add(b, str_trim(buf_str(&literal)));
}

/* text NULL: it has none. */
static void
comment(Render *r, const char *object, const char *text)
{
    Buf b;
    buf_init(&b, r->arena);
    buf_fmt(&b, "COMMENT ON %s IS ", object);
    if (text)
        put_literal(&b, text);
    else
        buf_addz(&b, "NULL");
    statement_buf(r, &b);
}

/* ---- privileges ---------------------------------------------------------------------------- */

/* https://www.postgresql.org/docs/current/ddl-priv.html#PRIVILEGE-ABBREVS-TABLE */
const char *
privilege_word(char letter)
{
    switch (letter) {
    case 'r':
        return "SELECT";
    case 'a':
        return "INSERT";
    case 'w':
        return "UPDATE";
    case 'd':
        return "DELETE";
    case 'D':
        return "TRUNCATE";
    case 'x':
        return "REFERENCES";
    case 't':
        return "TRIGGER";
    case 'X':
        return "EXECUTE";
    case 'U':
        return "USAGE";
    case 'C':
        return "CREATE";
    case 'm':
        return "MAINTAIN";
    default:
        return NULL;
    }
}

/* TABLE also for views; columns: the privileges name them. */
static void
put_target(Render *r, Buf *b, const CatObject *o)
{
    if (cat_kind(o->id.kind)->is_defined) {
        const char *address = ((const CatDefined *)o)->address;
        if (o->id.kind == CAT_AGGREGATE) {
            buf_addz(b, "FUNCTION ");
            sql_add_name(b, o->id.schema, o->id.name);
            buf_fmt(b, "(%s)", o->id.sub ? o->id.sub : "");
        } else {
            buf_fmt(b, "%s %s",
                    o->id.kind == CAT_FOREIGN_TABLE ? "TABLE"
                    : o->id.kind == CAT_SERVER      ? "FOREIGN SERVER"
                                                    : cat_kind(o->id.kind)->sql,
                    address);
        }
        return;
    }
    if (o->id.kind == CAT_COLUMN || o->id.kind == CAT_TABLE || o->id.kind == CAT_VIEW ||
        o->id.kind == CAT_MATVIEW) {
        buf_addz(b, "TABLE ");
        put_name(r, b, o->id.schema, o->id.name);
    } else {
        put_object(r, b, o);
    }
}

static void
grant(Render *r, const CatObject *o, const CatGrant *g, bool with_option)
{
    Buf b, list;
    buf_init(&b, r->arena);
    buf_init(&list, r->arena);
    for (const char *p = g->privileges; *p; p++) {
        if (*p == '*' || (p[1] == '*') != with_option || !privilege_word(*p))
            continue;
        buf_fmt(&list, "%s%s", list.n ? ", " : "", privilege_word(*p));
        if (o->id.kind == CAT_COLUMN) {
            buf_addz(&list, " (");
            put_ident(r, &list, o->id.sub);
            buf_addc(&list, ')');
        }
    }
    if (!list.n)
        return;
    buf_fmt(&b, "GRANT %s ON ", list.p);
    put_target(r, &b, o);
    buf_addz(&b, " TO ");
    if (g->role)
        put_ident(r, &b, g->role);
    else
        buf_addz(&b, "PUBLIC");
    if (with_option)
        buf_addz(&b, " WITH GRANT OPTION");
    statement_buf(r, &b);
}

static const CatGrant *grant_of(const CatObject *o, const char *role);

static void
revoke_all(Render *r, const CatObject *o, const char *role)
{
    Buf b;
    buf_init(&b, r->arena);
    buf_addz(&b, "REVOKE ALL");
    if (o->id.kind == CAT_COLUMN) {
        buf_addz(&b, " (");
        put_ident(r, &b, o->id.sub);
        buf_addc(&b, ')');
    }
    buf_addz(&b, " ON ");
    put_target(r, &b, o);
    buf_addz(&b, " FROM ");
    if (role)
        put_ident(r, &b, role);
    else
        buf_addz(&b, "PUBLIC");
    statement_buf(r, &b);
    if (o->id.kind != CAT_TABLE && o->id.kind != CAT_VIEW && o->id.kind != CAT_MATVIEW)
        return;
    /* The privileges on columns went, too. */
    cat_each (CatColumn, column, &((const CatRelation *)o)->columns) {
        const CatGrant *g = grant_of((const CatObject *)column, role);
        if (g) {
            grant(r, (const CatObject *)column, g, false);
            grant(r, (const CatObject *)column, g, true);
        }
    }
}

static const CatGrant *
grant_of(const CatObject *o, const char *role)
{
    if (o)
        vec_each (const CatGrant, g, &o->grants)
            if (cat_same_text(g->role, role))
                return g;
    return NULL;
}

/* What PUBLIC and the owner have when nothing is listed for them. */
static const char *
usual(const CatObject *o, const char *role)
{
    if (!role && o->id.kind == CAT_SCHEMA && ((const CatSchema *)o)->usual)
        return ((const CatSchema *)o)->usual;
    if (!role)
        return cat_kind(o->id.kind)->public_privileges;
    return cat_same_text(role, o->owner) ? cat_kind(o->id.kind)->owner_privileges : "";
}

/* What a role has when nothing is listed; of owners everything, whatever the server calls that. */
static void
give_back(Render *r, const CatObject *to, const char *role)
{
    const CatGrant back = {role, usual(to, role)};
    if (!role || !*back.privileges) {
        grant(r, to, &back, false);
        return;
    }
    Buf b;
    buf_init(&b, r->arena);
    buf_addz(&b, "GRANT ALL ON ");
    put_target(r, &b, to);
    buf_addz(&b, " TO ");
    put_ident(r, &b, role);
    statement_buf(r, &b);
}

/* With the owner goes what it had; "?" when that is not what it has by default. */
static CatGrants
grants_of_new_owner(Render *r, const CatObject *from, const char *was, const char *is)
{
    CatGrants out = {0};
    bool stays = from->id.kind == CAT_COLUMN; /* what columns give to the owner is told apart */
    vec_each (const CatGrant, g, &from->grants)
        if (cat_same_text(g->role, was) || (stays && cat_same_text(g->role, is)))
            *vec_add(r->arena, &out) = (CatGrant){is, "?"};
        else if (!cat_same_text(g->role, is))
            *vec_add(r->arena, &out) = *g;
    return out;
}

/* Of a column: that of its relation. */
static const char *
owner_of(const Catalog *c, const CatObject *o)
{
    if (o->id.kind != CAT_COLUMN)
        return o->owner;
    const CatRelation *t = catalog_relation(c, o->id.schema, o->id.name);
    return t ? t->owner : NULL;
}

static void
grants(Render *r, const CatObject *from, const CatObject *to, const CatRules *rules)
{
    CatObject then;
    const char *is = owner_of(r->diff->to.catalog, to);
    const char *was = from ? owner_of(r->diff->from.catalog, from) : NULL;
    if (was && is && !rules->ignore_owners && strcmp(was, is) != 0) {
        then = *from;
        then.grants = grants_of_new_owner(r, from, was, is);
        from = &then;
    }
    if (from)
        vec_each (const CatGrant, g, &from->grants)
            if (!grant_of(to, g->role)) {
                revoke_all(r, to, g->role);
                give_back(r, to, g->role);
            }
    bool is_public = to->id.kind == CAT_SCHEMA && ((const CatSchema *)to)->usual;
    if (!from && is_public && !grant_of(to, NULL))
        give_back(r, to, NULL); /* CREATE SCHEMA does not give what initdb gave */
    vec_each (const CatGrant, g, &to->grants) {
        const CatGrant *old = grant_of(from, g->role);
        if (old && strcmp(old->privileges, g->privileges) == 0)
            continue;
        /* Whoever has something by default, or had something else, starts anew. */
        if (old || *usual(to, g->role))
            revoke_all(r, to, g->role);
        grant(r, to, g, false);
        grant(r, to, g, true);
    }
}

/* NOT NULL is a constraint since 18, with a comment of its own. */
static void
comment_not_null(Render *r, const CatColumn *from, const CatColumn *to)
{
    bool is_kept =
        from && from->is_not_null && (!to->is_not_null_unchecked || from->is_not_null_unchecked);
    if (!to->is_not_null ||
        cat_same_text(is_kept ? from->not_null_comment : NULL, to->not_null_comment))
        return;
    Buf object;
    buf_init(&object, r->arena);
    buf_addz(&object, "CONSTRAINT ");
    put_ident(r, &object, not_null_name(r, &to->id, to->not_null_name));
    buf_addz(&object, " ON ");
    put_name(r, &object, to->id.schema, to->id.name);
    comment(r, object.p, to->not_null_comment);
}

static void
comment_not_null_of_domain(Render *r, const CatDomain *from, const CatDomain *to)
{
    bool is_kept = from && from->is_not_null;
    if (to->is_not_null &&
        !cat_same_text(is_kept ? from->not_null_comment : NULL, to->not_null_comment))
        comment(r,
                str_fmt(r->arena, "CONSTRAINT %s ON DOMAIN %s",
                        ident_text(r, not_null_name(r, &to->id, to->not_null_name)),
                        name_text(r, &to->id)),
                to->not_null_comment);
}

static void
comment_index(Render *r, const CatConstraint *from, const CatConstraint *to)
{
    if (cat_same_text(from ? from->index_comment : NULL, to->index_comment))
        return;
    const CatRef index = {CAT_INDEX, to->id.schema, to->id.sub, NULL};
    comment(r, str_fmt(r->arena, "INDEX %s", name_text(r, &index)), to->index_comment);
}

static void
comment_multirange(Render *r, const CatDefined *from, const CatDefined *to)
{
    if (cat_same_text(from ? from->multirange_comment : NULL, to->multirange_comment))
        return;
    Buf object;
    buf_init(&object, r->arena);
    buf_addz(&object, "TYPE ");
    put_name(r, &object, to->multirange.schema, to->multirange.name);
    comment(r, object.p, to->multirange_comment);
}

/* What a change that makes something anew keeps of it: the object itself, or one of its columns. */
static const CatObject *
kept_of(const Render *r, const CatObject *to)
{
    const Change *c = r->step->change;
    const CatRules *rules = r->diff->options.rules;
    if (to->id.kind != CAT_COLUMN)
        return c->kept && cat_ref_cmp(&to->id, &c->to->id) == 0 ? c->kept : NULL;
    vec_each (const ColumnChange, k, &c->columns)
        if (k->op == COLUMN_RECREATE && &k->to->id == &to->id && rules && rules->ignore_grants)
            return (const CatObject *)k->from;
    bool has_columns = c->kept && (c->kept->id.kind == CAT_TABLE || c->kept->id.kind == CAT_VIEW ||
                                   c->kept->id.kind == CAT_MATVIEW);
    return has_columns ? (const CatObject *)catalog_column((const CatRelation *)c->kept, to->id.sub)
                       : NULL;
}

/* Owner and privileges as they were. */
static void
render_kept(Render *r, const char *object, const CatObject *kept, const CatObject *to)
{
    static const CatRules all;
    const char *runner = r->diff->options.runner;
    CatObject *then = catalog_called(r->arena, kept, to->id);
    if (kept->owner && runner && strcmp(kept->owner, runner) != 0 && !is_part(to->id.kind))
        statement(r, "ALTER %s OWNER TO %s", object, ident_text(r, kept->owner));
    grants(r, NULL, then, &all);
}

void
render_attributes(Render *r, const CatObject *from, const CatObject *to)
{
    static const CatRules none;
    const CatRules *rules = r->diff->options.rules ? r->diff->options.rules : &none;
    if (r->compat || !to)
        return;
    const CatObject *kept = kept_of(r, to);
    Buf object;
    buf_init(&object, r->arena);
    put_object(r, &object, to);
    bool is_identity = to->id.kind == CAT_SEQUENCE && ((const CatSequence *)to)->is_identity;
    const char *runner = r->diff->options.runner;
    bool is_runners = !from && !kept && cat_same_text(to->owner, runner); /* who makes it owns it */
    bool is_given_away = !is_runners && to->owner && !is_part(to->id.kind) &&
                         !rules->ignore_owners && !is_identity && to->id.kind != CAT_EXTENSION &&
                         !cat_same_text(from ? from->owner : NULL, to->owner);
    if (is_given_away) {
        Buf owner;
        buf_init(&owner, r->arena);
        put_ident(r, &owner, to->owner);
        statement(r, "ALTER %s OWNER TO %s", object.p, owner.p);
    }
    if (kept)
        render_kept(r, object.p, kept, to);
    else if (!rules->ignore_grants)
        grants(r, from, to, rules);
    if (!rules->ignore_comments && !cat_same_text(from ? from->comment : NULL, to->comment))
        comment(r, object.p, to->comment);
    if (!rules->ignore_comments && to->id.kind == CAT_COLUMN)
        comment_not_null(r, (const CatColumn *)from, (const CatColumn *)to);
    if (!rules->ignore_comments && to->id.kind == CAT_DOMAIN)
        comment_not_null_of_domain(r, (const CatDomain *)from, (const CatDomain *)to);
    if (!rules->ignore_comments && to->id.kind == CAT_CONSTRAINT)
        comment_index(r, (const CatConstraint *)from, (const CatConstraint *)to);
    if (!rules->ignore_comments && to->id.kind == CAT_RANGE)
        comment_multirange(r, (const CatDefined *)from, (const CatDefined *)to);
}
