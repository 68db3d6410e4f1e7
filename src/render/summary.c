/* Differences in words, laid out as `prisma migrate diff` does without --script
 * (sql_migration.rs, drift_summary). Defaults are told in SQL's words. */
#include "render/render_int.h"

#include <stdlib.h>

/* In the order in which they are told. */
typedef enum Section {
    SECTION_CHANGED_EXTENSION,
    SECTION_REMOVED_EXTENSION,
    SECTION_ADDED_EXTENSION,
    SECTION_ADDED_SCHEMA,
    SECTION_ADDED_ENUM,
    SECTION_ADDED_TABLE,
    SECTION_ADDED_OTHER,
    SECTION_REMOVED_SCHEMA,
    SECTION_REMOVED_ENUM,
    SECTION_REMOVED_TABLE,
    SECTION_REMOVED_OTHER,
    SECTION_CHANGED_ENUM,
    SECTION_CHANGED_TABLE,
    SECTION_CHANGED_OTHER,
} Section;

typedef struct Item {
    Section section;
    const char *name; /* of the section's object, or "" */
    size_t index;
    const Change *change;
} Item;

static const CatObject *
object(const Change *c)
{
    return c->to ? c->to : c->from;
}

static Section
section_of(const Change *c)
{
    bool adds = c->op == CHANGE_CREATE, drops = c->op == CHANGE_DROP;
    if (cat_kind(c->kind)->is_part)
        return SECTION_CHANGED_TABLE;
    switch (c->kind) {
    case CAT_SCHEMA:
        return adds ? SECTION_ADDED_SCHEMA : drops ? SECTION_REMOVED_SCHEMA : SECTION_CHANGED_OTHER;
    case CAT_EXTENSION:
        return adds    ? SECTION_ADDED_EXTENSION
               : drops ? SECTION_REMOVED_EXTENSION
                       : SECTION_CHANGED_EXTENSION;
    case CAT_ENUM:
        return adds ? SECTION_ADDED_ENUM : drops ? SECTION_REMOVED_ENUM : SECTION_CHANGED_ENUM;
    case CAT_TABLE:
        return adds ? SECTION_ADDED_TABLE : drops ? SECTION_REMOVED_TABLE : SECTION_CHANGED_TABLE;
    default:
        return adds ? SECTION_ADDED_OTHER : drops ? SECTION_REMOVED_OTHER : SECTION_CHANGED_OTHER;
    }
}

static const char *
section_name(Arena *a, const Change *c, Section section)
{
    const CatObject *o = object(c);
    switch (section) {
    case SECTION_CHANGED_TABLE:
        return c->kind == CAT_INDEX ? ((const CatIndex *)o)->table : o->id.name;
    case SECTION_CHANGED_ENUM:
    case SECTION_CHANGED_EXTENSION:
    case SECTION_ADDED_EXTENSION:
        return o->id.name;
    case SECTION_ADDED_OTHER:
    case SECTION_REMOVED_OTHER:
        return cat_kind_name(c->kind);
    case SECTION_CHANGED_OTHER:
        return cat_ref_text(a, &o->id);
    default:
        return "";
    }
}

static int
by_section(const void *x, const void *y)
{
    const Item *p = x, *q = y;
    if (p->section != q->section)
        return p->section < q->section ? -1 : 1;
    int d = strcmp(p->name, q->name);
    return d ? d : (p->index > q->index) - (p->index < q->index);
}

static void
put_heading(Buf *b, const Item *i)
{
    static const char *const headings[] = {
        [SECTION_REMOVED_EXTENSION] = "[-] Removed extensions",
        [SECTION_ADDED_EXTENSION] = "[+] Added extensions",
        [SECTION_ADDED_SCHEMA] = "[+] Added Schemas",
        [SECTION_ADDED_ENUM] = "[+] Added enums",
        [SECTION_ADDED_TABLE] = "[+] Added tables",
        [SECTION_REMOVED_SCHEMA] = "[-] Removed schemas",
        [SECTION_REMOVED_ENUM] = "[-] Removed enums",
        [SECTION_REMOVED_TABLE] = "[-] Removed tables",
    };
    switch (i->section) {
    case SECTION_ADDED_OTHER:
        buf_fmt(b, "\n[+] Added %ss\n", i->name);
        break;
    case SECTION_REMOVED_OTHER:
        buf_fmt(b, "\n[-] Removed %ss\n", i->name);
        break;
    case SECTION_CHANGED_TABLE:
        buf_fmt(b, "\n[*] Changed the `%s` table\n", i->name);
        break;
    case SECTION_CHANGED_ENUM:
        buf_fmt(b, "\n[*] Changed the `%s` enum\n", i->name);
        break;
    case SECTION_CHANGED_EXTENSION:
        buf_fmt(b, "\n[*] Changed the `%s` extension\n", i->name);
        break;
    case SECTION_CHANGED_OTHER:
        buf_fmt(b, "\n[*] Changed the %s\n", i->name);
        break;
    default:
        buf_fmt(b, "\n%s\n", headings[i->section]);
        break;
    }
}

static void
put_list(Buf *b, const CatTexts *names)
{
    for (size_t i = 0; i < names->n; i++)
        buf_fmt(b, "%s%s", i ? ", " : "", names->v[i]);
    buf_addz(b, ")\n");
}

static void
put_key_list(Buf *b, const CatIndex *i)
{
    for (size_t k = 0; k < i->keys.n; k++)
        buf_fmt(b, "%s%s", k ? ", " : "",
                i->keys.v[k].column ? i->keys.v[k].column : i->keys.v[k].expr);
    buf_addz(b, ")\n");
}

static const char *
arity(const CatColumn *c)
{
    return c->type.is_array ? "List" : c->is_not_null ? "Required" : "Nullable";
}

static void
put_column_changes(Buf *b, const ColumnChange *k)
{
    const char *comma = "(";
    if (k->fields & COLUMN_NULLABLE) {
        buf_fmt(b, "%schanged from %s to %s", comma, arity(k->from), arity(k->to));
        comma = ", ";
    }
    if (k->fields & COLUMN_DEFAULT) {
        buf_fmt(b, "%sdefault changed from `%s` to `%s`", comma,
                k->from->default_expr ? k->from->default_expr : "None",
                k->to->default_expr ? k->to->default_expr : "None");
        comma = ", ";
    }
    if (k->fields & COLUMN_TYPE) {
        buf_fmt(b, "%stype changed", comma);
        comma = ", ";
    }
    if (k->fields & COLUMN_SEQUENCE) {
        bool draws = k->from->default_expr && strncmp(k->from->default_expr, "nextval(", 8) == 0;
        buf_fmt(b, "%s%s", comma,
                draws ? "column is no longer autoincrementing" : "column became autoincrementing");
        comma = ", ";
    }
    if (k->fields & COLUMN_IDENTITY) {
        buf_fmt(b, "%sidentity changed", comma);
        comma = ", ";
    }
    if (k->fields & COLUMN_GENERATED) {
        buf_fmt(b, "%sno longer generated", comma);
        comma = ", ";
    }
    if (k->fields & COLUMN_EXPRESSION) {
        buf_fmt(b, "%sexpression changed", comma);
        comma = ", ";
    }
    if (k->fields & (COLUMN_NOT_NULL | COLUMN_VALIDATED)) {
        buf_fmt(b, "%sconstraint of NOT NULL changed", comma);
        comma = ", ";
    }
    if (k->fields & COLUMN_STORAGE)
        vec_each (const char *, name, &k->names) {
            buf_fmt(b, "%s%s changed", comma, *name);
            comma = ", ";
        }
    if (k->fields & COLUMN_COMMENT) {
        buf_fmt(b, "%scomment changed", comma);
        comma = ", ";
    }
    if (k->fields & COLUMN_GRANTS) {
        buf_fmt(b, "%sprivileges changed", comma);
        comma = ", ";
    }
    buf_addz(b, *comma == '(' ? "\n" : ")\n");
}

static void
put_table(Buf *b, const Change *c)
{
    if (c->drop_key) {
        buf_addz(b, "  [-] Dropped the primary key on columns (");
        put_list(b, &c->drop_key->columns);
    }
    if (c->rename_key_from) {
        buf_addz(b, "  [*] Renamed the primary key on columns (");
        put_list(b, &c->rename_key_from->columns);
    }
    vec_each (const ColumnChange, k, &c->columns) {
        const char *name = (k->to ? k->to : k->from)->id.sub;
        if (k->op == COLUMN_DROP)
            buf_fmt(b, "  [-] Removed column `%s`\n", name);
        if (k->op == COLUMN_ADD)
            buf_fmt(b, "  [+] Added column `%s`\n", name);
        if (k->op == COLUMN_ALTER)
            buf_fmt(b, "  [*] Altered column `%s` ", name);
        if (k->op == COLUMN_RECREATE)
            buf_fmt(b, "  [*] Column `%s` would be dropped and recreated ", name);
        if (k->op == COLUMN_ALTER || k->op == COLUMN_RECREATE)
            put_column_changes(b, k);
    }
    if (c->add_key) {
        buf_addz(b, "  [+] Added primary key on columns (");
        put_list(b, &c->add_key->columns);
        buf_addz(b, ")\n"); /* Prisma's slip */
    }
    vec_each (const char *, field, &c->fields)
        buf_fmt(b, "  [*] Changed %s\n", *field);
}

static void
put_enum(Buf *b, const Change *c)
{
    const CatEnum *x = (const CatEnum *)c->from, *y = (const CatEnum *)c->to;
    vec_each (const char *, label, &c->labels)
        buf_fmt(b, "  [+] Added variant `%s`\n", *label);
    bool removed = false;
    vec_each (const char *, label, &x->labels) {
        bool kept = false;
        vec_each (const char *, other, &y->labels)
            kept = kept || strcmp(*label, *other) == 0;
        if (!kept)
            buf_fmt(b, "  [-] Removed variant `%s`\n", *label);
        removed = removed || !kept;
    }
    if (c->is_rebuilt && !removed)
        buf_addz(b, "  [*] Changed the order of variants\n");
}

static void
put_part(Buf *b, const Change *c)
{
    const CatObject *o = object(c);
    const char *sign = c->op == CHANGE_CREATE ? "[+] Added"
                       : c->op == CHANGE_DROP ? "[-] Removed"
                                              : "[*] Changed";
    if (c->kind == CAT_INDEX && c->op != CHANGE_RENAME) {
        const CatIndex *i = (const CatIndex *)o;
        buf_fmt(b, "  %s %sindex on columns (", sign, i->is_unique ? "unique " : "");
        put_key_list(b, i);
    } else if (c->kind == CAT_INDEX) {
        buf_fmt(b, "  [*] Renamed index `%s` to `%s`\n", c->from->id.name, c->to->id.name);
    } else if (c->kind == CAT_COLUMN && c->op == CHANGE_RENAME) {
        buf_fmt(b, "  [*] Renamed column `%s` to `%s`\n", c->from->id.sub, c->to->id.sub);
    } else if (c->kind == CAT_CONSTRAINT && c->op == CHANGE_RENAME) {
        buf_fmt(b, "  [*] Renamed the %s \"%s\" to \"%s\"\n",
                ((const CatConstraint *)o)->type == CAT_FOREIGN_KEY ? "foreign key" : "constraint",
                c->from->id.sub, c->to->id.sub);
    } else if (c->kind == CAT_CONSTRAINT && ((const CatConstraint *)o)->type == CAT_FOREIGN_KEY) {
        buf_fmt(b, "  %s foreign key on columns (", sign);
        put_list(b, &((const CatConstraint *)o)->columns);
    } else {
        buf_fmt(b, "  %s %s `%s`\n", sign, cat_kind_name(c->kind), o->id.sub);
    }
}

static void
put_item(Arena *a, Buf *b, const Item *i)
{
    const Change *c = i->change;
    const CatObject *o = object(c);
    switch (i->section) {
    case SECTION_CHANGED_EXTENSION:
        break;
    case SECTION_CHANGED_ENUM:
        if (c->op == CHANGE_ALTER)
            put_enum(b, c);
        else if (c->old_name)
            buf_fmt(b, "  [*] Renamed variant `%s` to `%s`\n", c->old_name, c->fields.v[0]);
        else
            buf_fmt(b, "  [*] Renamed from `%s`\n", c->from->id.name);
        break;
    case SECTION_CHANGED_TABLE:
        if (c->op == CHANGE_ATTACH)
            buf_addz(b, "  [*] Attached as a partition\n");
        else if (diff_is_detach(c))
            buf_addz(b, "  [*] Detached, no partition any more\n");
        else if (c->op == CHANGE_INDEX_STATE)
            buf_addz(b, "  [*] Changed the index of its replica identity or order\n");
        else if (c->kind == CAT_TABLE && c->op == CHANGE_ALTER)
            put_table(b, c);
        else if (c->kind == CAT_TABLE)
            buf_fmt(b, "  [*] Renamed from `%s`\n", c->from->id.name);
        else
            put_part(b, c);
        break;
    case SECTION_CHANGED_OTHER:
        vec_each (const char *, field, &c->fields)
            buf_fmt(b, "  [*] Changed %s\n", *field);
        break;
    case SECTION_ADDED_OTHER:
    case SECTION_REMOVED_OTHER:
        buf_fmt(b, "  - %s\n", cat_ref_text(a, &o->id) + strlen(cat_kind_name(c->kind)) + 1);
        break;
    default:
        buf_fmt(b, "  - %s\n", o->id.name);
        break;
    }
}

Str
render_summary(Arena *a, const Diff *d)
{
    if (!d->changes.n)
        return STR("No difference detected.");
    Item *items = arena_array(a, Item, d->changes.n);
    Buf b;
    buf_init(&b, a);
    size_t n = 0;
    for (size_t i = 0; i < d->changes.n; i++) {
        const Change *c = d->changes.v[i];
        Section section = section_of(c);
        if (!c->is_aside || diff_is_detach(c))
            items[n++] = (Item){section, section_name(a, c, section), i, c};
    }
    qsort(items, n, sizeof *items, by_section);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || items[i].section != items[i - 1].section ||
            strcmp(items[i].name, items[i - 1].name) != 0)
            put_heading(&b, &items[i]);
        put_item(a, &b, &items[i]);
    }
    return buf_str(&b);
}
