/* Shared by the files of the validator; nobody else includes this. Its functions begin with v_. */
#pragma once

#include "psl/attrs.h"
#include "psl/psl_validate.h"

/* Names and texts are quoted in messages up to this many bytes, so that a message stays a line. */
#define QUOTE_MAX 80

typedef struct Ctx {
    Arena *a;
    Arena *scratch; /* of the step that runs */
    const PslSchema *schema;
    FindingList *diags;
    PslResolved *r;
    int prisma;          /* 5, 6, 7, or 0 for all */
    Map composites;      /* name -> PslDecl of a `type` */
    bool has_unread;     /* text at the top level could not be read: blocks may be missing */
    bool has_headless;   /* a brace in it closes a block whose name is not known */
    Map unread;          /* the words in it; of v_resolve_names */
    bool has_datasource; /* a datasource block exists, usable or not, or may exist */
    bool is_foreign;     /* its provider is another database */
    uint32_t mark;       /* last one given out; see mark_next */
    Map broken_pairs;    /* relation fields with an error, by their two models */
    Map criteria;        /* ids and unique keys by their fields; of v_check_relations */
    unsigned near_left;  /* how many names may still be compared for "did you mean" */
    StrCursor cursor;    /* for notes that tell a line */
    Finding unseen;      /* takes notes and hints of errors that are only counted */
} Ctx;

/* -- Diagnostics -- */

__attribute__((format(printf, 5, 6))) Finding *v_error(Ctx *c, FindingId id, const PslFile *file,
                                                       PslSpan at, const char *fmt, ...);
__attribute__((format(printf, 5, 6))) Finding *v_warn(Ctx *c, FindingId id, const PslFile *file,
                                                      PslSpan at, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void v_note(Ctx *c, Finding *d, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void v_hint(Ctx *c, Finding *d, const char *fmt, ...);

/* "an Int", "a string"; "nothing" stays as it is. */
const char *v_a(Ctx *c, const char *word);

/* A text for a message: cut behind a whole character when it is long. */
Str v_quote(Str s);
#define Q(s) STR_ARG(v_quote(s))

/* "a, b": the first few, then "..." */
const char *v_field_names(Ctx *c, PslFieldList fields, const char *separator);

/* The nearest of many names to a word, for "did you mean". */
typedef struct Nearest {
    Ctx *c;
    Str word;
    Str best;
    size_t distance;
} Nearest;
void v_near_init(Ctx *c, Nearest *n, Str word);
void v_near_try(Nearest *n, Str candidate);
/* False when no more candidates are looked at: for loops over very many of them. */
static inline bool
v_near_open(const Nearest *n)
{
    return n->word.n > 0 && n->c->near_left > 0;
}
/* True when something is near enough to be meant. */
bool v_near_found(const Nearest *n);

/* -- Places -- */

static inline const PslFile *
model_file(const PslModel *m)
{
    return m->decl->file;
}

static inline PslSpan
name_span(const PslDecl *d)
{
    return psl_span_of(d->file, d->name);
}

/* Generations of Prisma, as bits, and whether one that is asked for is among those that refuse a
 * form. When none is asked for, only what all of them refuse is refused. */
#define P5 (1u << 5)
#define P6 (1u << 6)
#define P7 (1u << 7)
static inline bool
refused_by(const Ctx *c, unsigned refused)
{
    return c->prisma ? (refused & (1u << c->prisma)) != 0 : refused == (P5 | P6 | P7);
}

/* An error where the generation asked for refuses a form, a warning where only others do; returns
 * NULL when nobody refuses it. */
__attribute__((format(printf, 6, 7))) Finding *v_dialect(Ctx *c, unsigned refused, FindingId id,
                                                         const PslFile *file, PslSpan at,
                                                         const char *fmt, ...);

/* True when a preview feature is on, or may be on in a generator that could not be read. */
bool v_has_preview(const Ctx *c, const char *feature);

/* Report what is unknown, or has nothing to say any more. */
void v_check_preview(Ctx *c, const PslFile *file, const PslExpr *e);

static inline uint32_t
mark_next(Ctx *c)
{
    return ++c->mark;
}

/* -- What was resolved (resolved.c) -- */

/* Up to this many fields are looked through one by one: a map of them takes space and time. */
enum { FEW_FIELDS = 16 };

/* True when something in the declaration could not be read: what seems to be missing may be there.
 */
bool v_decl_is_partial(const PslDecl *decl);

/* Is this a name that the generated client cannot use for a class? is_late: Prisma 5 lets it pass. */
bool v_is_reserved(Str name, bool *ret_is_late);

/* -- Attributes and their arguments (validate_args.c) -- */

/* The attributes of one field, value or declaration, sorted out: unknown and doubled ones are
 * reported. */
typedef struct AttrSet {
    const PslAttr *first[ATTR_COUNT]; /* NULL: not there, or doubled */
    const PslAttr *native;            /* @db.X */
    bool is_broken;                   /* something was reported */
} AttrSet;

/* An attribute's arguments by their position in its spec. */
typedef struct Args {
    const PslAttr *attr;
    const PslFile *file;
    AttrId id;
    const PslArg *v[ATTR_ARGS_MAX]; /* NULL: not written */
    bool is_broken;
} Args;

/* Match the arguments with the spec; reports missing values, unknown, doubled and missing ones.
 * False when the attribute is of no use. */
bool v_args_read(Ctx *c, const PslFile *file, const PslAttr *attr, AttrId id, Args *ret);

/* The argument as a string, boolean, ...; an error is reported when it is something else. False
 * when it is not there or of another kind. */
bool v_args_string(Ctx *c, Args *args, unsigned index, Str *ret);
bool v_args_constant(Ctx *c, Args *args, unsigned index, Str *ret);
/* The string of a `map` or `name` argument, which must not be empty. */
bool v_args_name(Ctx *c, Args *args, unsigned index, Str *ret);

bool v_expr_is(Ctx *c, const PslFile *file, const PslExpr *e, PslExprKind kind);

/* Every element of an array, or the single value. */
PslArgs v_expr_elements(const PslExpr *e, PslArg *space);

/* An error that concerns a field or a model also marks it as broken. */
__attribute__((format(printf, 5, 6))) Finding *v_field_error(Ctx *c, FindingId id, PslModelField *f,
                                                             PslSpan at, const char *fmt, ...);
__attribute__((format(printf, 5, 6))) Finding *v_model_error(Ctx *c, FindingId id, PslModel *m,
                                                             PslSpan at, const char *fmt, ...);

/* -- Steps of the validation, in this order -- */

void v_resolve_names(Ctx *c);   /* resolve.c: names, field types */
void v_check_config(Ctx *c);    /* datasource, generators, preview features */
void v_check_dialect(Ctx *c);   /* lexical forms that a generation does not have */
void v_check_attrs(Ctx *c);     /* all attributes, each for itself */
void v_relations_infer(Ctx *c); /* relations.c */
void v_check_models(Ctx *c);    /* rules of a model and its fields */
void v_check_names(Ctx *c);     /* clashes of tables, constraints, client names */
void v_check_relations(Ctx *c); /* rules of relations */

/* Parts of v_check_attrs */
void v_check_default(Ctx *c, PslModelField *f, const PslAttr *attr);
void v_keys_of_field(Ctx *c, PslModelField *f, const AttrSet *set);
void v_keys_of_model(Ctx *c, PslModel *m, const AttrSet *set);
void v_relation_attr(Ctx *c, PslModelField *f, const PslAttr *attr);
void v_where_check(Ctx *c, PslKey *key, const PslArg *arg);

/* Parts of v_check_models */
void v_native_check(Ctx *c, PslModelField *f);
void v_unsupported_check(Ctx *c, PslModelField *f);
void v_default_literal_check(Ctx *c, PslModelField *f);
void v_opclass_check(Ctx *c, PslKey *key);

/* Is there a relation field from one model to the other with an error that was reported? */
bool v_relations_broken_between(const Ctx *c, const PslModel *from, const PslModel *to);

/* -- Facts -- */

const PslOpClass *v_opclass_of(Str name);
void v_opclass_nearest(Nearest *n);

/* The name of the relation that a field belongs to: the one that is written, or "AToB". */
Str v_relation_name_of(Arena *a, const PslModelField *f);

/* Texts of default values: NULL when the text is right, else what is wrong with it. */
const char *v_literal_json(Str s);
const char *v_literal_base64(Str s);
const char *v_literal_datetime(Str s);
const char *v_literal_decimal(Str s);
const char *v_literal_integer(Str s, int64_t *ret);

/* Names that PostgreSQL objects get by default, at most 63 bytes. */
Str v_name_with_columns(Arena *a, Str table, const PslKeyField *fields, size_t n,
                        const char *suffix);
