/* What `prisma format` adds to a schema: the other half of relations that are written on one side
 * only. Prisma guesses in doubtful cases and produces schemas that it then refuses; here nothing
 * is added unless it is clear what belongs together and every name is free. */
#include "base/map.h"
#include "psl/plural.h"
#include "psl/psl_validate.h"

/* Keys of more fields than this are nobody's to guess. */
enum { KEY_FIELDS_MAX = 8 };

/* A relation field and what its @relation says. */
typedef struct Side {
    const PslField *field;
    const PslDecl *target;
    Str name;
    const PslAttr *attr;
    const PslExpr *fields, *references;
} Side;

/* Relation fields of one model with the same target and relation name. */
typedef struct Group {
    Side *sides[2];
    size_t n;
} Group;

/* A field name of a model: the field itself (NULL: about to be added), the relation that uses it.
 */
typedef struct Name {
    const PslField *field;
    const Side *user;
} Name;

/* A scalar field that holds the key of the other model. */
typedef struct Key {
    Str name;
    const PslField *model;    /* the referenced field */
    const PslField *existing; /* NULL: must be added */
} Key;

typedef VEC(const PslField *) FieldVec;

typedef struct Plan Plan;

typedef struct Fixer {
    Arena *a;
    Arena *scratch;
    const PslSchema *schema;
    PslInsertVec *out;
    Map decls;  /* name -> PslDecl */
    Map groups; /* owner:target:name -> Group */
    Map names;  /* decl:field -> Name */
    Map open;   /* from:to -> Plan, the last incomplete relation between two models */
    VEC(Side *) sides;
    VEC(Plan *) plans;
} Fixer;

static bool
has_fields(const PslDecl *decl)
{
    return decl->kind == PSL_MODEL || decl->kind == PSL_VIEW || decl->kind == PSL_TYPE;
}

static Str
name_key(Fixer *x, const PslDecl *decl, Str name)
{
    return str_of(str_fmt(x->scratch, "%u:%.*s", decl->index, STR_ARG(name)));
}

static Group *
group_of(Fixer *x, const PslDecl *owner, const PslDecl *target, Str name, bool add)
{
    Str key = str_of(str_fmt(x->scratch, "%u:%u:%.*s", owner->index, target->index, STR_ARG(name)));
    Group *group = map_get(&x->groups, key);
    if (!group && add) {
        group = arena_new(x->scratch, Group);
        map_put(&x->groups, key, group);
    }
    return group;
}

/* -- Reading the schema -- */

/* Names of all blocks; false when one is there twice. */
static bool
collect_decls(Fixer *x)
{
    for (size_t i = 0; i < x->schema->ndecls; i++) {
        PslDecl *decl = x->schema->decls[i];
        bool is_type = has_fields(decl) || decl->kind == PSL_ENUM;
        if (is_type && map_put(&x->decls, decl->name, decl))
            return false;
    }
    return true;
}

static void
add_side(Fixer *x, const PslField *field, const PslDecl *target)
{
    Side *side = arena_new(x->scratch, Side);
    *side = (Side){.field = field, .target = target, .name = {"", 0}};
    side->attr = psl_attr(field->attrs, "relation");
    if (side->attr) {
        const PslExpr *name = psl_arg_value(side->attr->args, "name", 0);
        if (name && name->kind == PSL_STRING)
            side->name = name->text;
        side->fields = psl_arg_value(side->attr->args, "fields", -1);
        side->references = psl_arg_value(side->attr->args, "references", -1);
    }
    *vec_add(x->scratch, &x->sides) = side;
    Group *group = group_of(x, field->parent, target, side->name, true);
    if (group->n < 2)
        group->sides[group->n] = side;
    group->n++;
}

/* Is it a name that the validator accepts, of a length that people write? */
static bool
is_usable(Str name)
{
    return name.n <= 1000 && !(name.p[0] >= '0' && name.p[0] <= '9') &&
           !memchr(name.p, '-', name.n);
}

/* All relation fields; false when a type is unknown, a field is there twice or a name is odd. */
static bool
collect_sides(Fixer *x)
{
    for (size_t i = 0; i < x->schema->ndecls; i++) {
        const PslDecl *decl = x->schema->decls[i];
        vec_each (const PslField, field, &decl->fields) {
            if (!is_usable(field->name) || !is_usable(decl->name) || field->span.len > 10000)
                return false;
            Name *name = arena_new(x->scratch, Name);
            name->field = field;
            if (map_put(&x->names, name_key(x, decl, field->name), name))
                return false;
            if (field->type.is_unsupported || psl_scalar_of(field->type.name, NULL))
                continue;
            const PslDecl *target = map_get(&x->decls, field->type.name);
            if (!target)
                return false;
            if (decl->kind != PSL_TYPE && (target->kind == PSL_MODEL || target->kind == PSL_VIEW))
                add_side(x, field, target);
        }
    }
    return true;
}

/* Mark the scalar fields that a relation uses already. */
static void
mark_used(Fixer *x)
{
    vec_each (Side *, side, &x->sides) {
        PslArgs used = (*side)->fields ? (*side)->fields->args : (PslArgs){0};
        vec_each (const PslArg, arg, &used) {
            Name *name = map_get(&x->names, name_key(x, (*side)->field->parent, arg->value.text));
            if (name)
                name->user = *side;
        }
    }
}

/* The fields of an attribute's list; an element may be `name(sort: Desc)`. False if one is unknown
 * or there are too many. */
static bool
fields_of(Fixer *x, const PslDecl *decl, const PslExpr *list, FieldVec *ret)
{
    PslArg single = {.value = *list};
    PslArgs names = list->kind == PSL_ARRAY ? list->args : (PslArgs){&single, 1};
    if (names.n > KEY_FIELDS_MAX)
        return false;
    vec_each (const PslArg, arg, &names) {
        const PslField *field = psl_field(decl, arg->value.text);
        if (!field)
            return false;
        *vec_add(x->scratch, ret) = field;
    }
    return ret->n > 0;
}

/* The fields of the first unique criterion: @id, @@id, then @unique and @@unique. */
static bool
first_key(Fixer *x, const PslDecl *decl, FieldVec *ret)
{
    const PslField *unique = NULL;
    vec_each (const PslField, field, &decl->fields) {
        if (psl_attr(field->attrs, "id")) {
            *vec_add(x->scratch, ret) = field;
            return true;
        }
        if (!unique && psl_attr(field->attrs, "unique"))
            unique = field;
    }
    const PslAttr *attr = psl_attr(decl->attrs, "id");
    if (!attr && unique) {
        *vec_add(x->scratch, ret) = unique;
        return true;
    }
    attr = attr ? attr : psl_attr(decl->attrs, "unique");
    const PslExpr *list = attr ? psl_arg_value(attr->args, "fields", 0) : NULL;
    return list && fields_of(x, decl, list, ret);
}

/* Is there an @id, @unique, @@id or @@unique over just these fields? */
static bool
is_unique(Fixer *x, const PslDecl *decl, const FieldVec *fields)
{
    if (fields->n == 1 &&
        (psl_attr(fields->v[0]->attrs, "id") || psl_attr(fields->v[0]->attrs, "unique")))
        return true;
    vec_each (const PslAttr, attr, &decl->attrs) {
        const PslExpr *list = psl_arg_value(attr->args, "fields", 0);
        FieldVec own = {0};
        if ((!str_is(attr->name, "id") && !str_is(attr->name, "unique")) || !list ||
            !fields_of(x, decl, list, &own) || own.n != fields->n)
            continue;
        size_t same = 0;
        for (size_t i = 0; i < own.n; i++) {
            for (size_t k = 0; k < fields->n; k++)
                same += own.v[i] == fields->v[k];
        }
        if (same == own.n)
            return true;
    }
    return false;
}

/* -- Planning one relation -- */

/* What is to be written for a relation between `from` (holds the key) and `to`. */
struct Plan {
    const PslDecl *from, *to;
    const Side *forward, *back; /* NULL: missing */
    Str name;
    bool is_one_to_one;
    PslArity arity; /* of the forward field */
    Key keys[KEY_FIELDS_MAX];
    size_t nkeys;
    const char *back_name, *forward_name; /* of the fields to add */
    bool is_doubtful;
    bool needs_name; /* a model that refers to itself must name the relation */
};

/* "userId" from model User and field id. */
static Str
key_name(Fixer *x, Str model, Str field)
{
    char *name = str_fmt(x->a, "%.*s%.*s", STR_ARG(model), STR_ARG(field));
    if (name[0] >= 'A' && name[0] <= 'Z')
        name[0] = (char)(name[0] + 32);
    if (name[model.n] >= 'a' && name[model.n] <= 'z')
        name[model.n] = (char)(name[model.n] - 32);
    return str_of(name);
}

/* May this field be the key that refers to `model`? */
static bool
fits(const Plan *plan, const PslField *field, const PslField *model)
{
    return str_eq(field->type.name, model->type.name) &&
           field->type.is_unsupported == model->type.is_unsupported &&
           field->type.arity != PSL_LIST &&
           (field->type.arity == PSL_REQUIRED || plan->arity == PSL_OPTIONAL || !plan->forward);
}

/* Find or invent the fields that hold the key; false when that is not clear. */
static bool
plan_keys(Fixer *x, Plan *plan)
{
    const Side *forward = plan->forward;
    FieldVec models = {0}, given = {0}, own = {0};
    bool has_given = forward && forward->fields;
    if (forward && forward->references ? !fields_of(x, plan->to, forward->references, &models)
                                       : !first_key(x, plan->to, &models))
        return false;
    if (has_given && !fields_of(x, plan->from, forward->fields, &given))
        return false;
    if (has_given && given.n != models.n)
        return false;
    bool is_any_optional = false, is_any_new = false;
    for (size_t i = 0; i < models.n; i++) {
        Key *key = &plan->keys[plan->nkeys++];
        key->model = models.v[i];
        key->name = has_given ? given.v[i]->name : key_name(x, plan->to->name, key->model->name);
        const Name *name = map_get(&x->names, name_key(x, plan->from, key->name));
        key->existing = name ? name->field : NULL;
        if (key->model->type.arity == PSL_LIST)
            return false;
        if (name && (!key->existing || !fits(plan, key->existing, key->model) ||
                     (!has_given && name->user)))
            return false;
        if (!name &&
            (key->model->type.is_unsupported || !psl_scalar_of(key->model->type.name, NULL)))
            return false;
        is_any_new |= !name;
        is_any_optional |= name && key->existing->type.arity == PSL_OPTIONAL;
        if (key->existing)
            *vec_add(x->scratch, &own) = key->existing;
    }
    if (!forward)
        plan->arity = is_any_new || is_any_optional ? PSL_OPTIONAL : PSL_REQUIRED;
    if (!plan->is_one_to_one)
        return true;
    return is_any_new ? plan->nkeys == 1 : is_unique(x, plan->from, &own);
}

/* Take a field name in a model; false when it is taken. */
static bool
reserve(Fixer *x, const PslDecl *decl, Str name)
{
    Str key = name_key(x, decl, name);
    if (map_has(&x->names, key))
        return false;
    map_put(&x->names, key, arena_new(x->scratch, Name));
    return true;
}

/* Reserve every name that the plan needs; false when one is taken. */
static bool
plan_names(Fixer *x, Plan *plan)
{
    bool ok = true;
    if (!plan->back) {
        Str name = plural_camel(x->a, plan->from->name);
        name = plan->is_one_to_one ? name : plural_of(x->a, name);
        plan->back_name = str_dup(x->a, name);
        ok = reserve(x, plan->to, name);
    }
    if (!plan->forward) {
        Str name = plural_camel(x->a, plan->to->name);
        plan->forward_name = str_dup(x->a, name);
        ok = ok && reserve(x, plan->from, name);
    }
    for (size_t i = 0; i < plan->nkeys; i++)
        ok = ok && (plan->keys[i].existing || reserve(x, plan->from, plan->keys[i].name));
    return ok;
}

/* -- Finding incomplete relations -- */

/* The field on the other side, if there is exactly one; *ret_clear is false when there are more,
 * or more on this side. */
static const Side *
opposite_of(Fixer *x, const Side *side, bool *ret_clear)
{
    const PslDecl *owner = side->field->parent;
    const Group *own = group_of(x, owner, side->target, side->name, false);
    const Group *other = group_of(x, side->target, owner, side->name, false);
    if (own == other) {
        /* Prisma wants a name where a model refers to itself; two fields without one are a riddle.
         */
        *ret_clear = own->n == 1 || (own->n == 2 && side->name.n > 0);
        return own->n < 2 ? NULL : own->sides[own->sides[0] == side];
    }
    *ret_clear = own->n == 1 && (!other || other->n == 1);
    return other ? other->sides[0] : NULL;
}

static bool
is_list(const Side *side)
{
    return side->field->type.arity == PSL_LIST;
}

/* Of two sides that are no lists: does `a` hold the key? */
static bool
is_forward(const Side *a, const Side *b)
{
    if (a->field->type.arity != b->field->type.arity)
        return a->field->type.arity == PSL_REQUIRED;
    if ((a->fields != NULL) != (b->fields != NULL))
        return a->fields != NULL;
    int c = str_cmp(a->field->parent->name, b->field->parent->name);
    return (c ? c : str_cmp(a->field->name, b->field->name)) < 0;
}

/* Which models does a plan connect? */
static Str
pair_key(Fixer *x, const Plan *plan)
{
    uint32_t a = plan->from->index, b = plan->to->index;
    return str_of(str_fmt(x->scratch, "%u:%u", a < b ? a : b, a < b ? b : a));
}

/* Plan the relation of this side, unless it is complete, or planned by its other side. */
static void
consider(Fixer *x, Side *side)
{
    bool is_clear;
    const Side *other = opposite_of(x, side, &is_clear);
    if (!is_clear || (other && is_list(side)) ||
        (other && !is_list(other) && !is_forward(side, other)))
        return;
    bool is_back = is_list(side);
    if (!is_back && other && side->fields && side->references)
        return;
    if (side->attr && side->attr->trailing_comma)
        return;
    Plan *plan = arena_new(x->scratch, Plan);
    *plan = (Plan){
        .from = is_back ? side->target : side->field->parent,
        .to = is_back ? side->field->parent : side->target,
        .forward = is_back ? NULL : side,
        .back = is_back ? side : other,
        .name = side->name,
        .is_one_to_one = !is_back && other && !is_list(other),
        .arity = side->field->type.arity,
    };
    plan->needs_name = plan->from == plan->to && !plan->name.n;
    Plan *earlier = map_put(&x->open, pair_key(x, plan), plan);
    if (earlier)
        earlier->is_doubtful = plan->is_doubtful = true;
    FieldVec given = {0};
    if (!is_back && !other && side->fields && fields_of(x, plan->from, side->fields, &given))
        plan->is_one_to_one = is_unique(x, plan->from, &given);
    *vec_add(x->scratch, &x->plans) = plan;
}

/* -- Writing -- */

static void
insert(Fixer *x, const PslDecl *decl, uint32_t off, const char *text)
{
    uint32_t file = (uint32_t)(decl->file - x->schema->files);
    *vec_add(x->a, x->out) = (PslInsert){file, off, text};
}

/* `fields: [..], references: [..]`, or what is missing of it. */
static const char *
key_args(Fixer *x, const Plan *plan)
{
    Buf b;
    buf_init(&b, x->a);
    for (int references = 0; references < 2; references++) {
        const Side *side = plan->forward;
        if (side && (references ? side->references : side->fields))
            continue;
        buf_addz(&b, b.n ? ", " : "");
        buf_addz(&b, references ? "references: [" : "fields: [");
        for (size_t i = 0; i < plan->nkeys; i++) {
            buf_addz(&b, i ? ", " : "");
            buf_add(&b, references ? plan->keys[i].model->name : plan->keys[i].name);
        }
        buf_addc(&b, ']');
    }
    return b.p;
}

/* The relation's name as an argument, with what separates it from the next one. */
static const char *
name_arg(Fixer *x, const Plan *plan, const char *separator)
{
    if (plan->needs_name)
        return str_fmt(x->a, "\"%.*sTo%.*s\"%s", STR_ARG(plan->from->name), STR_ARG(plan->to->name),
                       separator);
    const Side *side = plan->forward ? plan->forward : plan->back;
    const PslExpr *name = side->attr ? psl_arg_value(side->attr->args, "name", 0) : NULL;
    if (!name || name->kind != PSL_STRING)
        return "";
    Str written = psl_text(side->field->parent->file, name->span);
    return str_fmt(x->a, "%.*s%s", STR_ARG(written), separator);
}

/* Add arguments to the @relation of a side, or the attribute itself; a name goes first. */
static void
write_relation_args(Fixer *x, const Side *side, const char *name, const char *args)
{
    const PslDecl *decl = side->field->parent;
    const PslAttr *attr = side->attr;
    PslSpan type = side->field->type.span;
    const char *comma = name[0] && args[0] ? ", " : "";
    if (!name[0] && !args[0])
        return;
    if (!attr) {
        insert(x, decl, type.off + type.len,
               str_fmt(x->a, " @relation(%s%s%s)", name, comma, args));
    } else if (!attr->parens.len) {
        insert(x, decl, attr->span.off + attr->span.len,
               str_fmt(x->a, "(%s%s%s)", name, comma, args));
    } else {
        if (name[0])
            insert(x, decl, attr->parens.off + 1,
                   str_fmt(x->a, "%s%s", name, attr->args.n ? ", " : comma));
        if (args[0])
            insert(x, decl, attr->parens.off + attr->parens.len - 1,
                   str_fmt(x->a, "%s%s", attr->args.n ? ", " : "", args));
    }
}

static void
write_back_field(Fixer *x, const Plan *plan)
{
    const char *name = name_arg(x, plan, "");
    insert(x, plan->to, plan->to->close,
           str_fmt(x->a, "%s %.*s%s%s%s%s%s\n", plan->back_name, STR_ARG(plan->from->name),
                   plan->is_one_to_one ? "?" : "[]", name[0] ? " @relation(" : "", name,
                   name[0] ? ")" : "", psl_attr(plan->from->attrs, "ignore") ? " @ignore" : ""));
}

static void
write_forward_field(Fixer *x, const Plan *plan)
{
    insert(x, plan->from, plan->from->close,
           str_fmt(x->a, "%s %.*s%s @relation(%s%s)\n", plan->forward_name, STR_ARG(plan->to->name),
                   plan->arity == PSL_OPTIONAL ? "?" : "", name_arg(x, plan, ", "),
                   key_args(x, plan)));
}

/* A scalar field of the same type as the one that it refers to, native type included. */
static void
write_key(Fixer *x, const Plan *plan, const Key *key)
{
    Str native = {"", 0};
    vec_each (const PslAttr, attr, &key->model->attrs) {
        if (memchr(attr->name.p, '.', attr->name.n))
            native = psl_text(key->model->parent->file, attr->span);
    }
    insert(x, plan->from, plan->from->close,
           str_fmt(x->a, "%.*s %.*s%s%s %.*s\n", STR_ARG(key->name), STR_ARG(key->model->type.name),
                   plan->arity == PSL_OPTIONAL ? "?" : "", plan->is_one_to_one ? " @unique" : "",
                   STR_ARG(native)));
}

static void
write_plan(Fixer *x, Plan *plan)
{
    if (!plan_keys(x, plan) || !plan_names(x, plan))
        return;
    if (!plan->back)
        write_back_field(x, plan);
    if (!plan->forward)
        write_forward_field(x, plan);
    else
        write_relation_args(x, plan->forward, plan->needs_name ? name_arg(x, plan, "") : "",
                            key_args(x, plan));
    if (plan->back && plan->needs_name)
        write_relation_args(x, plan->back, name_arg(x, plan, ""), "");
    for (size_t i = 0; i < plan->nkeys; i++) {
        if (!plan->keys[i].existing)
            write_key(x, plan, &plan->keys[i]);
    }
}

/* Sort by file and offset; inserts at one place keep their order. */
static void
sort_inserts(Arena *scratch, PslInsertVec *inserts)
{
    PslInsert *from = inserts->v, *to = arena_array(scratch, PslInsert, inserts->n);
    for (size_t width = 1; width < inserts->n; width *= 2) {
        for (size_t low = 0; low < inserts->n; low += 2 * width) {
            size_t middle = low + width < inserts->n ? low + width : inserts->n;
            size_t high = middle + width < inserts->n ? middle + width : inserts->n;
            for (size_t i = low, j = middle, k = low; k < high; k++) {
                bool left =
                    j >= high ||
                    (i < middle && (from[i].file < from[j].file ||
                                    (from[i].file == from[j].file && from[i].off <= from[j].off)));
                to[k] = left ? from[i++] : from[j++];
            }
        }
        PslInsert *swap = from;
        from = to;
        to = swap;
    }
    if (from != inserts->v && inserts->n)
        memcpy(inserts->v, from, inserts->n * sizeof *from);
}

void
psl_format_fixups(Arena *a, const PslSchema *schema, PslInsertVec *ret)
{
    ARENA_LOCAL(scratch);
    Fixer *x = arena_new(scratch, Fixer);
    *x = (Fixer){.a = a, .scratch = scratch, .schema = schema, .out = ret};
    *ret = (PslInsertVec){0};
    map_init(&x->decls, scratch);
    map_init(&x->groups, scratch);
    map_init(&x->names, scratch);
    map_init(&x->open, scratch);
    if (schema->errors || !collect_decls(x) || !collect_sides(x))
        return;
    mark_used(x);
    vec_each (Side *, side, &x->sides)
        consider(x, *side);
    vec_each (Plan *, plan, &x->plans) {
        if (!(*plan)->is_doubtful)
            write_plan(x, *plan);
    }
    sort_inserts(scratch, ret);
}

Source *
psl_apply(Arena *a, const PslSchema *schema, const PslInsertVec *inserts)
{
    Source *ret = arena_array(a, Source, schema->nfiles);
    size_t next = 0;
    for (size_t i = 0; i < schema->nfiles; i++) {
        ret[i] = *schema->files[i].source;
        Str text = ret[i].text;
        size_t at = 0;
        Buf b;
        if (next == inserts->n || inserts->v[next].file != i)
            continue;
        buf_init(&b, a);
        for (; next < inserts->n && inserts->v[next].file == i; next++) {
            buf_add(&b, str_slice(text, at, inserts->v[next].off));
            buf_addz(&b, inserts->v[next].text);
            at = inserts->v[next].off;
        }
        buf_add(&b, str_slice(text, at, text.n));
        ret[i].text = buf_str(&b);
    }
    return ret;
}
