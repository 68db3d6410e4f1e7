#include "report/describe.h"

#include "base/clock.h"
#include "render/render.h"
#include "report/migrations.h"

/* ---- text: columns -------------------------------------------------------------------------- */

enum { CELL_NAME, CELL_TYPE, CELL_NULL, CELL_DEFAULT, CELL_COUNT };

static const char *
type_text(Arena *a, const CatColumn *c)
{
    return c->collation.name ? str_fmt(a, "%s COLLATE %s", c->type.text, c->collation.name)
                             : c->type.text;
}

static const char *
null_text(const CatColumn *c)
{
    return !c->is_not_null ? "null" : c->is_not_null_unchecked ? "not null, not valid" : "not null";
}

static void
add_columns(Buf *out, const Term *t, const DescribeResult *r)
{
    Arena *a = out->arena;
    static const char *const titles[CELL_COUNT] = {"Column", "Type", "Null", "Default"};
    size_t n = r->relation->columns.n + 1, widths[CELL_COUNT] = {0};
    const char *(*cells)[CELL_COUNT] = arena_alloc(a, n * sizeof *cells);
    memcpy(cells[0], titles, sizeof titles);
    for (size_t i = 1; i < n; i++) {
        const CatColumn *c = r->relation->columns.v[i - 1];
        const char *value = render_column_default(a, r->catalog, c, r->schema ? r->schema : "");
        const char *texts[CELL_COUNT] = {c->id.sub, type_text(a, c), null_text(c),
                                         value ? value : ""};
        for (int k = 0; k < CELL_COUNT; k++)
            cells[i][k] = str_printable(a, str_of(texts[k]), false);
    }
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < CELL_COUNT; k++) {
            size_t columns = term_columns(str_of(cells[i][k]));
            widths[k] = columns > widths[k] ? columns : widths[k];
        }
    for (size_t i = 0; i < n; i++) {
        int last = *cells[i][CELL_DEFAULT] ? CELL_DEFAULT : CELL_NULL;
        Buf line;
        buf_init(&line, a);
        for (int k = 0; k <= last; k++) {
            buf_fmt(&line, "  %s", cells[i][k]);
            if (k < last)
                buf_addn(&line, ' ', widths[k] - term_columns(str_of(cells[i][k])));
        }
        term_add(out, t, i ? TERM_PLAIN : TERM_DIM, line.p);
        buf_addc(out, '\n');
    }
}

/* ---- text: the rest --------------------------------------------------------------------------- */

typedef struct Section {
    Buf *out;
    const Term *term;
    const char *title; /* written before the first line */
} Section;

__attribute__((format(printf, 3, 4))) static void
add_line(Section *s, const char *name, const char *fmt, ...)
{
    Arena *a = s->out->arena;
    va_list ap;
    if (s->title) {
        buf_addc(s->out, '\n');
        term_add(s->out, s->term, TERM_BOLD, s->title);
        buf_addc(s->out, '\n');
    }
    s->title = NULL;
    va_start(ap, fmt);
    const char *text = str_vfmt(a, fmt, ap);
    va_end(ap);
    buf_addz(s->out, "  ");
    term_text(s->out, s->term, TERM_CYAN, str_of(name));
    buf_fmt(s->out, "  %s\n", str_printable(a, str_of(text), false));
}

static const char *
part_text(Arena *a, const DescribeResult *r, const void *part)
{
    return render_part(a, part, r->schema ? r->schema : "");
}

static bool
is_key(const CatConstraint *k)
{
    return k->type != CAT_CHECK && k->type != CAT_FOREIGN_KEY;
}

static void
add_constraints(Buf *out, const Term *t, const DescribeResult *r)
{
    Arena *a = out->arena;
    const CatRelation *rel = r->relation;
    Section keys = {out, t, "Keys and indexes"}, checks = {out, t, "Checks"},
            leads = {out, t, "Foreign keys"}, comes = {out, t, "Referenced by"};
    cat_each (CatConstraint, k, &rel->constraints)
        if (is_key(k))
            add_line(&keys, k->id.sub, "%s", part_text(a, r, k));
    cat_each (CatIndex, i, &rel->indexes)
        add_line(&keys, i->id.name, "%s%s%s", i->is_unique ? "UNIQUE " : "", part_text(a, r, i),
                 i->is_invalid ? "  (INVALID)" : "");
    cat_each (CatConstraint, k, &rel->constraints)
        if (k->type == CAT_CHECK)
            add_line(&checks, k->id.sub, "%s", part_text(a, r, k));
    cat_each (CatConstraint, k, &rel->constraints)
        if (k->type == CAT_FOREIGN_KEY)
            add_line(&leads, k->id.sub, "%s", part_text(a, r, k));
    cat_each (CatConstraint, k, &r->referenced_by) {
        Buf name;
        buf_init(&name, a);
        if (!cat_same_text(k->id.schema, r->schema))
            buf_fmt(&name, "%s.", k->id.schema);
        buf_addz(&name, k->id.name);
        add_line(&comes, name.p, "%s %s", k->id.sub, part_text(a, r, k));
    }
}

static void
add_code(Buf *out, const Term *t, const DescribeResult *r)
{
    Arena *a = out->arena;
    const CatRelation *rel = r->relation;
    Section triggers = {out, t, "Triggers"}, rules = {out, t, "Rules"},
            policies = {out, t, "Policies"}, users = {out, t, "Used by"};
    cat_each (CatTrigger, x, &rel->triggers)
        add_line(&triggers, x->id.sub, "%s%s", part_text(a, r, x),
                 x->enabled == 'D' ? "  (disabled)" : "");
    cat_each (CatRule, x, &rel->rules)
        add_line(&rules, x->id.sub, "%s", part_text(a, r, x));
    cat_each (CatPolicy, x, &rel->policies)
        add_line(&policies, x->id.sub, "%s", part_text(a, r, x));
    vec_each (CatObject *, o, &r->used_by)
        add_line(&users, cat_kind_name((*o)->id.kind), "%s.%s%s", (*o)->id.schema, (*o)->id.name,
                 (*o)->id.kind == CAT_FUNCTION ? str_fmt(a, "(%s)", (*o)->id.sub) : "");
}

static void
add_grants(Section *s, const CatGrants *grants, const char *column)
{
    Arena *a = s->out->arena;
    vec_each (const CatGrant, g, grants)
        add_line(s, g->role ? g->role : "PUBLIC", "%s%s%s%s", render_grant(a, g),
                 column ? " (" : "", column ? column : "", column ? ")" : "");
}

static void
add_privileges(Buf *out, const Term *t, const DescribeResult *r)
{
    Section s = {out, t, "Privileges beside the owner's"};
    add_grants(&s, &r->relation->grants, NULL);
    cat_each (CatColumn, c, &r->relation->columns)
        add_grants(&s, &c->grants, c->id.sub);
}

/* "applied at 2026-..." */
static const char *
state_text(Arena *a, const DescribeResult *r, const Entry *e)
{
    if (!r->has_states)
        return "not known to be applied";
    if (e->state == ENTRY_APPLIED && e->row && e->row->finished_us > HISTORY_SOMETIME)
        return str_fmt(a, "applied at %s", clock_iso(a, e->row->finished_us));
    return report_entry_state(e->state);
}

static void
add_touches(Buf *out, const Term *t, const DescribeResult *r)
{
    Arena *a = out->arena;
    Section s = {out, t, "Migrations that speak of it"};
    vec_each (const DescribeTouch, touch, &r->touches) {
        Buf text;
        buf_init(&text, a);
        if (touch->was)
            buf_fmt(&text, "as \"%s\": ", touch->was);
        vec_each (const DescribeStatement, x, &touch->statements)
            buf_fmt(&text, "%s%s (line %d)", x == touch->statements.v ? "" : ", ", x->tag, x->line);
        add_line(&s, touch->entry->name, "%s; %s", state_text(a, r, touch->entry), text.p);
    }
    if (r->no_history)
        buf_fmt(out, "  (the history is not known: %s)\n",
                str_printable(a, str_of(r->no_history), false));
    vec_each (const char *, name, &r->unread)
        add_line(&s, *name, "not read: it is no SQL that could be split");
}

static void
add_head(Buf *out, const Term *t, const DescribeResult *r)
{
    Arena *a = out->arena;
    const CatRelation *rel = r->relation;
    const DescribeSize *size = &r->size;
    term_text(out, t, TERM_BOLD, str_of(cat_ref_text(a, &rel->id)));
    if (r->model)
        buf_fmt(out, " (model %s)", str_printable(a, str_of(r->model), false));
    buf_fmt(out, " in %s\n", str_printable(a, str_of(r->target.shown), false));
    if (rel->comment)
        buf_fmt(out, "%s\n", str_printable(a, str_of(rel->comment), false));
    if (size->bytes >= 0)
        buf_fmt(out, "%s, %s: %s of rows, %s of indexes; owner %s\n",
                size->rows < 0 ? "rows not counted yet (ANALYZE)"
                               : str_fmt(a, "about %s", str_count(a, size->rows, "row")),
                str_bytes(a, size->bytes), str_bytes(a, size->table_bytes),
                str_bytes(a, size->index_bytes), str_printable(a, str_of(rel->owner), false));
    if (rel->partition_key)
        buf_fmt(out, "partitioned by %s: %s\n", str_printable(a, str_of(rel->partition_key), false),
                str_count(a, (int64_t)r->partitions, "partition"));
    if (rel->partition_of.name)
        buf_fmt(out, "partition of %s %s\n",
                str_printable(a, str_of(rel->partition_of.name), false),
                str_printable(a, str_of(rel->partition_bound), false));
    vec_each (const CatName, parent, &rel->inherits)
        if (!rel->partition_of.name)
            buf_fmt(out, "inherits from %s\n", str_printable(a, str_of(parent->name), false));
    if (rel->is_unlogged)
        buf_addz(out, "UNLOGGED: its rows are gone after a crash\n");
    if (rel->is_rls || rel->policies.n)
        buf_fmt(out, "row-level security is %s%s\n",
                rel->is_rls ? "on" : "off: policies do nothing",
                rel->is_rls_forced ? ", for the owner, too" : "");
}

void
report_describe_text(Buf *out, const Term *t, const DescribeResult *r)
{
    add_head(out, t, r);
    buf_addc(out, '\n');
    add_columns(out, t, r);
    if (r->relation->query)
        buf_fmt(out, "\n%s\n", str_printable(out->arena, str_of(r->relation->query), true));
    add_constraints(out, t, r);
    add_code(out, t, r);
    add_privileges(out, t, r);
    add_touches(out, t, r);
}

/* ---- JSON --------------------------------------------------------------------------------------- */

static void
count_json(JsonWriter *w, const char *key, int64_t n)
{
    if (n < 0)
        jw_null(w, key);
    else
        jw_int(w, key, n);
}

static void
columns_json(JsonWriter *w, const DescribeResult *r)
{
    jw_array(w, "columns");
    cat_each (CatColumn, c, &r->relation->columns) {
        jw_object(w, NULL);
        jw_strz(w, "name", c->id.sub);
        jw_strz(w, "type", type_text(w->out.arena, c));
        jw_bool(w, "nullable", !c->is_not_null);
        jw_strz(w, "default", render_column_default(w->out.arena, r->catalog, c, ""));
        jw_strz(w, "comment", c->comment);
        jw_end(w);
    }
    jw_end(w);
}

/* Name and definition; what else a kind has is written behind it, up to jw_end. */
static void
begin_part(JsonWriter *w, const void *part, const char *name)
{
    jw_object(w, NULL);
    jw_strz(w, "name", name);
    jw_strz(w, "definition", render_part(w->out.arena, part, ""));
    jw_strz(w, "comment", ((const CatObject *)part)->comment);
}

static void
constraints_json(JsonWriter *w, const char *key, const CatConstraints *list)
{
    static const char *const types[] = {[CAT_CHECK] = "check",
                                        [CAT_PRIMARY_KEY] = "primary key",
                                        [CAT_UNIQUE] = "unique",
                                        [CAT_EXCLUDE] = "exclusion",
                                        [CAT_FOREIGN_KEY] = "foreign key"};
    jw_array(w, key);
    cat_each (CatConstraint, k, list) {
        begin_part(w, k, k->id.sub);
        jw_strz(w, "schema", k->id.schema);
        jw_strz(w, "table", k->id.name);
        jw_strz(w, "type", types[k->type]);
        jw_bool(w, "valid", !k->is_not_valid);
        jw_end(w);
    }
    jw_end(w);
}

static void
parts_json(JsonWriter *w, const DescribeResult *r)
{
    const CatRelation *rel = r->relation;
    constraints_json(w, "constraints", &rel->constraints);
    constraints_json(w, "referencedBy", &r->referenced_by);
    jw_array(w, "indexes");
    cat_each (CatIndex, i, &rel->indexes) {
        begin_part(w, i, i->id.name);
        jw_bool(w, "unique", i->is_unique);
        jw_strz(w, "method", i->method ? i->method : "btree");
        jw_bool(w, "valid", !i->is_invalid);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "triggers");
    cat_each (CatTrigger, x, &rel->triggers) {
        begin_part(w, x, x->id.sub);
        jw_bool(w, "enabled", x->enabled != 'D');
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "rules");
    cat_each (CatRule, x, &rel->rules) {
        begin_part(w, x, x->id.sub);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "policies");
    cat_each (CatPolicy, x, &rel->policies) {
        begin_part(w, x, x->id.sub);
        jw_end(w);
    }
    jw_end(w);
}

static void
grants_json(JsonWriter *w, const CatGrants *grants, const char *column)
{
    vec_each (const CatGrant, g, grants) {
        jw_object(w, NULL);
        jw_strz(w, "role", g->role);
        jw_strz(w, "column", column);
        jw_strz(w, "privileges", render_grant(w->out.arena, g));
        jw_end(w);
    }
}

static void
users_json(JsonWriter *w, const DescribeResult *r)
{
    jw_array(w, "privileges");
    grants_json(w, &r->relation->grants, NULL);
    cat_each (CatColumn, c, &r->relation->columns)
        grants_json(w, &c->grants, c->id.sub);
    jw_end(w);
    jw_array(w, "usedBy");
    vec_each (CatObject *, o, &r->used_by) {
        jw_object(w, NULL);
        jw_strz(w, "kind", cat_kind_name((*o)->id.kind));
        jw_strz(w, "schema", (*o)->id.schema);
        jw_strz(w, "name", (*o)->id.name);
        jw_end(w);
    }
    jw_end(w);
}

static void
migrations_json(JsonWriter *w, const DescribeResult *r)
{
    Arena *a = w->out.arena;
    jw_array(w, "migrations");
    vec_each (const DescribeTouch, touch, &r->touches) {
        const LedgerRow *row = touch->entry->row;
        bool is_dated = row && row->finished_us > HISTORY_SOMETIME;
        jw_object(w, NULL);
        jw_strz(w, "name", touch->entry->name);
        jw_strz(w, "state", r->has_states ? report_entry_state(touch->entry->state) : NULL);
        jw_strz(w, "appliedAt", is_dated ? clock_iso(a, row->finished_us) : NULL);
        jw_strz(w, "was", touch->was);
        jw_array(w, "statements");
        vec_each (const DescribeStatement, x, &touch->statements) {
            jw_object(w, NULL);
            jw_int(w, "line", x->line);
            jw_strz(w, "kind", x->tag);
            jw_end(w);
        }
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "notRead");
    vec_each (const char *, name, &r->unread)
        jw_strz(w, NULL, *name);
    jw_end(w);
}

void
report_describe_json(JsonWriter *w, const DescribeResult *r)
{
    const CatRelation *rel = r->relation;
    jw_object(w, NULL);
    jw_strz(w, "command", "describe");
    report_target_json(w, &r->target);
    report_server_json(w, r->server);
    jw_strz(w, "kind", cat_kind_name(rel->id.kind));
    jw_strz(w, "schema", rel->id.schema);
    jw_strz(w, "name", rel->id.name);
    jw_strz(w, "model", r->model);
    jw_strz(w, "comment", rel->comment);
    jw_strz(w, "owner", rel->owner);
    count_json(w, "rowEstimate", r->size.rows);
    count_json(w, "bytes", r->size.bytes);
    count_json(w, "tableBytes", r->size.table_bytes);
    count_json(w, "indexBytes", r->size.index_bytes);
    jw_strz(w, "partitionKey", rel->partition_key);
    jw_strz(w, "partitionOf", rel->partition_of.name);
    jw_int(w, "partitions", (int64_t)r->partitions);
    jw_bool(w, "rowSecurity", rel->is_rls);
    jw_strz(w, "query", rel->query);
    columns_json(w, r);
    parts_json(w, r);
    users_json(w, r);
    migrations_json(w, r);
    jw_end(w);
}
